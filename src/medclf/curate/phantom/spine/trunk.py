"""What lies about a spine: skin, fat, muscles, lungs, organs, great vessels, ribs and pelvis.

Everything hangs on the middles of the vertebrae, so that it goes along with every bend; the back is
flatter than the spine, as of one who lies on a table. Shapes come in the order in which they are
laid over each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from medclf.curate.phantom.shapes import Array, Column, Shape, column, ellipsoid
from medclf.curate.phantom.spine.patient import Spine
from medclf.curate.phantom.spine.vertebra import Bone
from medclf.curate.phantom.tubes import Cloud, joined, tube

FAT, MUSCLE, LUNG, AIR, BLOOD, ORGAN, CORD, FLUID = -100.0, 52.0, -850.0, -985.0, 42.0, 50.0, 40, 12
PLATES = (520.0, 140.0)
"""HU of flat bones: of the compact and of the spongy."""

OUTLINE = np.array(
    [
        *((0, 70, 58, 68), (1, 75, 62, 95), (2, 85, 68, 165), (4, 115, 72, 178), (6, 138, 72, 168)),
        *((9, 150, 72, 152), (12, 146, 74, 146), (14, 132, 80, 142), (17, 118, 90, 154)),
        *((19, 114, 94, 168), (20, 112, 92, 174), (21, 110, 88, 176)),
    ]
)
"""Number of the bone, of a usual spine from C6; from its middle to the skin in front and in the
back, and half the width of the body, in mm."""

TABLE_MM = (6.0, 22.0)
"""Behind the back: where the table begins, and how thick it is."""

Laid = tuple[Shape, float]
Three = tuple[float, float, float]
Plate = tuple[Array, Three, Three]


@dataclass(frozen=True)
class Trunk:
    """A body about a spine.

    Args:
        skin: Its outlines.
        flesh: What lies within the fat beneath the skin.
        belly: Where fat and bowel lie.
        parts: Shapes with their HU, in the order in which they are laid.
        ribs: The compact bone of the ribs.
    """

    skin: Column
    flesh: Column
    belly: Column
    parts: tuple[Laid, ...]
    ribs: Cloud


def build_trunk(spine: Spine, rng: np.random.Generator, step_mm: float) -> Trunk:
    """Build a body about a spine.

    Args:
        spine: Whose.
        rng: Chance.
        step_mm: Distance of the points that draw the ribs.
    """
    outline = outline_body(spine)
    fat = spine.person.fat_mm
    skin = _hull(outline, 0.0, 0.0, 0.0)
    flesh = _hull(outline, 4 + fat, 6 + 0.9 * fat, 4 + fat)
    low = [bone.name[0] in "LS" or bone.name in ("T11", "T12", "T13") for bone in spine.bones]
    belly = _hull(outline[low], 16 + fat, 75.0, 24 + fat, 2.4)
    blood = BLOOD if rng.random() < 0.7 else float(rng.uniform(130, 320))
    parts = [*_lungs(spine), *_organs(spine, rng), *_vessels(spine, blood)]
    parts += [*_muscles(spine, rng), *_flat_bones(spine, outline), *_canal(spine)]
    return Trunk(skin, flesh, belly, tuple(parts), _ribs(spine, outline, step_mm))


def outline_body(spine: Spine) -> Array:
    """Tell (N, 5) for each bone: z, y and x, then front and back skin as y, and half the width."""
    share = np.linspace(0, OUTLINE[-1, 0], len(spine.bones))
    front, back, wide = PchipInterpolator(OUTLINE[:, 0], OUTLINE[:, 1:])(share).T
    at = np.array([bone.centre for bone in spine.bones])
    person = spine.person
    behind = at[:, 1] + back + 0.6 * person.fat_mm
    behind = 0.4 * behind + 0.6 * np.median(behind)
    behind = np.maximum(behind, at[:, 1] + back - 12)
    ahead = at[:, 1] - front * person.girth - person.fat_mm
    across = 0.35 * at[:, 2]
    return np.column_stack([at[:, 0], ahead, behind, across, wide * person.girth + person.fat_mm])


def _hull(outline: Array, front: float, back: float, side: float, power: float = 2.7) -> Column:
    """Draw an outline that lies so many mm within the skin."""
    z, ahead, behind, across, wide = outline.T
    ahead, behind = ahead + front, behind - back
    rows = np.column_stack(
        [z, (ahead + behind) / 2, across, wide - side, np.maximum(behind - ahead, 20) / 2]
    )
    ends = rows[[0, -1]] + np.array([[80.0, 0, 0, 0, 0], [-80.0, 0, 0, 0, 0]])
    return column(np.concatenate([ends, rows]).tolist(), power)


def _along(bones: Sequence[Bone], rows: Sequence[Sequence[float]], power: float = 2.0) -> Column:
    """Draw a column along bones: (up, back, left, half width, half depth) from each of them.

    Every bone's `up` is along its own length, the rest along the body's axes.
    """
    knots = [
        (bone.centre[0] + up, bone.centre[1] + back, bone.centre[2] + left, wide, deep)
        for bone, (up, back, left, wide, deep) in zip(bones, rows, strict=True)
    ]
    return column(knots, power)


def _lungs(spine: Spine) -> list[Laid]:
    """Lay the lungs down to the last rib, domes into them, and what is between them."""
    bones = [bone for bone in spine.bones if bone.thoracic]
    girth, at = spine.person.girth, np.linspace(0, 11, len(bones))
    wide = np.interp(at, (0, 1, 3, 6, 9, 10, 11), (14, 34, 50, 60, 61, 52, 8)) * girth
    deep = np.interp(at, (0, 1, 3, 7, 9, 10, 11), (14, 34, 56, 76, 60, 34, 6)) * girth
    laid: list[Laid] = []
    for side in (-1, 1):
        rows = [
            (0, 44 - far, side * (one + 22), one, far) for one, far in zip(wide, deep, strict=True)
        ]
        laid.append((_along(bones, rows, 2.5), LUNG))
    floor = bones[-2].centre + girth * np.array([-52, -48, 0])
    laid += [
        (ellipsoid(floor + np.array((0, 0, side * 74)), np.array((76, 76, 66)) * girth), ORGAN)
        for side in (-1, 1)
    ]
    middle = [(0, -bone.size.depth / 2 - 45, 0, 26, 34) for bone in bones[:8]]
    gullet = [(0, -bone.size.depth / 2 - 9, 2, 8, 7) for bone in bones]
    wind = [
        (0, -bone.size.depth / 2 - 24, -3, half, half)
        for bone, half in zip(bones, (9, 9, 9, 9, 7, 1), strict=False)
    ]
    heart = bones[6].centre + np.array([-8, -88, 22]) * girth
    laid += [(_along(bones[:8], middle), 20.0)]
    laid += [(ellipsoid(heart, np.array((48, 42, 56)) * girth), BLOOD)]
    return [*laid, (_along(bones, gullet), 38.0), (_along(bones[:6], wind), AIR)]


def _organs(spine: Spine, rng: np.random.Generator) -> list[Laid]:
    """Lay liver, spleen, kidneys and gas in the bowel."""
    by = {bone.name: bone.centre for bone in spine.bones}
    girth = spine.person.girth
    last = max((name for name in by if name.startswith("T")), key=lambda name: int(name[1:]))
    enhanced = float(rng.choice((0.0, 45.0), p=(0.7, 0.3)))
    laid: list[Laid] = [
        (
            ellipsoid(by[last] + girth * np.array([5, -48, -72]), np.array((78, 74, 66)) * girth),
            56.0,
        ),
        (ellipsoid(by[last] + girth * np.array([0, 2, 98]), np.array((48, 42, 27)) * girth), 50.0),
    ]
    laid = [(shape, hu + enhanced) for shape, hu in laid]
    for side, up in ((-1, -12.0), (1, -4.0)):
        at = by["L2"] + np.array([up, 14, side * (62 + rng.normal(0, 4))])
        laid.append((ellipsoid(at, (52, 26, 27), (1, -0.15, -0.25 * side)), 32 + 2 * enhanced))
        laid.append((ellipsoid(at, (26, 9, 10), (1, -0.15, -0.25 * side)), FAT))
    for _ in range(int(rng.integers(4, 11))):
        at = by["L3"] + np.array([*rng.uniform((-110, -95), (70, -50)), rng.uniform(-95, 95)])
        wide = rng.uniform(8, 20, 3)
        laid.append((ellipsoid(at, wide + 3), 35.0))
        laid.append((ellipsoid(at, wide), AIR))
    return laid


def _vessels(spine: Spine, blood: float) -> list[Laid]:
    """Lay the aorta on the left and the lower hollow vein on the right of the bodies' fronts."""
    low = [bone for bone in spine.named if bone.centre[0] > spine.bones[-5].centre[0] - 1]
    aorta, vein = low[3:], [bone for bone in low if not bone.thoracic]
    wide = np.linspace(12.5, 8.5, len(aorta))
    reach = [(bone.size.depth / 2, bone.size.width / 2) for bone in aorta]
    left = np.linspace(0.9, 0.15, len(aorta))
    rows = [
        (0, -(deep * (1 - 0.35 * far) + half + 1), far * side, half, half)
        for (deep, side), half, far in zip(reach, wide, left, strict=True)
    ]
    back = [(0, -bone.size.depth / 2 - 9, -0.55 * bone.size.width, 11, 8) for bone in vein]
    return [(_along(aorta, rows), blood), (_along(vein, back), 0.5 * (blood + BLOOD))]


