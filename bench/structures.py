"""The middles of paired structures in the ten IXI brains, out of their label maps."""

from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from nibabel.affines import apply_affine

# Numbers of the label maps: right, left.
PAIRS = {
    "amygdala": (31, 32),
    "caudate": (36, 37),
    "cerebellum": (38, 39),
    "cerebellar white matter": (40, 41),
    "hippocampus": (47, 48),
    "lateral ventricle": (51, 52),
    "pallidum": (55, 56),
    "putamen": (57, 58),
    "thalamus": (59, 60),
    "ventral diencephalon": (61, 62),
    "frontal white matter": (81, 82),
    "occipital white matter": (83, 84),
    "parietal white matter": (85, 86),
    "temporal white matter": (87, 88),
    "superior frontal gyrus": (190, 191),
    "superior temporal gyrus": (200, 201),
}
SIDES = ("right", "left")
LPS = np.array([-1.0, -1.0, 1.0])  # NIfTI's x runs to the right and y to the front; ours do not


@dataclass(frozen=True)
class Subject:
    """A brain, and where structures lie in it: z, y, x in mm of the patient, by name."""

    scan: Path
    name: str
    middles: dict[str, np.ndarray]


def read_structures(data: Path, pairs: int = len(PAIRS)) -> list[Subject]:
    """Read the first so many pairs of structures of all subjects, from the folder of IXI."""
    found = []
    for scan in sorted((data / "nifti").glob("*.nii.gz")):
        name = scan.name.partition("-T1")[0]
        (path,) = (data / "dlmuse").glob(f"{name}*.nii.gz")
        marks = nibabel.load(path)
        values = np.asarray(marks.dataobj).astype(int)
        middles = {}
        for structure, regions in list(PAIRS.items())[:pairs]:
            for side, region in zip(SIDES, regions, strict=True):
                at = apply_affine(marks.affine, np.argwhere(values == region).mean(0)) * LPS
                middles[f"{structure} {side}"] = at[::-1]
        found.append(Subject(scan, name, middles))
    return found
