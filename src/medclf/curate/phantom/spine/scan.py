"""A spine in Hounsfield units, as a scanner sees it, and its map of labels.

The body is laid shape over shape, then discs, bones and metal by their distances; the scanner blurs
and adds its noise. Bones know how old they are: the spongy inside grows thinner by the year.

Source: for the density by age, Pickhardt et al. Opportunistic Screening for Osteoporosis Using
Abdominal Computed Tomography Scans Obtained for Other Indications. Annals of Internal Medicine
2013, and Jang et al. Opportunistic Osteoporosis Screening at Routine Abdominal and Thoracic CT:
Normative L1 Trabecular Attenuation Values in More than 20 000 Adults. Radiology 2019.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from medclf.core.image import Image
from medclf.curate.phantom.ct import Box, Frame, Scanner, cloudy, expose, mix
from medclf.curate.phantom.shapes import Array, Shape
from medclf.curate.phantom.spine.levels import NUMBERS
from medclf.curate.phantom.spine.metal import lay_metal, streaks
from medclf.curate.phantom.spine.patient import Spine
from medclf.curate.phantom.spine.trunk import FAT, MUSCLE, TABLE_MM, Trunk, build_trunk
from medclf.curate.phantom.spine.vertebra import Bone, Local, body_distance, distances, extent

SCANNERS = (
    Scanner("north", 0.6, 1.5, 24),
    Scanner("south", 0.85, 3.0, 14),
    Scanner("harbour", 0.7, 2.0, 34),
)
COMPACT_HU = 1150.0


@dataclass(frozen=True)
class Scan:
    """A scan with its truth.

    Args:
        image: In HU.
        labels: (Z, Y, X) of the same voxels: a number of `levels.NUMBERS`, or 0.
    """

    image: Image
    labels: NDArray[np.uint8]


def scan(spine: Spine, frame: Frame, scanner: Scanner, rng: np.random.Generator) -> Scan:
    """Scan a spine and what lies about it."""
    trunk = build_trunk(spine, rng, 0.6 * min(frame.spacing_mm))
    hu = _flesh(trunk, frame, rng)
    labels = np.zeros(frame.shape, np.uint8)
    for upper, lower, disc, worn in zip(
        spine.bones, spine.bones[1:], spine.discs, spine.worn, strict=False
    ):
        _lay_disc(hu, frame, _between(upper, lower, disc), float(worn))
    spongy = 228 - 1.9 * (spine.person.age_years - 30) + rng.normal(0, 22)
    for bone in spine.bones:
        matter = float(np.clip(spongy + rng.normal(0, 8) + 60 * bone.broken, 55, 300))
        _lay_bone(hu, labels, frame, bone, matter, rng)
    metal = lay_metal(hu, frame, spine, rng)
    hu += streaks(metal, frame, rng)
    return Scan(expose(hu, frame, scanner, rng), labels)


def _flesh(trunk: Trunk, frame: Frame, rng: np.random.Generator) -> NDArray[np.float32]:
    """Lay the body without its spine, from outside to inside, on its table."""
    hu = np.full(frame.shape, -1000, np.float32)
    y = frame.places[1]
    back = float((trunk.skin.centres[:, 1] + trunk.skin.half_depth).max()) + TABLE_MM[0]
    hu[:, (y > back) & (y < back + TABLE_MM[1])] = -880
    hu[:, np.abs(y - back) < 2] = -350
    cloud = cloudy(frame, 5.0, rng).astype(np.float32)
    _lay(hu, frame, trunk.skin, FAT)
    for hull, limit, more, less in (
        (trunk.flesh, -1.3, MUSCLE, -50),
        (trunk.belly, 0.35, 38, FAT),
    ):
        box, share = frame.covered(hull)
        mix(hu[box], np.where(cloud[box] > limit, more, less).astype(np.float32), share)
    for shape, matter in trunk.parts:
        _lay(hu, frame, shape, matter)
    ribs = frame.fill(trunk.ribs)
    hu += (ribs * (900 - hu)).astype(np.float32)
    hu += 9 * cloud * (hu > -200)
    return hu


def _lay(hu: NDArray[np.float32], frame: Frame, shape: Shape, matter: float) -> None:
    box, share = frame.covered(shape)
    mix(hu[box], matter, share)


def _lay_disc(hu: NDArray[np.float32], frame: Frame, disc: Bone, worn: float) -> None:
    """Lay a disc, from plate to plate; in much worn ones is gas."""
    box, at = _about(frame, disc, extent(disc, arch=False))
    wall = body_distance(disc, at)
    mix(hu[box], 82 + 25 * worn, _share(wall, frame))
    if worn > 0.8:
        flat = np.abs(at.up) - 0.12 * np.float32(disc.size.height)
        mix(hu[box], -450, _share(np.maximum(wall + 7, flat), frame))


def _lay_bone(
    hu: NDArray[np.float32],
    labels: NDArray[np.uint8],
    frame: Frame,
    bone: Bone,
    spongy: float,
    rng: np.random.Generator,
) -> None:
    """Lay a vertebra: compact bone about a spongy inside with a grain."""
    box, at = _about(frame, bone, extent(bone))
    if not hu[box].size:
        return
    outer, inner = distances(bone, at)
    grain = gaussian_filter(rng.standard_normal(outer.shape, np.float32), frame.samples(1.2))
    inside = spongy + 28 * grain / max(float(grain.std()), 1e-6)
    mix(hu[box], COMPACT_HU, _share(outer, frame))
    mix(hu[box], inside, _share(inner, frame))
    if bone.named:
        labels[box][outer < 0] = NUMBERS[bone.name]


def _share(distance: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """Tell the share of a voxel that lies within, by its middle's distance to the surface."""
    return np.asarray((0.5 - distance / np.float32(np.mean(frame.spacing_mm))).clip(0, 1))


def _about(frame: Frame, bone: Bone, reach: tuple[Array, Array]) -> tuple[Box, Local]:
    """Cut out the voxels about a bone, and tell their places in its own frame."""
    corners = np.array(list(product(*zip(*reach, strict=True)))) @ bone.axes.T + bone.centre
    box = frame.cut(corners.min(axis=0), corners.max(axis=0))
    near = [axis[part] - at for axis, part, at in zip(frame.places, box, bone.centre, strict=True)]
    z, y, x = np.ix_(*(axis.astype(np.float32) for axis in near))
    turned = (c[0] * z + c[1] * y + c[2] * x for c in bone.axes.T.astype(np.float32))
    return box, Local(*turned)


def _between(upper: Bone, lower: Bone, disc_mm: float) -> Bone:
    """Make a disc: a body without bone that reaches a little into both of its neighbours."""
    under, over = (
        bone.place(side * bone.size.height / 2 * (1 - bone.front_loss / 2), 0, 0)
        for bone, side in ((upper, -1), (lower, 1))
    )
    axes = upper.axes + lower.axes
    axes = axes / np.linalg.norm(axes, axis=0)
    size = replace(
        upper.size,
        height=disc_mm + 7,
        width=0.49 * (upper.size.width + lower.size.width),
        depth=0.49 * (upper.size.depth + lower.size.depth),
    )
    return replace(
        upper, name="", size=size, centre=(under + over) / 2, axes=axes, front_loss=0, middle_loss=0
    )
