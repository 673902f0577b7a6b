"""Slices of a scene as DICOM data sets, plain and right, for cases to spoil.

Source: DICOM PS3.3, A.3 (CT image) and A.4 (MR image).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.hard.scene import Field, Places, Slab

if TYPE_CHECKING:
    from pydicom import Dataset

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PET = "1.2.840.10008.5.1.4.1.1.128"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
EXPLICIT = "1.2.840.10008.1.2.1"

ROOT = "1.2.826.0.1.3680043.10.1111"
STUDY, SERIES, FRAME = f"{ROOT}.1", f"{ROOT}.2", f"{ROOT}.3"
KINDS = {"CT": CT, "MR": MR, "PT": PET}


def make_stack(
    scene: Field, slab: Slab, modality: str = "CT", first: int = 0, **elements: object
) -> "list[Dataset]":
    """Make the slices of a slab, from its first on.

    Args:
        scene: What is scanned.
        slab: Where.
        modality: CT, MR or PT.
        first: Counts SOPInstanceUID and InstanceNumber from here.
        elements: Further elements of each slice, by keyword.
    """
    corners = [slab.corner(number) for number in range(slab.shape[0])]
    return make_slices(scene, slab, corners, modality, first, **elements)


def make_slices(
    scene: Field,
    slab: Slab,
    corners: Sequence[Places],
    modality: str = "CT",
    first: int = 0,
    **elements: object,
) -> "list[Dataset]":
    """Make one slice at each corner."""
    made = []
    for number, corner in enumerate(corners, first):
        dataset = blank(KINDS[modality], number)
        dataset.Modality = modality
        place(dataset, slab, corner)
        dataset.SliceThickness = slab.spacing_mm[0]
        dataset.InstanceNumber = number + 1
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        if modality != "MR":
            dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        store(dataset, scene.at(slab.places(corner)))
        made.append(dataset)
    return made


def blank(kind: str, number: int) -> "Dataset":
    """Make a data set of a class that belongs to the one series, study and patient."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID(kind), UID(f"{ROOT}.9.{number}")
    dataset.PatientID, dataset.PatientName = "P1", "Phantom"
    dataset.Manufacturer, dataset.ProtocolName = "Phantom", "Hard case"
    dataset.PatientPosition = "HFS"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = UID(STUDY), UID(SERIES)
    dataset.FrameOfReferenceUID = UID(FRAME)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.AcquisitionNumber = 1
    return dataset


def place(dataset: "Dataset", slab: Slab, corner: Places) -> None:
    """State where a slice lies, x first, as DICOM has it."""
    dataset.ImagePositionPatient = [decimal(mm) for mm in corner[::-1]]
    turn = (*slab.axes[2, ::-1], *slab.axes[1, ::-1])
    dataset.ImageOrientationPatient = [decimal(part) for part in turn]
    dataset.PixelSpacing = [decimal(mm) for mm in slab.spacing_mm[1:]]


def store(dataset: "Dataset", values: NDArray[np.float64], dtype: str = "<u2") -> None:
    """Store values as whole numbers, by the rescale of the data set."""
    slope = float(dataset.get("RescaleSlope") or 1)
    start = float(dataset.get("RescaleIntercept") or 0)
    pixels(dataset, np.rint((values - start) / slope).astype(dtype))


def pixels(dataset: "Dataset", stored: NDArray[np.generic]) -> None:
    """Set the pixels (Y, X) or (F, Y, X) and all that describes them."""
    bits = 8 * stored.dtype.itemsize
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"


def decimal(number: float) -> str:
    """Write a number as DICOM's decimal string, in at most 16 characters."""
    return f"{number:.10g}" if abs(number) > 1e-9 else "0"
