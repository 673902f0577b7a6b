"""From a chest to Hounsfield units: tissues by the share of each voxel, blur, and grain.

Outlines fill voxels in part along the rays in which they are known, trees by the volume that they
carry, lesions by supersampling. The scanner blurs within the slice by its kernel and across slices
by their thickness. Its noise is correlated: filtered back-projection lets few slow waves through,
the kernel few quick ones; slices through broad parts of the body, as the shoulders, are noisier.

Source: for the spectrum of the noise, Riederer, Pelc, Chesler. The Noise Power Spectrum in Computed
X-ray Tomography. Physics in Medicine and Biology 1978.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.curate.phantom.chest.anatomy import Anatomy
from medclf.curate.phantom.chest.lesion import Lesion, draw_into
from medclf.curate.phantom.chest.tree import fill_cloud
from medclf.curate.phantom.shapes import Array, Shape
from medclf.curate.phantom.tubes import Cloud, splat

Values = NDArray[np.floating[Any]]

MARGIN_MM = 12.0
BLOOD_HU, WALL_HU, AIR_HU, BONE_HU = 42.0, 20.0, -985.0, 900.0

RIBS_OUT = np.diag([1, 1.06, 1.06])
"""Brings the ribs into the wall; radiographs have them at its border."""


@dataclass(frozen=True)
class Scanner:
    """A CT scanner with its usual protocol; standard deviations.

    Args:
        site: Where it stands.
        blur_mm: Of the kernel, within a slice.
        slice_mm: Thickness of a slice.
        noise_hu: In a slice through the middle of a usual chest.
    """

    site: str
    blur_mm: float
    slice_mm: float
    noise_hu: float


SCANNERS = (
    Scanner("north", 0.6, 1.25, 35),
    Scanner("south", 0.8, 2.0, 22),
    Scanner("harbour", 0.5, 1.0, 55),
)


@dataclass(frozen=True)
class Frame:
    """Where the voxels of a scan lie.

    Args:
        start_mm: (z, y, x) of the first.
        shape: How many there are.
        spacing_mm: Their distance along every axis.
    """

    start_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    spacing_mm: float

    @property
    def places(self) -> tuple[Array, Array, Array]:
        """Places of the voxels along z, y and x, in mm."""
        pairs = zip(self.start_mm, self.shape, strict=True)
        z, y, x = (
            np.asarray(start + self.spacing_mm * np.arange(n), np.float64) for start, n in pairs
        )
        return z, y, x

    def fill(self, cloud: Cloud) -> Array:
        """Share of each voxel that a cloud fills."""
        places = (cloud.points - self.start_mm) / self.spacing_mm
        return splat(places, cloud.volume / self.spacing_mm**3, self.shape).clip(0, 1)

    def cover(self, shapes: Sequence[Shape]) -> NDArray[np.float32]:
        """Share of each voxel that any of some shapes covers."""
        z, y, x = self.places
        total = np.zeros(self.shape, np.float32)
        for shape in shapes:
            front, back = shape.stretch(z[:, None], x[None, :])
            rows = np.flatnonzero((back > front).any(axis=1))
            if not rows.size:
                continue
            part = slice(rows[0], rows[-1] + 1)
            near, far = (side[part, None].astype(np.float32) for side in (front, back))
            at = y[:, None].astype(np.float32)
            share = (np.minimum(far - at, at - near) / np.float32(self.spacing_mm) + 0.5).clip(0, 1)
            share[np.broadcast_to(far <= near, share.shape)] = 0
            np.maximum(total[part], share, out=total[part])
        return total


def frame_lungs(anatomy: Anatomy, spacing_mm: float) -> Frame:
    """Lay a frame about both lungs, as a technician plans a scan."""
    lows, highs = [], []
    for lung in anatomy.body.lungs:
        half = np.column_stack([0 * lung.half_width, lung.half_depth, lung.half_width])
        lows.append((lung.centres - half).min(axis=0))
        highs.append((lung.centres + half).max(axis=0))
    start, stop = np.min(lows, axis=0) - MARGIN_MM, np.max(highs, axis=0) + MARGIN_MM
    deepest = min(float(dome.centre[0]) for dome in anatomy.body.domes)
    start[0] = max(start[0], deepest)
    z, y, x = (int(np.ceil(mm / spacing_mm)) + 1 for mm in stop - start)
    low_z, low_y, low_x = (round(float(mm), 2) for mm in start)
    return Frame((low_z, low_y, low_x), (z, y, x), spacing_mm)


def scan(
    anatomy: Anatomy,
    lesions: Sequence[Lesion],
    frame: Frame,
    scanner: Scanner,
    rng: np.random.Generator,
) -> Image:
    """Scan a chest.

    Returns:
        Whole Hounsfield units (1, Z, Y, X), int16, from the feet up, with their place in mm.
    """
    hu = _tissues(anatomy, frame, rng)
    cloud = _cloud(frame, 3.0, rng)
    for lesion in lesions:
        draw_into(hu, frame.places, lesion, cloud)
    wide = (hu > -400).mean(axis=(1, 2))
    within = scanner.blur_mm / frame.spacing_mm
    across = scanner.slice_mm / 12**0.5 / frame.spacing_mm
    hu = gaussian_filter(hu, (across, within, within))
    hu += scanner.noise_hu * _grain(frame, scanner, rng) * _broad(wide)[:, None, None]
    values: NDArray[np.int16] = np.rint(hu.clip(-1024, 3071)).astype(np.int16)
    grid = Grid((frame.spacing_mm,) * 3, frame.start_mm, np.eye(3))
    return Image(values[None], grid, "CT", "HU", bits=12)


def _tissues(anatomy: Anatomy, frame: Frame, rng: np.random.Generator) -> Array:
    """Fill the voxels with tissues, one after the other, from outside to inside."""
    body = anatomy.body
    trunk, lungs = frame.cover(body.wall), frame.cover(body.lungs)
    organs = frame.cover((*body.heart, *body.between, *body.domes, body.spine))
    flesh = np.where(organs > 0.5, 38, 45 - 130 * (_cloud(frame, 7.0, rng) > 0.4))
    hu = -1000 + trunk * (1000 + flesh.astype(np.float32))
    depth = frame.places[1][:, None] - frame.places[1].mean()
    air = rng.normal(-865, 20) + 0.35 * depth + 22 * _cloud(frame, 4.0, rng)
    _mix(hu, air, lungs * (1 - organs))
    _mix(hu, WALL_HU, frame.fill(fill_cloud(anatomy.airways, 0.6 * frame.spacing_mm)))
    lumen = anatomy.airways.beside(np.zeros(3), 0.72, 0)
    _mix(hu, AIR_HU, frame.fill(fill_cloud(lumen, 0.6 * frame.spacing_mm)))
    for tree in (anatomy.veins, anatomy.arteries):
        _mix(hu, BLOOD_HU, frame.fill(fill_cloud(tree, 0.6 * frame.spacing_mm)))
    _mix(hu, AIR_HU, frame.cover((*body.airways, body.stomach)))
    bone = frame.fill(body.bone.moved(RIBS_OUT))
    hu += (BONE_HU * bone * (1 - lungs * (1 - organs))).astype(np.float32)
    return np.asarray(hu)


def _mix(hu: Values, matter: Values | float, share: Values) -> None:
    hu += share * (matter - hu)


def _cloud(frame: Frame, grain_mm: float, rng: np.random.Generator) -> Array:
    """Draw a random volume of unit variance whose grains have a size, in mm."""
    white = rng.standard_normal(frame.shape, np.float32)
    smooth = gaussian_filter(white, grain_mm / frame.spacing_mm, truncate=3)
    return np.asarray(smooth / smooth.std())


def _grain(frame: Frame, scanner: Scanner, rng: np.random.Generator) -> Array:
    """Draw noise of unit variance with the spectrum of a reconstruction."""
    white = rng.standard_normal(frame.shape, np.float32)
    white = gaussian_filter(white, (scanner.slice_mm / 12**0.5 / frame.spacing_mm, 0, 0))
    quick = scanner.blur_mm / frame.spacing_mm
    bands = [gaussian_filter(white, (0, wide, wide)) for wide in (quick, 2.5 * quick)]
    noise = bands[0] - 0.85 * bands[1]
    return np.asarray(noise / noise.std())


def _broad(share: Array) -> Array:
    """Tell how much noisier slices are that pass through more tissue."""
    return np.asarray(np.exp(1.5 * (share - np.median(share))).clip(0.6, 2.5))
