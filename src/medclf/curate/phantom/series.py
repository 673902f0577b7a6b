"""A phantom's scan as a file in NIfTI, or as a series of CT or MR slices in DICOM, one file each.

Whatever the files say is fixed by the names given, so that the same cohort writes the same bytes.

Source: DICOM PS3.3, A.3 CT Image IOD and A.4 MR Image IOD.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from medclf.core.image import Image
from medclf.curate.phantom.ct import Frame
from medclf.curate.phantom.hard.case import write
from medclf.curate.phantom.hard.scene import Slab
from medclf.curate.phantom.hard.slices import KINDS, blank, pixels, place
from medclf.read.write import write_image

ZERO_HU = 1024
Form = Literal["nifti", "dicom"]


def write_scan(
    folder: Path,
    image: Image,
    frame: Frame,
    form: Form,
    patient: str,
    entropy: str,
    elements: Mapping[str, object],
) -> str:
    """Write a scan into the `volumes` of a folder.

    Args:
        folder: That of the cohort.
        image: One channel of whole numbers; CT in HU, or MR from 0.
        frame: Where it lies in the patient.
        form: Of the file, or the folder of files.
        patient: Identifier, which names it.
        entropy: Makes the identifiers of this cohort its own.
        elements: Further elements of each DICOM slice, by keyword.

    Returns:
        Its path, from the folder.
    """
    path = f"volumes/{patient}"
    if form == "nifti":
        path += ".nii.gz"
        placed = replace(image, grid=frame.grid)
        (folder / path).write_bytes(write_image(placed, ".nii.gz")[0])
    else:
        slab = Slab(frame.shape, frame.spacing_mm, origin_mm=frame.start_mm)
        _write_series(folder / path, image, slab, patient, entropy, elements)
    return path


def _write_series(
    folder: Path,
    image: Image,
    slab: Slab,
    patient: str,
    entropy: str,
    elements: Mapping[str, object],
) -> None:
    """Write a volume into a new folder, whose files bear the numbers of their slices."""
    from pydicom.uid import generate_uid

    def uid(*names: object) -> str:
        return generate_uid(entropy_srcs=["medclf phantom", entropy, patient, *map(str, names)])

    folder.mkdir()
    zero = ZERO_HU * (image.unit == "HU")
    stored = (image.values[0].astype(np.int32) + zero).astype("<u2")
    for number in range(len(stored)):
        dataset = blank(KINDS[image.modality], number)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid("study"), uid("series")
        dataset.SOPInstanceUID, dataset.FrameOfReferenceUID = uid(number), uid("frame")
        dataset.PatientID, dataset.PatientName = patient, f"Phantom^{patient}"
        dataset.ImageComments = "Computed phantom, not a person"
        dataset.Modality, dataset.InstanceNumber = image.modality, number + 1
        dataset.SliceThickness = slab.spacing_mm[0]
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        place(dataset, slab, slab.corner(number))
        if image.unit == "HU":
            dataset.RescaleSlope, dataset.RescaleIntercept = 1, -zero
            dataset.RescaleType = "HU"
        pixels(dataset, stored[number])
        write(dataset, folder / f"{number + 1:04d}.dcm")
