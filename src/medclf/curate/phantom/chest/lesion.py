"""Nodules of several kinds, and scars: shapes with densities, drawn into voxels by supersampling.

A nodule is a lobed ball. Solid ones are soft tissue throughout; ground glass is a veil between lung
and tissue, cloudy, and a part-solid nodule is ground glass about a solid core. One at the wall is
cut by it, one at a vessel has the vessel run into it. A scar is a flat or long body without lobes.

Source: the kinds, MacMahon et al. Guidelines for Management of Incidental Pulmonary Nodules
Detected on CT Images: From the Fleischner Society 2017. Radiology 2017.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.shapes import Array

NODULES = ("solid", "part-solid", "ground glass", "at the wall", "at a vessel")
SHARES = (0.35, 0.15, 0.15, 0.15, 0.2)
SMALLEST_MM, LARGEST_MM = 4.0, 12.0
SUB = 3
"""Samples within a voxel along each axis."""


@dataclass(frozen=True)
class Lesion:
    """One thing in a lung that is not of its usual build.

    Args:
        kind: One of `NODULES`, or "scar".
        centre: (z, y, x) in mm.
        axes: (3, 3) half axes as columns, in mm.
        hu: Of its matter.
        core: Radius of a solid core, as a share of the whole; 0 for none.
        waves: (3, 4) of its lobes: direction and phase; empty for none.
    """

    kind: str
    centre: Array
    axes: Array
    hu: float
    core: float
    waves: Array

    @property
    def diameter_mm(self) -> float:
        """Of the ball of the same volume."""
        return float(2 * np.cbrt(abs(np.linalg.det(self.axes))))

    def depth(self, points: Array) -> Array:
        """Tell how deep points (..., 3) lie: 0 in the middle, 1 on the surface."""
        local = (points - self.centre) @ np.linalg.inv(self.axes).T
        reach = np.linalg.norm(local, axis=-1)
        lobes = np.ones_like(reach)
        for wave in self.waves:
            lobes += 0.07 * np.sin(local @ wave[:3] / np.maximum(reach, 0.05) + wave[3])
        return np.asarray(reach / lobes)


def draw_nodule(kind: str, centre: Array, rng: np.random.Generator) -> Lesion:
    """Draw a nodule of a kind about a place; small ones are commoner."""
    size = SMALLEST_MM + (LARGEST_MM - SMALLEST_MM) * rng.beta(1.2, 2.0)
    if kind in ("part-solid", "ground glass"):
        size = max(size, 6.0)
    stretch = np.exp(rng.normal(0, 0.12, 3))
    stretch /= np.cbrt(stretch.prod())
    axes = _turned(rng) * (size / 2 * stretch)
    waves = np.column_stack([rng.normal(0, 1.7, (3, 3)), rng.uniform(0, 2 * np.pi, 3)])
    veil = kind in ("part-solid", "ground glass")
    hu = rng.uniform(-620, -380) if veil else rng.uniform(10, 70)
    core = rng.uniform(0.35, 0.6) if kind == "part-solid" else 0.0
    return Lesion(kind, centre, axes, float(hu), float(core), waves)


def draw_scar(centre: Array, rng: np.random.Generator) -> Lesion:
    """Draw a scar: a band or a strand, thin across, and as bright as a nodule."""
    thin = rng.uniform(1.6, 3.2)
    middle, long = thin * rng.choice((1.0, 3.0)), thin * rng.uniform(2.5, 5)
    axes = _turned(rng) * np.array([thin, middle, long])
    return Lesion("scar", centre, axes, float(rng.uniform(0, 60)), 0.0, np.zeros((0, 4)))


def draw_into(hu: Array, places: tuple[Array, Array, Array], lesion: Lesion, cloud: Array) -> None:
    """Draw a lesion into a volume, in place, each voxel by the share that it fills.

    Args:
        hu: (Z, Y, X).
        places: Of the voxels along each axis, in mm, evenly spaced.
        lesion: What to draw.
        cloud: (Z, Y, X) of unit variance, which makes ground glass uneven.
    """
    half = 1.25 * np.linalg.norm(lesion.axes, axis=1)
    cut, fine = [], []
    for axis, at, reach in zip(places, lesion.centre, half, strict=True):
        step = axis[1] - axis[0]
        near = np.flatnonzero(np.abs(axis - at) <= reach + step)
        if not near.size:
            return
        cut.append(slice(near[0], near[-1] + 1))
        sub = ((np.arange(SUB) + 0.5) / SUB - 0.5) * step
        fine.append((axis[near][:, None] + sub).reshape(-1))
    points = np.stack(np.meshgrid(*fine, indexing="ij"), axis=-1)
    depth = lesion.depth(points)
    here = tuple(cut)
    veil = lesion.hu + 60 * cloud[here] * (lesion.hu < -300)
    hu[here] += _share(depth < 1) * (np.maximum(veil, hu[here]) - hu[here])
    if lesion.core:
        hu[here] += _share(depth < lesion.core) * (30 - hu[here])


def _share(inside: NDArray[np.bool_]) -> Array:
    z, y, x = (n // SUB for n in inside.shape)
    return np.asarray(inside.reshape(z, SUB, y, SUB, x, SUB).mean((1, 3, 5)))


def _turned(rng: np.random.Generator) -> Array:
    """Draw three directions at right angles, as columns, at random."""
    return np.asarray(np.linalg.qr(rng.normal(size=(3, 3)))[0])
