"""A knee as the beam meets it: bones in their places, with the signs of osteoarthritis, and flesh.

The cartilage is not seen but by the room that it keeps between the bones. Where it is worn, the
thigh bone sinks on that side, spurs grow from the margins, and the bone beneath the surfaces
becomes dense. The beam runs from front to back. Tissue attenuates as at about 60 keV.

Source of the signs: Kellgren, Lawrence. Radiological Assessment of Osteo-Arthrosis. Annals of the
Rheumatic Diseases 1957. Altman, Gold. Atlas of Individual Radiographic Features in Osteoarthritis.
Osteoarthritis and Cartilage 2007.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from medclf.curate.phantom.knee import bones
from medclf.curate.phantom.knee.bones import Part, Shade
from medclf.curate.phantom.screen import Screen, smooth_noise
from medclf.curate.phantom.shapes import Array, column, turning

Place = tuple[float, float, float]
MEDIAL_MM, LATERAL_MM = -22.5, 22.7  # where the condyles bear
MUSCLE_PER_MM, FAT_PER_MM = 0.0205, 0.0170
COMPACT_PER_MM, SPONGY_PER_MM = 0.042, 0.0105
LEG = (
    (150, 8, -2, 74, 78),
    (60, 3, -1, 61, 65),
    (25, 0, 0, 57, 61),
    (0, 0, 0, 55, 57),
    (-30, 6, 0, 54, 57),
    (-150, 14, 2, 60, 64),
)
RISE_MM = 2.5  # of the plateau toward its spines
MARGINS: tuple[
    tuple[Place, Place], ...
] = (  # root and direction of the spurs: tibia inner and outer, femur inner and outer
    ((-2.5, 2, -36.5), (0.25, 0, -1)),
    ((-2.5, 2, 37.3), (0.25, 0, 1)),
    ((6.5, 4, -37.0), (-0.35, 0, -1)),
    ((6.5, 4, 36.5), (-0.35, 0, 1)),
)


@dataclass(frozen=True)
class Signs:
    """What a radiograph is graded by.

    Args:
        gap_mm: Room between the bones, at the inner and at the outer side.
        spurs_mm: Length of the osteophytes: tibia inner and outer, femur inner and outer.
        sclerosis: How dense the bone beneath the surfaces is, inner and outer, 0 to 1.
        wear_mm: How far the plateau has sunk, inner and outer.
    """

    gap_mm: tuple[float, float]
    spurs_mm: tuple[float, float, float, float]
    sclerosis: tuple[float, float]
    wear_mm: tuple[float, float]


@dataclass(frozen=True)
class Build:
    """What differs between knees, ill or not.

    Args:
        size: As a multiple of the reference.
        flesh: Girth of the leg, as a multiple of the reference.
        fat_mm: Fat beneath the skin.
        bone: Density of bone, as a multiple of the reference.
        yaw: How far the leg is turned outward, in radians.
        spines_mm: Height of the spines of the tibia.
        hollow_mm: How far the inner plateau is hollowed.
        patella_mm: How far (up, outward) the knee cap lies of its usual place.
        plate_mm: Depth in which the surfaces of the joint look dense: more where the beam meets
            them obliquely.
    """

    size: float
    flesh: float
    fat_mm: float
    bone: float
    yaw: float
    spines_mm: float
    hollow_mm: float
    patella_mm: tuple[float, float]
    plate_mm: float


def project_knee(
    signs: Signs, build: Build, side: int, lean: float, screen: Screen, rng: np.random.Generator
) -> Array:
    """Sum the attenuation along every ray.

    Args:
        signs: Of osteoarthritis.
        build: Of the leg.
        side: 1 for a left knee, -1 for a right one.
        lean: Of the leg in the picture, in radians.
        screen: Where the rays end; pixels below half a millimetre draw the trabeculae well.
        rng: Chance of the textures.

    Returns:
        (pixels, pixels) of -log(what is let through).
    """
    height, across = np.broadcast_arrays(*screen.axes)
    z = (np.cos(lean) * height - np.sin(lean) * across) / build.size
    x = side * (np.sin(lean) * height + np.cos(lean) * across) / build.size
    shades = [_tibia(signs, build, z, x), _femur(signs, build, z, x), *_others(build, z, x)]
    compact, spongy = (np.sum(kind, axis=0) for kind in zip(*shades, strict=True))
    spongy = spongy * (1 + _trabeculae(screen, rng))
    bone = build.bone * (COMPACT_PER_MM * compact + SPONGY_PER_MM * spongy)
    grain = 1 + 0.012 * smooth_noise(screen, 5, rng) + 0.012 * smooth_noise(screen, 1.5, rng)
    return np.asarray(build.size * (bone + grain * _flesh(build, z, x)))


def _tibia(signs: Signs, build: Build, z: Array, x: Array) -> Shade:
    """Place the shin bone, and hollow its plateau."""
    inner, outer = _near(x, MEDIAL_MM), _near(x, LATERAL_MM)
    hollow = (build.hollow_mm + signs.wear_mm[0]) * inner + signs.wear_mm[1] * outer
    z = z + (hollow - RISE_MM * np.exp(-((x / 8) ** 2))) * np.clip(1 + z / 25, 0, 1)
    parts = _turned([*bones.tibia(build.spines_mm), *_spurs(signs, 0)], build)
    below = bones.end(bones.SHAFT_OF_TIBIA, x, upper=True) - z
    return _hardened(bones.shade(parts, z, x), below, x, signs, build)


def _femur(signs: Signs, build: Build, z: Array, x: Array) -> Shade:
    """Lay the thigh bone upon the room that is left at either side, which makes it lean."""
    inner = signs.gap_mm[0] - build.hollow_mm - signs.wear_mm[0]
    outer = signs.gap_mm[1] - signs.wear_mm[1]
    slope = (outer - inner) / (LATERAL_MM - MEDIAL_MM)
    z, x = z - inner - slope * (x - MEDIAL_MM), x + slope * z
    parts = _turned([*bones.femur(), *_spurs(signs, 2)], build)
    medial, lateral = bones.MEDIAL_CONDYLE, bones.LATERAL_CONDYLE
    above = z - np.where(x < 0, bones.end(medial, x), bones.end(lateral, x))
    return _hardened(bones.shade(parts, z, x), above, x, signs, build)


def _others(build: Build, z: Array, x: Array) -> list[Shade]:
    """Place the calf bone and the knee cap, which is thin and of loose bone."""
    up, out = build.patella_mm
    cap = bones.shade(_turned(bones.patella(), build), z - up, x - out)
    return [
        bones.shade(_turned(bones.fibula(), build), z, x),
        Shade(cap.compact, 0.55 * cap.spongy),
    ]


def _spurs(signs: Signs, first: int) -> list[Part]:
    """Grow the two spurs of a bone, where there are any."""
    both = list(zip(MARGINS, signs.spurs_mm, strict=True))[first : first + 2]
    spurs = [bones.spur(root, along, length) for (root, along), length in both if length]
    return [part for spur in spurs for part in spur]


def _turned(parts: Sequence[Part], build: Build) -> list[Part]:
    turn = turning(0, build.yaw, 0)
    return [part.moved(turn) for part in parts]


def _hardened(shade: Shade, depth: Array, x: Array, signs: Signs, build: Build) -> Shade:
    """Make bone compact beneath the surface of the joint, and farther down where it is ill."""
    share = 0.13 * np.exp(-((depth / build.plate_mm) ** 2)) * (1 - 0.8 * np.exp(-((x / 11) ** 4)))
    for place, dense in zip((MEDIAL_MM, LATERAL_MM), signs.sclerosis, strict=True):
        deep = 3.0 + 6.0 * dense
        share = share + 0.62 * dense * _near(x, place) * np.exp(
            -((np.maximum(depth, 0) / deep) ** 2)
        )
    return Shade(shade.compact + share * shade.spongy, (1 - share) * shade.spongy)


def _near(x: Array, place: float) -> Array:
    """Tell what lies at one side of the joint: 1 in its middle, 0 far from it."""
    return np.asarray(np.exp(-(((x - place) / 12.5) ** 4)))


def _trabeculae(screen: Screen, rng: np.random.Generator) -> Array:
    """Draw the beams of spongy bone: upright, fine, and denser here and there."""
    drawing = 0.025 * smooth_noise(screen, 4, rng)
    for strength, high_mm, wide_mm in ((0.095, 1.6, 0.32), (0.05, 0.35, 0.3)):
        grain = np.array([high_mm, wide_mm]) / screen.pixel_mm
        noise = gaussian_filter(rng.normal(size=drawing.shape), grain)
        drawing += strength * noise / noise.std()
    return drawing


def _flesh(build: Build, z: Array, x: Array) -> Array:
    """Attenuation of muscle within fat, the bones counted as flesh too."""
    leg = column(LEG).moved(np.diag([1, build.flesh, build.flesh]))
    whole = leg.stretch(z, x).thickness
    thin = np.diag([1, 1 - build.fat_mm / 60, 1 - build.fat_mm / 60])
    muscle = leg.moved(thin).stretch(z, x).thickness
    return FAT_PER_MM * (whole - muscle) + MUSCLE_PER_MM * muscle
