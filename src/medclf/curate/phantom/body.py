"""A chest: its wall, lungs, heart, vessels, diaphragm and bones, in a person's size.

What displaces the lungs is a list, so that a lung is its outline without them. Bones and the
vessels of the lung are clouds of points. A body can be turned, and breathes.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.organs import (
    LEFT,
    RIGHT,
    airways,
    between,
    domes,
    heart,
    lung,
    spine,
    stomach,
    wall,
)
from medclf.curate.phantom.person import Person
from medclf.curate.phantom.shapes import Array, Column, Ellipsoid, Shape, contains
from medclf.curate.phantom.skeleton import skeleton
from medclf.curate.phantom.tubes import Cloud, Sprouts, grow_vessels, joined

BREATH_MM = 9.0


@dataclass(frozen=True)
class Body:
    """A chest ready to be projected, or to have a finding placed in it.

    Args:
        wall: Everything within the skin: the trunk, two shoulders, two breasts.
        lungs: Outlines of the right and the left lung.
        heart: Its chambers.
        between: What else lies between the lungs: mediastinum, great vessels, hila.
        domes: Both halves of the diaphragm, with what is beneath.
        spine: The vertebral bodies.
        airways: Windpipe and main bronchi.
        stomach: The air in it.
        bone: Compact bone.
        vessels: Blood in the lungs.
    """

    wall: tuple[Shape, ...]
    lungs: tuple[Column, ...]
    heart: tuple[Ellipsoid, ...]
    between: tuple[Shape, ...]
    domes: tuple[Ellipsoid, ...]
    spine: Column
    airways: tuple[Shape, ...]
    stomach: Ellipsoid
    bone: Cloud
    vessels: Cloud

    @property
    def solids(self) -> tuple[Shape, ...]:
        """What the lungs give way to."""
        return (*self.heart, *self.between, *self.domes, self.spine)

    def moved(self, linear: Array) -> "Body":
        """Size, or turn, the whole body by a matrix."""
        return Body(
            wall=tuple(part.moved(linear) for part in self.wall),
            lungs=tuple(part.moved(linear) for part in self.lungs),
            heart=tuple(part.moved(linear) for part in self.heart),
            between=tuple(part.moved(linear) for part in self.between),
            domes=tuple(part.moved(linear) for part in self.domes),
            spine=self.spine.moved(linear),
            airways=tuple(part.moved(linear) for part in self.airways),
            stomach=self.stomach.moved(linear),
            bone=self.bone.moved(linear),
            vessels=self.vessels.moved(linear),
        )

    def breathed(self, depth: float) -> "Body":
        """Move the diaphragm: -1 is a shallow breath, 0 a middling, 1 a deep one.

        The stomach goes with it, and the heart a third of the way.
        """
        down = np.array([-BREATH_MM * depth, 0, 0])
        return replace(
            self,
            heart=tuple(part.shifted(down / 3) for part in self.heart),
            domes=tuple(part.shifted(down) for part in self.domes),
            stomach=self.stomach.shifted(down),
        )

    def airy(self, points: Array) -> NDArray[np.bool_]:
        """Tell which points (N, 3) lie in the air of a lung."""
        inside = np.logical_or(*(contains(part, points) for part in self.lungs))
        for part in self.solids:
            inside &= ~contains(part, points)
        return np.asarray(inside)

    def clear(self, points: Array) -> NDArray[np.bool_]:
        """Tell which points (N, 3) lie in a lung, with nothing before or behind them but lung."""
        inside = np.logical_or(*(contains(part, points) for part in self.lungs))
        for part in self.solids:
            inside &= part.stretch(points[:, 0], points[:, 2]).thickness == 0
        return np.asarray(inside)


def build_body(person: Person, rng: np.random.Generator, step: float = 1.5) -> Body:
    """Build a person's chest, at a middling breath, in the person's own size.

    Args:
        person: Whose chest.
        rng: Chance of the anatomy.
        step: Distance in mm of the points that draw bones and vessels: about half a pixel.
    """
    lungs = (lung(RIGHT), lung(LEFT))
    body = Body(
        wall=wall(person, rng),
        lungs=lungs,
        heart=heart(person.heart, rng),
        between=between(rng),
        domes=domes(rng),
        spine=spine(),
        airways=airways(),
        stomach=stomach(rng),
        bone=skeleton(lungs[1], step, rng),
        vessels=joined([_vessels(side, step, rng) for side in (RIGHT, LEFT)]),
    )
    body = replace(body, vessels=body.vessels.where(body.airy(body.vessels.points)))
    return body.moved(np.diag([person.height, person.girth, person.girth]))


def _vessels(side: int, step: float, rng: np.random.Generator) -> Cloud:
    """Grow the vessels of one lung from its hilum, outward, more of them down than up."""
    count = 13
    starts = np.array([6.0, 8, side * 34]) + rng.normal(0, (9, 7, 4), (count, 3))
    tilt = np.linspace(1.25, -1.45, count) + rng.normal(0, 0.12, count)
    forward = np.column_stack(
        [np.sin(tilt), rng.normal(0, 0.55, count), side * (np.cos(tilt) + 0.1)]
    )
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    return joined(grow_vessels(Sprouts(starts, forward), rng, step=step))
