"""A cohort of small CT cubes: is what lies in the middle a nodule, or vessels that cross?

The task of false-positive reduction in nodule detection, in miniature: in a single slice crossing
vessels look round, and only their course in three dimensions tells. Cubes hold Hounsfield units of
aerated lung with vessel trees about the candidate, blurred and noisy as the scanner's kernel makes
them, and are written as NIfTI with their spacing. Vessels are the point clouds of the radiographs.

Source: the task, Setio et al. Validation, comparison, and combination of algorithms for automatic
detection of pulmonary nodules in CT: the LUNA16 challenge. Medical Image Analysis 2017.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from medclf.curate.phantom.cohort import Progress, whole_folder
from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.tubes import Cloud, Sprouts, grow_vessels, joined, splat, tube
from medclf.errors import SettingError

LABELS = ("vessel", "nodule")
COLUMNS = ("path", "label", "patient", "age", "sex", "site", "diameter_mm")
BLOOD_HU = 45.0


@dataclass(frozen=True)
class Scanner:
    """A CT scanner with its usual kernel: blur in mm, noise in HU (standard deviations)."""

    site: str
    blur_mm: float
    noise_hu: float


SCANNERS = (Scanner("north", 0.9, 35), Scanner("south", 1.2, 22), Scanner("harbour", 0.7, 55))


@dataclass(frozen=True)
class Cube:
    """Where the voxels lie: `size` along each axis, `spacing_mm` apart, about the middle."""

    size: int
    spacing_mm: float

    @property
    def half_mm(self) -> float:
        return (self.size - 1) / 2 * self.spacing_mm

    @property
    def axes(self) -> tuple[Array, Array, Array]:
        """Places of the voxels along z, y, x in mm, ready to broadcast."""
        along = np.linspace(-self.half_mm, self.half_mm, self.size)
        return along[:, None, None], along[None, :, None], along[None, None, :]

    def fill(self, cloud: Cloud) -> Array:
        """Share of each voxel that a cloud fills."""
        places = (cloud.points + self.half_mm) / self.spacing_mm
        return splat(places, cloud.volume / self.spacing_mm**3, (self.size,) * 3).clip(0, 1)


def make_volumes(
    folder: Path,
    patients: int = 60,
    seed: int = 0,
    size: int = 40,
    spacing_mm: float = 2.0,
    progress: Progress | None = None,
) -> Path:
    """Make a cohort of CT cubes about nodules or crossing vessels, whole or not at all.

    In `folder` come to lie `volumes/*.nii.gz` and `cohort.csv` with one row per cube.

    Args:
        folder: New, or empty.
        patients: How many; one to three cubes each.
        seed: The same seed makes the same bytes.
        size: Voxels along each side, 16 to 128.
        spacing_mm: Distance of neighbouring voxels, 0.5 to 4.
        progress: Called with the patients done and all patients.

    Returns:
        The table, `folder / "cohort.csv"`.

    Raises:
        SettingError: a setting is out of its range.
        CohortError: the folder is not empty, or cannot be written.
    """
    if patients < 1 or not 16 <= size <= 128 or not 0.5 <= spacing_mm <= 4 or seed < 0:
        raise SettingError(
            "phantom volumes: 1 patient or more, size 16 to 128, spacing 0.5 to 4 mm and a seed "
            f"from 0 wanted, not {patients} patients, size {size}, {spacing_mm} mm, seed {seed}"
        )
    cube = Cube(size, spacing_mm)
    rows: list[tuple[object, ...]] = []
    with whole_folder(folder) as unfinished:
        (unfinished / "volumes").mkdir()
        for number in range(patients):
            rows.extend(_patient(number, seed, cube, unfinished))
            if progress is not None:
                progress(number + 1, patients)
        with (unfinished / "cohort.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    return folder / "cohort.csv"


def _patient(number: int, seed: int, cube: Cube, folder: Path) -> list[tuple[object, ...]]:
    """Write the cubes of one patient and tell their rows of the table."""
    rng = np.random.default_rng((seed, number, 2))
    age, sex = int(np.clip(rng.normal(62, 12), 25, 90)), "FM"[int(rng.integers(2))]
    scanner = SCANNERS[int(rng.integers(len(SCANNERS)))]
    name = f"P{number + 1:04d}"
    rows: list[tuple[object, ...]] = []
    for candidate in range(1, 1 + int(rng.integers(1, 4))):
        nodule = bool(rng.random() < 0.5)
        diameter = round(float(rng.uniform(6, 16) if nodule else rng.uniform(4, 9)), 1)
        values = draw_cube(nodule, diameter, cube, scanner, rng)
        path = f"volumes/{name}-{candidate}.nii.gz"
        _write_nifti(folder / path, values, cube.spacing_mm)
        rows.append((path, LABELS[nodule], name, age, sex, scanner.site, diameter))
    return rows


def draw_cube(
    nodule: bool, diameter_mm: float, cube: Cube, scanner: Scanner, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Draw one cube.

    Args:
        nodule: Whether a nodule, else crossing vessels, lies in the middle.
        diameter_mm: Of the nodule, or of the vessels.
        cube: Size and spacing.
        scanner: Its blur and noise.
        rng: Chance.

    Returns:
        (size, size, size) Hounsfield units, z first.
    """
    middle = rng.normal(0, 1.5, 3)
    filled = cube.fill(_tree(cube, rng))
    if nodule:
        filled = np.maximum(filled, _ball(middle, diameter_mm / 2, cube, rng))
    else:
        filled = np.maximum(filled, cube.fill(_crossing(middle, diameter_mm / 2, cube, rng)))
    grain = gaussian_filter(rng.normal(size=filled.shape), 1.5)
    air = rng.normal(-860, 25) + 18 * grain / grain.std()
    sharp = air + (BLOOD_HU - air) * filled
    blurred = gaussian_filter(sharp, scanner.blur_mm / cube.spacing_mm)
    noise = gaussian_filter(rng.normal(size=filled.shape), 0.5)
    noisy = blurred + scanner.noise_hu * noise / noise.std()
    return np.asarray(np.rint(noisy.clip(-1024, 3071)), np.int16)


