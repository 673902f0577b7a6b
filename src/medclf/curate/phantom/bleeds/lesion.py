"""Bleeds and what looks like them, as bodies of balls in a row, drawn with exact partial volume.

A microbleed is one ball, a little stretched; a vein is a bent row of balls that touch; a
calcification a clump of grains. The share of each voxel is counted on samples within it, and then
blurred by the point spread of the scanner, cut off where it falls below a thousandth.

Source: Greenberg et al. Cerebral microbleeds: a guide to detection and interpretation. Lancet
Neurology 2009, for shapes, sizes of 2 to 10 mm, and mimics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from medclf.curate.phantom.shapes import Array

SMALLEST_MM, LARGEST_MM = 2.0, 10.0
SUB = 4
"""Samples within a voxel along each axis."""

FAINT = 1e-3
REACH = 3.0
"""Standard deviations of the point spread beyond the body that are drawn."""


@dataclass(frozen=True)
class Shape:
    """A body about the origin.

    Args:
        kind: "bleed", "vein" or "calcification".
        centres: (N, 3) of its balls, along the axes of the array, in mm.
        radii: (N,) in mm.
        stretch: (3,) by which all is stretched along the axes; of product 1.
    """

    kind: str
    centres: Array
    radii: Array
    stretch: Array

    @property
    def diameter_mm(self) -> float:
        """Of its thickest ball."""
        return float(2 * self.radii.max())

    @property
    def half_mm(self) -> Array:
        """How far it reaches along each axis."""
        reach = np.abs(self.centres) + self.radii[:, None]
        return np.asarray((reach * self.stretch).max(axis=0))


def draw_bleed(
    rng: np.random.Generator, sizes_mm: tuple[float, float] = (SMALLEST_MM, LARGEST_MM)
) -> Shape:
    """Draw a microbleed; small ones are commoner."""
    smallest, largest = sizes_mm
    size = smallest + (largest - smallest) * rng.beta(1.1, 2.2)
    stretch = np.exp(rng.normal(0, 0.1, 3))
    return Shape("bleed", np.zeros((1, 3)), np.array([size / 2]), stretch / np.cbrt(stretch.prod()))


def draw_vein(rng: np.random.Generator) -> Shape:
    """Draw a bent vein, 10 to 30 mm long."""
    radius, half = rng.uniform(0.6, 1.8), rng.uniform(5, 15)
    way, bend = rng.normal(size=(2, 3))
    way /= np.linalg.norm(way)
    along = np.linspace(-half, half, int(3 * half / radius) + 2)[:, None]
    path = along * way + 0.25 * along**2 / half * np.cross(way, bend)
    return Shape("vein", path, np.full(len(path), radius), np.ones(3))


def draw_calcification(rng: np.random.Generator) -> Shape:
    """Draw a clump of two to five grains."""
    count = int(rng.integers(2, 6))
    radii = rng.uniform(0.8, 2.4, count)
    centres = rng.normal(0, 1.3, (count, 3))
    return Shape("calcification", centres - centres.mean(axis=0), radii, np.ones(3))


DRAW = {"bleed": draw_bleed, "vein": draw_vein, "calcification": draw_calcification}


def fill_voxels(
    shape: Shape, at: Array, spacing_mm: Array, psf_mm: float, space: tuple[int, ...]
) -> tuple[tuple[slice, ...], Array]:
    """Tell which share of each voxel a body fills, after the point spread.

    Args:
        shape: The body.
        at: (3,) its middle, in samples.
        spacing_mm: (3,) distance of the samples.
        psf_mm: Standard deviation of the point spread.
        space: Samples of the volume along each axis.

    Returns:
        The part of the volume that it reaches, and the shares there, 0 to 1.
    """
    reach = shape.half_mm / spacing_mm + REACH * psf_mm / spacing_mm + 1
    low = np.maximum(np.floor(at - reach), 0).astype(int)
    high = np.minimum(np.ceil(at + reach) + 1, space).astype(int)
    sub = (np.arange(SUB) + 0.5) / SUB - 0.5
    edges = [(np.arange(a, b)[:, None] + sub).reshape(-1) for a, b in zip(low, high, strict=True)]
    fine = [
        (edge - middle) * mm / wide
        for edge, middle, mm, wide in zip(edges, at, spacing_mm, shape.stretch, strict=True)
    ]
    inside = np.zeros(tuple(len(edge) for edge in edges), bool)
    for centre, radius in zip(shape.centres, shape.radii, strict=True):
        _fill_ball(inside, fine, centre, float(radius))
    counts = [n for extent in (high - low) for n in (int(extent), SUB)]
    share = inside.reshape(counts).mean((1, 3, 5))
    if psf_mm:
        share = gaussian_filter(share, psf_mm / spacing_mm, mode="constant", truncate=REACH)
    share[share < FAINT] = 0
    part = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return part, np.asarray(share)


def _fill_ball(
    inside: NDArray[np.bool_], places: list[Array], centre: Array, radius: float
) -> None:
    """Mark which samples lie in a ball, looking only at those near it."""
    near = [
        slice(*np.searchsorted(places_on, (middle - radius, middle + radius)))
        for places_on, middle in zip(places, centre, strict=True)
    ]
    off = [(on[cut] - middle) ** 2 for on, cut, middle in zip(places, near, centre, strict=True)]
    z, y, x = np.meshgrid(*off, indexing="ij", sparse=True)
    inside[tuple(near)] |= z + y + x < radius**2
