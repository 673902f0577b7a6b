"""A chest in Hounsfield units: tissues by the share of each voxel, from outside to inside.

Outlines fill voxels along the rays in which they are known, trees by the volume that they carry,
lesions by supersampling.
"""

from collections.abc import Sequence

import numpy as np

from medclf.core.image import Image
from medclf.curate.phantom.chest.anatomy import Anatomy
from medclf.curate.phantom.chest.lesion import Lesion, draw_into
from medclf.curate.phantom.chest.tree import fill_cloud
from medclf.curate.phantom.ct import Frame, Scanner, cloudy, expose, mix
from medclf.curate.phantom.shapes import Array

MARGIN_MM = 12.0
BLOOD_HU, WALL_HU, AIR_HU, BONE_HU = 42.0, 20.0, -985.0, 900.0

RIBS_OUT = np.diag([1, 1.06, 1.06])
"""Brings the ribs into the wall; radiographs have them at its border."""

SCANNERS = (
    Scanner("north", 0.6, 1.25, 35),
    Scanner("south", 0.8, 2.0, 22),
    Scanner("harbour", 0.5, 1.0, 55),
)


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
    return Frame((low_z, low_y, low_x), (z, y, x), (spacing_mm,) * 3)


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
    cloud = cloudy(frame, 3.0, rng)
    for lesion in lesions:
        draw_into(hu, frame.places, lesion, cloud)
    return expose(hu, frame, scanner, rng)


def _tissues(anatomy: Anatomy, frame: Frame, rng: np.random.Generator) -> Array:
    """Fill the voxels with tissues, one after the other, from outside to inside."""
    body, step = anatomy.body, 0.6 * frame.spacing_mm[0]
    trunk, lungs = frame.cover(body.wall), frame.cover(body.lungs)
    organs = frame.cover((*body.heart, *body.between, *body.domes, body.spine))
    flesh = np.where(organs > 0.5, 38, 45 - 130 * (cloudy(frame, 7.0, rng) > 0.4))
    hu = -1000 + trunk * (1000 + flesh.astype(np.float32))
    depth = frame.places[1][:, None] - frame.places[1].mean()
    air = rng.normal(-865, 20) + 0.35 * depth + 22 * cloudy(frame, 4.0, rng)
    mix(hu, air, lungs * (1 - organs))
    mix(hu, WALL_HU, frame.fill(fill_cloud(anatomy.airways, step)))
    lumen = anatomy.airways.beside(np.zeros(3), 0.72, 0)
    mix(hu, AIR_HU, frame.fill(fill_cloud(lumen, step)))
    for tree in (anatomy.veins, anatomy.arteries):
        mix(hu, BLOOD_HU, frame.fill(fill_cloud(tree, step)))
    mix(hu, AIR_HU, frame.cover((*body.airways, body.stomach)))
    bone = frame.fill(body.bone.moved(RIBS_OUT))
    hu += (BONE_HU * bone * (1 - lungs * (1 - organs))).astype(np.float32)
    return np.asarray(hu)