def _tree(cube: Cube, rng: np.random.Generator) -> Cloud:
    """Grow vessels through the cube, from one side of it, wherever they lead."""
    toward = rng.normal(size=3)
    toward /= np.linalg.norm(toward)
    count = 6
    spread = rng.uniform(-cube.half_mm, cube.half_mm, (count, 3))
    starts = spread - toward * (spread @ toward + cube.half_mm)[:, None]
    forward = toward + rng.normal(0, 0.35, (count, 3))
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    roots = Sprouts(starts, forward)
    return joined(grow_vessels(roots, rng, radius=1.9, generations=5, step=cube.spacing_mm / 2))


def _crossing(middle: Array, radius: float, cube: Cube, rng: np.random.Generator) -> Cloud:
    """Lead two bent vessels through the middle, at a wide angle to each other."""
    first = rng.normal(size=3)
    first /= np.linalg.norm(first)
    second = np.cross(first, rng.normal(size=3))
    second = second / np.linalg.norm(second) + rng.uniform(-0.5, 0.5) * first
    along = np.linspace(-1.8, 1.8, 40)[:, None] * cube.half_mm
    rods = []
    for forward, share in ((first, 1.0), (second, rng.uniform(0.6, 1.0))):
        bend = np.cross(forward, rng.normal(size=3)) * rng.uniform(0.1, 0.5) / cube.half_mm
        path = middle + along * forward + along**2 * bend
        rods.append(tube(path, (radius * share, radius * share), cube.spacing_mm / 2.5))
    return joined(rods)


def _ball(middle: Array, radius: float, cube: Cube, rng: np.random.Generator) -> Array:
    """Share of each voxel within a nodule: a ball, a little lobed."""
    z, y, x = (axis - place for axis, place in zip(cube.axes, middle, strict=True))
    reach = np.sqrt(z**2 + y**2 + x**2)
    lobes = np.zeros_like(reach)
    for _ in range(3):
        waves = rng.normal(0, 1.6, 3)
        angle = (waves[0] * z + waves[1] * y + waves[2] * x) / np.maximum(reach, 0.1)
        lobes += 0.06 * np.sin(angle + rng.uniform(0, 2 * np.pi))
    return np.asarray(((radius * (1 + lobes) - reach) / cube.spacing_mm + 0.5).clip(0, 1))


def _write_nifti(path: Path, values: NDArray[np.int16], spacing_mm: float) -> None:
    """Write a cube: NIfTI counts x first, and its frame points right to left and back to front."""
    affine = np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0])
    untyped: Any = nib
    image = untyped.Nifti1Image(values.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm", "sec")
    untyped.save(image, path)
