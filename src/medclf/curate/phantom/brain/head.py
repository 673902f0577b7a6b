"""A patient's head: size, how it lies in the scanner, and what age has done to the brain.

All anatomy is described in a frame of reference that is the same for everyone: (z, y, x) in mm,
upward, backward and to the left of the anterior commissure. A head is that frame turned, grown
and bent by slow waves, so that no two have their structures in the same place.

Source: the frame and the sizes in it are, in round figures, those of Talairach, Tournoux. Co-Planar
Stereotaxic Atlas of the Human Brain. Thieme 1988.
"""

from dataclasses import dataclass

import numpy as np

from medclf.curate.phantom.ct import Frame, Values
from medclf.curate.phantom.person import Person, Sex, draw_person
from medclf.curate.phantom.shapes import Array, turning
from medclf.curate.phantom.spine.vertebra import Local
from medclf.curate.phantom.tubes import carried

MIDDLE_MM = (12.0, 14.0, 0.0)
"""Of the head, in the frame of reference."""

EXTENT_MM = (150.0, 208.0, 172.0)
WAVES = 5


@dataclass(frozen=True)
class Head:
    """A patient's head.

    Args:
        person: Whose.
        turn: (3, 3) from the frame of reference, with the patient's own size, to the scanner's.
        off_mm: (3,) of the frame's origin in the scanner.
        waves: (K, 7) that bend it: direction per mm, phase, and how far along z, y and x, in mm.
        shrunk: How much the brain has shrunk, from 0, unshrunk, to 1.
        iron: In the deep nuclei, as a multiple of what is usual at that age.
    """

    person: Person
    turn: Array
    off_mm: Array
    waves: Array
    shrunk: float
    iron: float

    def at(self, frame: Frame) -> Local:
        """Tell where the voxels of a frame lie in the frame of reference."""
        back = np.linalg.inv(self.turn).astype(np.float32)
        axes = zip(frame.places, self.off_mm, strict=True)
        z, y, x = np.ix_(*((axis - off).astype(np.float32) for axis, off in axes))
        here = [row[0] * z + row[1] * y + row[2] * x for row in back]
        return Local(*(one + off for one, off in zip(here, self._bend(here), strict=True)))

    def place(self, points: Array) -> Array:
        """Tell where in the scanner points (N, 3) of the frame of reference lie."""
        straight = points
        for _ in range(3):
            straight = points - np.stack(self._bend(list(straight.T)), axis=1)
        return carried(straight, self.turn) + self.off_mm

    def _bend(self, at: list[Values]) -> list[Values]:
        """Tell how far places are moved along z, y and x."""
        moved = [np.zeros_like(at[0]) for _ in at]
        for *way, phase, up, back, left in self.waves.tolist():
            wave = np.sin(sum(step * one for step, one in zip(way, at, strict=True)) + phase)
            for total, far in zip(moved, (up, back, left), strict=True):
                total += far * wave
        return moved


def draw_head(rng: np.random.Generator) -> Head:
    """Draw a patient of 40 to 92 years, as those who are searched for bleeds mostly are."""
    sex: Sex = "F" if rng.random() < 0.5 else "M"
    person = draw_person(int(np.clip(rng.normal(68, 12), 40, 92)), sex, rng)
    size = np.exp(0.3 * np.log(person.height) + rng.normal(0, (0.025, 0.03, 0.025)))
    turn = turning(*np.radians(rng.normal(0, (6, 4, 4)))) @ np.diag(size)
    ways = rng.normal(size=(WAVES, 3))
    ways *= 2 * np.pi / rng.uniform(70, 160, (WAVES, 1)) / np.linalg.norm(ways, axis=1)[:, None]
    waves = np.column_stack(
        [ways, rng.uniform(0, 2 * np.pi, WAVES), rng.normal(0, 0.9, (WAVES, 3))]
    )
    off = rng.normal(0, 3, 3) - turn @ np.array(MIDDLE_MM)
    shrunk = float(np.clip(rng.normal((person.age_years - 40) / 60, 0.2), 0, 1))
    return Head(person, turn, off, waves, shrunk, float(np.exp(rng.normal(0, 0.2))))


def frame_head(spacing_mm: tuple[float, float, float]) -> Frame:
    """Lay voxels about the isocentre of the scanner."""
    z, y, x = (int(mm / step) for mm, step in zip(EXTENT_MM, spacing_mm, strict=True))
    start = (round(-(n - 1) / 2 * step, 4) for n, step in zip((z, y, x), spacing_mm, strict=True))
    low_z, low_y, low_x = start
    return Frame((low_z, low_y, low_x), (z, y, x), spacing_mm)


def coarse(frame: Frame, step_mm: float) -> Frame:
    """Lay wider voxels over a frame, so that every one of its voxels lies between them."""
    z, y, x = (
        int(np.ceil((n - 1) * mm / step_mm)) + 2
        for n, mm in zip(frame.shape, frame.spacing_mm, strict=True)
    )
    return Frame(frame.start_mm, (z, y, x), (step_mm,) * 3)


def refine(values: Values, wide: Frame, frame: Frame) -> Values:
    """Interpolate what is known at wider voxels that `coarse` laid, linearly."""
    for axis, (n, ratio) in enumerate(
        zip(frame.shape, np.divide(frame.spacing_mm, wide.spacing_mm), strict=True)
    ):
        at = np.arange(n) * ratio
        low = at.astype(np.int64)
        share = (at - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        first = np.take(values, low, axis)
        values = first + share * (np.take(values, low + 1, axis) - first)
    return values
