"""A phantom's volume as a series of CT slices in DICOM, one file each.

Whatever the files say is fixed by the names given, so that the same cohort writes the same bytes.

Source: DICOM PS3.3, A.3 CT Image IOD.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.hard.case import write
from medclf.curate.phantom.hard.scene import Slab
from medclf.curate.phantom.hard.slices import CT, blank, pixels, place

ZERO_HU = 1024


def write_series(
    folder: Path,
    values: NDArray[np.int16],
    slab: Slab,
    patient: str,
    entropy: str,
    **elements: object,
) -> None:
    """Write a volume into a new folder.

    Args:
        folder: Of the files, which bear the numbers of their slices.
        values: (Z, Y, X) in HU.
        slab: Where they lie.
        patient: Identifier.
        entropy: Makes the identifiers of this cohort its own.
        elements: Further elements of each slice, by keyword.
    """
    from pydicom.uid import generate_uid

    def uid(*names: object) -> str:
        return generate_uid(entropy_srcs=["medclf phantom", entropy, patient, *map(str, names)])

    folder.mkdir()
    stored = (values + ZERO_HU).astype("<u2")
    for number in range(len(stored)):
        dataset = blank(CT, number)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid("study"), uid("series")
        dataset.SOPInstanceUID, dataset.FrameOfReferenceUID = uid(number), uid("frame")
        dataset.PatientID, dataset.PatientName = patient, f"Phantom^{patient}"
        dataset.ProtocolName, dataset.ImageComments = "Spine", "Computed phantom, not a person"
        dataset.Modality, dataset.InstanceNumber = "CT", number + 1
        dataset.SliceThickness = slab.spacing_mm[0]
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        place(dataset, slab, slab.corner(number))
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -ZERO_HU
        dataset.RescaleType = "HU"
        pixels(dataset, stored[number])
        write(dataset, folder / f"{number + 1:04d}.dcm")
