"""From a body to the attenuation of each ray: thicknesses of tissue, one picture each, summed.

Rays are parallel and run from the back to the front, so the picture is as the reader sees it: the
patient's left at the right side. Shapes give their thickness in closed form; clouds of points are
dropped into the pixels. Tissue attenuates as at an effective energy of about 70 keV.
"""

import numpy as np

from medclf.curate.phantom.body import Body
from medclf.curate.phantom.finding import Finding
from medclf.curate.phantom.screen import Screen, smooth_noise
from medclf.curate.phantom.shapes import Array, union_within

SOFT_PER_MM = 0.0185
AERATED = 0.26
COMPACT_BONE_PER_MM = 0.050
SPONGY_BONE_PER_MM = 0.010


def project(
    body: Body, finding: Finding | None, screen: Screen, texture: float, rng: np.random.Generator
) -> Array:
    """Sum the attenuation along every ray.

    Args:
        body: In its stance.
        finding: What it has, in the same stance.
        screen: Where the rays end.
        texture: Strength of the lung's own drawing; 1 is usual.
        rng: Chance of the textures.

    Returns:
        (pixels, pixels) of -log(what is let through).
    """
    z, x = screen.axes
    solids = [part.stretch(z, x) for part in body.solids]
    soft = _together([part.stretch(z, x).thickness for part in body.wall])
    soft = soft * (1 + 0.008 * smooth_noise(screen, 6, rng))
    drawing = 1 + 0.03 * texture * smooth_noise(screen, 2.2, rng)
    drawing += 0.03 * texture * smooth_noise(screen, 7, rng)
    lungs = np.zeros_like(soft)
    filled = np.zeros_like(soft)
    for side, lung in enumerate(body.lungs):
        outline = lung.stretch(z, x)
        lungs += outline.thickness - union_within(outline, solids)
        if finding is not None and finding.lung == side:
            filled += finding.within(outline, solids, screen)
    # Vessels and findings take the place of air, whose share they bring in addition.
    blood = screen.drop(body.vessels)
    air = lungs * (1 - AERATED * drawing) - (1 - AERATED) * (blood + filled)
    for part in (*body.airways, body.stomach):
        air = air + part.stretch(z, x).thickness
    spine = _spine(body, z, x)
    density = SOFT_PER_MM * np.maximum(soft - air, 0)
    return density + COMPACT_BONE_PER_MM * screen.drop(body.bone) + SPONGY_BONE_PER_MM * spine


def _together(thicknesses: list[Array]) -> Array:
    """Join overlapping parts of the wall: trunk and shoulders smoothly, the chest's on top."""
    trunk, right, left, *chest = thicknesses
    joint = np.sqrt(np.sqrt(sum(np.square(part**2) for part in (trunk, right, left))))
    return np.asarray(joint + 0.55 * sum(chest))


def _spine(body: Body, z: Array, x: Array) -> Array:
    """Vertebral bodies, with their end plates dense and the discs between them not of bone."""
    across = body.spine.stretch(z, x).thickness
    waist = np.interp(z, body.spine.centres[:, 0], body.spine.half_width)
    wide = (waist - body.spine.half_width.min()) / np.ptp(body.spine.half_width)
    return np.asarray(across * (1 - 0.55 * np.clip(3 * wide - 2.2, 0, 1)))
