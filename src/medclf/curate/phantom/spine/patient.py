"""A patient's spine: the vertebrae in their places, with what wears, breaks or is put into them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medclf.curate.phantom.person import Person, Sex, draw_person
from medclf.curate.phantom.shapes import Array, turning
from medclf.curate.phantom.spine.levels import (
    CERVICAL,
    LUMBAR,
    SACRAL,
    THORACIC,
    draw_counts,
    grown,
    spread,
)
from medclf.curate.phantom.spine.posture import draw_posture, measure_cobb, stack, stations, turns
from medclf.curate.phantom.spine.vertebra import Bone


@dataclass(frozen=True)
class Chances:
    """How common, from 0 to 1, what makes spines hard is.

    Args:
        unusual: One vertebra more or fewer than usual.
        scoliosis: Cobb's angle of 10 degrees or more.
        broken: A wedged or sunken vertebra; some have several.
        implants: Screws and rods, or cement in what is broken.
        cut: A scan that shows a part of the spine only.
        narrow: A scan that shows the spine only, and not the whole width of the body.
    """

    unusual: float = 0.1
    scoliosis: float = 0.25
    broken: float = 0.2
    implants: float = 0.15
    cut: float = 0.75
    narrow: float = 0.7

    @property
    def usable(self) -> bool:
        return all(0 <= one <= 1 for one in vars(self).values())


@dataclass(frozen=True)
class Spine:
    """A patient's spine.

    Args:
        person: Whose.
        bones: From C6 down to S3.
        discs: (N,) heights in mm of the discs below each bone.
        worn: (N,) how far each disc is worn, from 0 to 1.
        ribs: (N,) length of the ribs at each bone, as a share of a whole one; 0 for none.
        screwed: Names of those with screws.
        cemented: Names of those with cement.
    """

    person: Person
    bones: tuple[Bone, ...]
    discs: Array
    worn: Array
    ribs: Array
    screwed: tuple[str, ...]
    cemented: tuple[str, ...]

    @property
    def named(self) -> list[Bone]:
        """The thoracic and lumbar vertebrae."""
        return [bone for bone in self.bones if bone.named]

    @property
    def cobb_degrees(self) -> float:
        return measure_cobb([bone.axes for bone in self.named])


def draw_spine(chances: Chances, rng: np.random.Generator) -> Spine:
    """Draw a patient."""
    sex: Sex = "F" if rng.random() < 0.5 else "M"
    person = draw_person(int(np.clip(rng.normal(60, 16), 18, 92)), sex, rng)
    thoracic, lumbar = draw_counts(chances.unusual, rng)
    names = ["C6", "C7", *(f"T{n + 1}" for n in range(thoracic))]
    names += [*(f"L{n + 1}" for n in range(lumbar)), "S1", "S2", "S3"]
    usual = [*CERVICAL, *spread(THORACIC, thoracic), *spread(LUMBAR, lumbar), *SACRAL]
    own = person.height * np.exp(rng.normal(0, 0.04, 9))
    sizes = [grown(size, own * np.exp(rng.normal(0, 0.02, 9))) for size in usual]
    worn = _wear(names, person.age_years, rng)
    discs = np.array([size.disc for size in sizes]) * (1 - 0.6 * worn)
    loss = _breaks(names, person.age_years, chances.broken, rng)
    heights = np.array([size.height for size in sizes]) * (1 - loss[:, 0] / 2)
    posture = draw_posture(chances.scoliosis, rng)
    axes = turns(stations(3, lumbar, thoracic, 2), posture)
    depths = np.array([size.depth for size in sizes])
    axes = _hunched(axes[::-1], np.arctan(loss[:, 0] * heights / depths))
    places = stack(axes[::-1], heights[::-1], discs[::-1])[::-1]
    spurs = 0.02 + 0.12 * np.maximum(worn, np.roll(worn, 1))
    tilt = turning(*np.radians(rng.normal(0, (4, 3, 4))))
    bones = tuple(
        Bone(name, size, place, turn, float(front), float(middle), float(spur), _waves(rng))
        for name, size, place, turn, (front, middle), spur in zip(
            names, sizes, places, axes, loss, spurs, strict=True
        )
    )
    bones = tuple(bone.moved(tilt) for bone in bones)
    screwed, cemented = _implants(bones, chances.implants, rng)
    return Spine(person, bones, discs, worn, _ribs(names, rng), screwed, cemented)


def _wear(names: Sequence[str], age_years: int, rng: np.random.Generator) -> Array:
    """Draw how far discs are worn: more of them, and the lower lumbar ones first, with age."""
    chance = np.array([0.15 + 0.25 * name.startswith("L") for name in names])
    chance = chance * np.clip((age_years - 25) / 40, 0, 1.5)
    worn = rng.uniform(0.3, 1, len(names)) * (rng.random(len(names)) < chance)
    return np.where([name.startswith("S") for name in names], 0, worn)


def _breaks(names: Sequence[str], age_years: int, broken: float, rng: np.random.Generator) -> Array:
    """Draw the losses of height, in front and in the middle, (N, 2): most about T12 and T8."""
    loss = np.zeros((len(names), 2))
    if rng.random() >= broken:
        return loss
    inner = np.flatnonzero([name[0] in "TL" for name in names])
    share = np.linspace(0, 1, len(inner))
    weight = np.exp(-(((share - 0.7) / 0.12) ** 2)) + 0.5 * np.exp(-(((share - 0.45) / 0.12) ** 2))
    count = 1 + rng.binomial(2, 0.2 + 0.2 * (age_years > 70))
    for which in rng.choice(inner, count, replace=False, p=weight / weight.sum()):
        loss[which] = rng.uniform(0.15, 0.5), 0.0
        if rng.random() < 0.35:
            loss[which] = rng.uniform(0, 0.15), rng.uniform(0.2, 0.45)
    return loss


def _hunched(axes: Sequence[Array], wedges: Array) -> list[Array]:
    """Lean what lies above a wedge forward; the rest of the spine makes up for half of it."""
    half = wedges / 2
    lean = np.cumsum(half[::-1])[::-1] - half / 2
    return [turn @ turning(float(angle), 0, 0) for turn, angle in zip(axes, lean, strict=True)]


def _ribs(names: Sequence[str], rng: np.random.Generator) -> Array:
    """Draw the lengths of ribs: whole ones down to the last but two, and then short ones."""
    count = sum(name.startswith("T") for name in names)
    lengths = np.array([float(name.startswith("T")) for name in names])
    last = 1 + count
    lengths[last - 1] = rng.uniform(0.55, 0.75)
    lengths[last] = rng.uniform(0.2, 0.5)
    return lengths


def _waves(rng: np.random.Generator) -> Array:
    return np.column_stack([rng.normal(0, 0.22, (2, 3)), rng.uniform(0, 2 * np.pi, 2)])


def _implants(
    bones: Sequence[Bone], implants: float, rng: np.random.Generator
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Choose who bears screws, two to five neighbours, and cement, where it is broken."""
    broken = tuple(bone.name for bone in bones if bone.broken)
    names = [bone.name for bone in bones if bone.named]
    has, cement = rng.random() < implants, rng.random() < 0.5
    count, low = int(rng.integers(2, 6)), int(rng.integers(0, 9))
    if not has:
        return (), ()
    if cement and broken:
        return (), broken
    last = len(names) - low
    return tuple(names[last - count : last]), ()
