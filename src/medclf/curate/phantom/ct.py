"""A CT scanner: where its voxels lie, and how it blurs and how its images are grained.

Outlines fill voxels in part along the rays in which they are known, clouds by the volume that they
carry. The scanner blurs within the slice by its kernel and across slices by their thickness. Its
noise is correlated: filtered back-projection lets few slow waves through, the kernel few quick
ones; slices through broad parts of the body, as the shoulders, are noisier.

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
from medclf.curate.phantom.shapes import Array, Shape
from medclf.curate.phantom.tubes import Cloud, splat

Values = NDArray[np.floating[Any]]
Box = tuple[slice, slice, slice]
"""A part of a volume."""


@dataclass(frozen=True)
class Scanner:
    """A CT scanner with its usual protocol; standard deviations.

    Args:
        site: Where it stands.
        blur_mm: Of the kernel, within a slice.
        slice_mm: Thickness of a slice.
        noise_hu: In a slice through a usual part of the body.
    """

    site: str
    blur_mm: float
    slice_mm: float
    noise_hu: float

    @property
    def across_mm(self) -> float:
        """Standard deviation of a box as wide as a slice."""
        return self.slice_mm / 12**0.5


@dataclass(frozen=True)
class Frame:
    """Where the voxels of a scan lie.

    Args:
        start_mm: (z, y, x) of the first.
        shape: How many there are.
        spacing_mm: Their distance along z, y and x.
    """

    start_mm: tuple[float, float, float]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]

    @property
    def places(self) -> tuple[Array, Array, Array]:
        """Places of the voxels along z, y and x, in mm."""
        axes = zip(self.start_mm, self.spacing_mm, self.shape, strict=True)
        z, y, x = (np.asarray(start + mm * np.arange(n), np.float64) for start, mm, n in axes)
        return z, y, x

    @property
    def grid(self) -> Grid:
        return Grid(self.spacing_mm, self.start_mm, np.eye(3))

    def samples(self, mm: float | tuple[float, float, float]) -> tuple[float, ...]:
        """Tell how many samples a length comes to along each axis."""
        lengths = mm if isinstance(mm, tuple) else (mm, mm, mm)
        return tuple(one / step for one, step in zip(lengths, self.spacing_mm, strict=True))

    def holds(self, at_mm: Array) -> bool:
        """Whether a place (z, y, x) lies between the first and the last voxels."""
        return all(axis[0] <= mm <= axis[-1] for axis, mm in zip(self.places, at_mm, strict=True))

    def fill(self, cloud: Cloud) -> Array:
        """Share of each voxel that a cloud fills."""
        places = (cloud.points - self.start_mm) / np.array(self.spacing_mm)
        return splat(places, cloud.volume / np.prod(self.spacing_mm), self.shape).clip(0, 1)

    def cut(self, low_mm: Array, high_mm: Array) -> Box:
        """Cut out the voxels within a box, and one more on each side."""
        box = []
        for axis, low, high in zip(self.places, low_mm, high_mm, strict=True):
            step = axis[1] - axis[0]
            first, last = np.searchsorted(axis, (low - step, high + step))
            box.append(slice(int(first), int(last)))
        z, y, x = box
        return z, y, x

    def covered(self, shape: Shape) -> tuple[Box, NDArray[np.float32]]:
        """Share of each voxel that a shape covers, and the box of voxels about it."""
        z, y, x = self.places
        front, back = shape.stretch(z[:, None], x[None, :])
        rows, columns = (np.flatnonzero((back > front).any(axis=axis)) for axis in (1, 0))
        if not rows.size:
            return (slice(0), slice(0), slice(0)), np.zeros((0, 0, 0), np.float32)
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        hit, step = back[part] > front[part], self.spacing_mm[1]
        ends = front[part][hit].min() - step, back[part][hit].max() + step
        deep = slice(*(int(n) for n in np.searchsorted(y, ends)))
        near, far = (side[part][:, None].astype(np.float32) for side in (front, back))
        at = y[deep, None].astype(np.float32)
        share = (np.minimum(far - at, at - near) / np.float32(step) + 0.5).clip(0, 1)
        share[np.broadcast_to(far <= near, share.shape)] = 0
        return (part[0], deep, part[1]), share

    def cover(self, shapes: Sequence[Shape]) -> NDArray[np.float32]:
        """Share of each voxel that any of some shapes covers."""
        total = np.zeros(self.shape, np.float32)
        for shape in shapes:
            box, share = self.covered(shape)
            np.maximum(total[box], share, out=total[box])
        return total


def mix(hu: Values, matter: Values | float, share: Values) -> None:
    """Put a matter in place of what is there, by its share of each voxel."""
    hu += share * (matter - hu)


def cloudy(frame: Frame, grain_mm: float, rng: np.random.Generator) -> Array:
    """Draw a random volume of unit variance whose grains have a size, in mm."""
    white = rng.standard_normal(frame.shape, np.float32)
    smooth = gaussian_filter(white, frame.samples(grain_mm), truncate=3)
    return np.asarray(smooth / smooth.std())


def expose(hu: Values, frame: Frame, scanner: Scanner, rng: np.random.Generator) -> Image:
    """Scan what is there.

    Args:
        hu: (Z, Y, X) of the body, each voxel the mean of its matter.
        frame: Where the voxels lie.
        scanner: Its kernel, thickness and noise.
        rng: Chance.

    Returns:
        Whole Hounsfield units (1, Z, Y, X), int16, from the feet up, with their place in mm.
    """
    wide = (hu > -400).mean(axis=(1, 2))
    blurred = gaussian_filter(hu, frame.samples((scanner.across_mm, *2 * (scanner.blur_mm,))))
    blurred += scanner.noise_hu * _grain(frame, scanner, rng) * _broad(wide)[:, None, None]
    values: NDArray[np.int16] = np.rint(blurred.clip(-1024, 3071)).astype(np.int16)
    return Image(values[None], frame.grid, "CT", "HU", 12)


def _grain(frame: Frame, scanner: Scanner, rng: np.random.Generator) -> Array:
    """Draw noise of unit variance with the spectrum of a reconstruction."""
    white = rng.standard_normal(frame.shape, np.float32)
    white = gaussian_filter(white, frame.samples((scanner.across_mm, 0.0, 0.0)))
    quick = scanner.blur_mm
    bands = [
        gaussian_filter(white, frame.samples((0.0, wide, wide))) for wide in (quick, 2.5 * quick)
    ]
    noise = bands[0] - 0.85 * bands[1]
    return np.asarray(noise / noise.std())


def _broad(share: Array) -> Array:
    """Tell how much noisier slices are that pass through more tissue."""
    return np.asarray(np.exp(1.5 * (share - np.median(share))).clip(0.6, 2.5))