def _muscles(spine: Spine, rng: np.random.Generator) -> list[Laid]:
    """Lay the long muscles of the back in their fat, and the psoas beside the lumbar bodies."""
    wasted = float(np.clip(rng.normal(0.15 + 0.004 * (spine.person.age_years - 40), 0.1), 0, 0.5))
    laid: list[Laid] = []
    for side in (-1, 1):
        rear = [(bone, bone.size.depth / 2 + bone.size.canal_depth) for bone in spine.bones[2:]]
        size = np.interp(np.linspace(0, 1, len(rear)), (0, 0.5, 0.8, 1), (18, 24, 31, 20))
        bones = [bone for bone, _ in rear]
        for grown, hu in ((1.0, -25.0), (0.93 - 0.4 * wasted, MUSCLE)):
            rows = [
                (0, back + 0.55 * wide, side * (6 + wide), grown * wide, 0.8 * grown * wide)
                for (_, back), wide in zip(rear, size, strict=True)
            ]
            laid.append((_along(bones, rows, 2.4), hu))
        low = [bone for bone in spine.bones if not bone.thoracic][2:-1]
        wide = np.interp(np.linspace(0, 1, len(low)), (0, 0.75, 1), (7, 23, 21)) * (
            1 - 0.5 * wasted
        )
        psoas = [
            (
                0,
                2,
                side * (bone.size.width / 2 * (not bone.sacral) + 30 * bone.sacral + 0.8 * one),
                one,
                one,
            )
            for bone, one in zip(low, wide, strict=True)
        ]
        laid.append((_along(low, psoas), MUSCLE + 5))
    return laid


