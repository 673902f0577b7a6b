"""A phantom's picture as a DICOM file: a digital X-ray of chest or knee, for presentation.

All attributes that the standard demands of the object are there, and whatever they say is fixed by
the cohort's seed, so that the same seed writes the same bytes.

Source: DICOM PS3.3, A.26 Digital X-Ray Image IOD; PS3.16, CID 4010 and 4031 (codes).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from medclf.curate.phantom.detector import BITS, Device

FIRST_DAY = date(2020, 1, 6)


@dataclass(frozen=True)
class View:
    """What a picture shows, and from where.

    Args:
        part: As DICOM's Body Part Examined has it.
        region, direction: Code and meaning in SNOMED CT.
        position: "PA" or "AP".
        laterality: "R", "L", or "U" for what is not paired.
    """

    part: str
    region: tuple[str, str]
    direction: tuple[str, str]
    position: str
    laterality: str


CHEST = View(
    "CHEST", ("51185008", "Chest"), ("272479007", "postero-anterior"), "PA", laterality="U"
)


@dataclass(frozen=True)
class Sitting:
    """What a file says of who was pictured, when and by what.

    Args:
        patient: Identifier.
        age_years, sex: At the visit.
        visit: From 1.
        day: Since the cohort's first day.
        device: The X-ray unit.
        entropy: Makes the identifiers of this cohort its own.
        view: What is pictured.
    """

    patient: str
    age_years: int
    sex: str
    visit: int
    day: int
    device: Device
    entropy: str
    view: View = CHEST


def write_radiograph(
    path: Path, pixels: NDArray[np.uint16], pixel_mm: float, sitting: Sitting
) -> None:
    """Write one picture.

    Args:
        path: Of the new file.
        pixels: (Y, X) stored values of 12 bits.
        pixel_mm: Distance of neighbouring pixels.
        sitting: What it says besides.
    """
    file = Dataset()
    _identify(file, sitting)
    _describe_device(file, sitting, pixel_mm)
    _describe_pixels(file, pixels, sitting.device)
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID
    file.file_meta.ImplementationClassUID = _uid("implementation")
    file.file_meta.ImplementationVersionName = "MEDCLF"
    file.save_as(path, enforce_file_format=True)


def _identify(file: Dataset, sitting: Sitting) -> None:
    """Patient, study, series and instance."""
    names = [sitting.entropy, sitting.patient, str(sitting.visit)]
    day = (FIRST_DAY + timedelta(days=sitting.day)).strftime("%Y%m%d")
    file.SpecificCharacterSet = "ISO_IR 192"
    file.SOPClassUID = DigitalXRayImageStorageForPresentation
    file.SOPInstanceUID = _uid("image", *names)
    file.PatientName = f"Phantom^{sitting.patient}"
    file.PatientID = sitting.patient
    file.PatientBirthDate = ""
    file.PatientSex = sitting.sex
    file.PatientAge = f"{sitting.age_years:03d}Y"
    file.StudyInstanceUID = _uid("study", *names)
    file.StudyDate = file.SeriesDate = file.AcquisitionDate = file.ContentDate = day
    file.StudyTime = file.ContentTime = "090000"
    file.StudyID = str(sitting.visit)
    file.AccessionNumber = ""
    file.ReferringPhysicianName = ""
    file.SeriesInstanceUID = _uid("series", *names)
    file.SeriesNumber = 1
    file.InstanceNumber = 1
    file.Modality = "DX"
    file.ImageComments = "Computed phantom, not a person"


def _describe_device(file: Dataset, sitting: Sitting, pixel_mm: float) -> None:
    """Equipment, detector, and how the patient stood."""
    device, view = sitting.device, sitting.view
    file.Manufacturer = device.manufacturer
    file.ManufacturerModelName = device.model
    file.InstitutionName = device.site
    file.DetectorType = "SCINTILLATOR"
    file.ImagerPixelSpacing = file.PixelSpacing = [f"{pixel_mm:.4f}", f"{pixel_mm:.4f}"]
    file.BodyPartExamined = view.part
    file.AnatomicRegionSequence = Sequence([_code(*view.region)])
    file.ImageLaterality = view.laterality
    file.ViewPosition = view.position
    file.ViewCodeSequence = Sequence([_code(*view.direction)])
    file.PatientOrientation = ["L", "F"]
    file.PositionerType = "COLUMN"
    file.AcquisitionContextSequence = Sequence()


def _describe_pixels(file: Dataset, pixels: NDArray[np.uint16], device: Device) -> None:
    """What the stored values mean, and the values."""
    dense_is_large = device.photometric == "MONOCHROME2"
    file.ImageType = ["DERIVED", "PRIMARY"]
    file.PresentationIntentType = "FOR PRESENTATION"
    file.SamplesPerPixel = 1
    file.PhotometricInterpretation = device.photometric
    file.Rows, file.Columns = pixels.shape
    file.BitsAllocated = 16
    file.BitsStored = BITS
    file.HighBit = BITS - 1
    file.PixelRepresentation = 0
    file.PixelIntensityRelationship = "LOG"
    file.PixelIntensityRelationshipSign = -1 if dense_is_large else 1
    file.RescaleIntercept = 0
    file.RescaleSlope = 1
    file.RescaleType = "US"
    file.PresentationLUTShape = "IDENTITY" if dense_is_large else "INVERSE"
    file.WindowCenter = 2 ** (BITS - 1)
    file.WindowWidth = 2**BITS
    file.LossyImageCompression = "00"
    file.BurnedInAnnotation = "NO"
    file.PixelData = pixels.astype("<u2").tobytes()


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = "SCT"
    code.CodeMeaning = meaning
    return code


def _uid(*names: str) -> UID:
    """Derive an identifier from names: the same names give the same one."""
    return generate_uid(entropy_srcs=["medclf phantom", *names])