def _flat_bones(spine: Spine, outline: Array) -> list[Laid]:
    """Lay the wings of the hip bones, the shoulder blades and the breastbone."""
    by = {bone.name: (bone.centre, row) for bone, row in zip(spine.bones, outline, strict=True)}
    (hip, _), (blade, _), (chest, row) = by["S1"], by["T5"], by["T6"]
    breast = np.array([chest[0], row[1] + 14 + spine.person.fat_mm, row[3]])
    plates: list[Plate] = [(breast, (75, 5.5, 17), (1.0, 0.25, 0.0))]
    for side in (-1, 1):
        wing = hip + np.array([12, 6, side * 92]) * spine.person.height
        plates.append((wing, (66, 54, 7.5), (0.85, -0.1, 0.5 * side)))
        back = blade + np.array([0, 46, side * 92]) * spine.person.girth
        plates.append((back, (62, 4, 38), (1.0, 0.1, 0.1 * side)))
    laid: list[Laid] = []
    for centre, radii, along in plates:
        for thinner, hu in zip((0, 2.0), PLATES, strict=True):
            size = np.array(radii) * spine.person.height - thinner
            laid.append((ellipsoid(centre, size, along), hu))
    return laid


def _canal(spine: Spine) -> list[Laid]:
    """Lay the fluid in the canal, and the cord down to the first lumbar vertebra."""
    bones = spine.bones[:-2]
    rear = [bone.size.depth / 2 + bone.size.canal_depth / 2 for bone in bones]
    wide = [(bone.size.canal_width / 2 - 2, bone.size.canal_depth / 2 - 2) for bone in bones]
    places = [bone.place(0, back, 0) - bone.centre for bone, back in zip(bones, rear, strict=True)]
    fluid = [(*place, *half) for place, half in zip(places, wide, strict=True)]
    cord = [(*place, 5.0, 4.0) for place in places]
    end = 1 + next(n for n, bone in enumerate(bones) if bone.name == "L1")
    return [(_along(bones, fluid), FLUID), (_along(bones[:end], cord[:end]), CORD)]


def _ribs(spine: Spine, outline: Array, step_mm: float) -> Cloud:
    """Lead each rib from its vertebra back to the process, around the chest, and forward."""
    clouds = []
    for bone, length, (_, ahead, behind, across, wide) in zip(
        spine.bones, spine.ribs, outline, strict=True
    ):
        if not length:
            continue
        number = int(bone.name[1:])
        reach = (wide - 14 - spine.person.fat_mm) * min(0.34 + 0.2 * number, 0.92)
        for side in (-1, 1):
            path = _rib(bone, side, reach, (ahead, behind), across)
            steps = np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()
            path = path[: max(int(np.searchsorted(steps, length * steps[-1])), 8)]
            clouds.append(tube(path, (5.5, 3.4), step_mm, wall=1.1))
    return joined(clouds)


def _rib(bone: Bone, side: int, reach: float, skin: tuple[float, float], across: float) -> Array:
    """Draw the path of a rib, (S, 3)."""
    size, back = bone.size, bone.size.depth / 2
    near = [
        bone.place(0.4 * size.height, 0.55 * back, side * (size.width / 2 + 2.5)),
        bone.place(0.3 * size.height, back + 6, side * (size.width / 2 + 9)),
        bone.place(0, back + 0.7 * size.canal_depth + 9, side * (size.transverse / 2 + 5)),
    ]
    z, y, _ = bone.centre
    rear = min(y + back + size.canal_depth + 14, skin[1] - 16)
    far = [
        (z - 12, rear, across + side * (0.45 * reach + 22)),
        (z - 38, y + 8, across + side * 0.95 * reach),
        (z - 62, 0.5 * y + 0.5 * skin[0], across + side * reach),
        (z - 78, skin[0] + 26, across + side * 0.62 * reach),
    ]
    knots = np.array([*near, *far])
    along = np.concatenate([[0], np.linalg.norm(np.diff(knots, axis=0), axis=1).cumsum()])
    return np.asarray(PchipInterpolator(along, knots)(np.linspace(0, along[-1], 60)))
