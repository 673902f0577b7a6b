"""A patient's chest in three dimensions: the body of the radiographs, with trees of its own.

The outlines of wall, lungs, heart and diaphragm are those that radiographs project. What fills the
lungs is finer here: arteries from the hilum with a bronchus beside each as far as it can be seen,
and veins that come back between them and so cross them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.body import Body, build_body
from medclf.curate.phantom.chest.tree import Tree, grow_tree, together
from medclf.curate.phantom.organs import LEFT, RIGHT
from medclf.curate.phantom.person import Person
from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.tubes import Sprouts

HILUM_MM = (6.0, 8.0, 34.0)
BRONCHUS_MM = 0.9
"""Least radius of a bronchus that is drawn."""

BESIDE = np.array([0.5, -1.6, 0.6])
"""Where a bronchus runs beside its artery, in radii of its own."""

CLEAR_MM = 6.0


@dataclass(frozen=True)
class Anatomy:
    """A chest, ready to be scanned.

    Args:
        body: Its outlines, at a full breath.
        arteries, veins, airways: Of both lungs; airways by their outer radius.
    """

    body: Body
    arteries: Tree
    veins: Tree
    airways: Tree

    def airy(self, points: Array) -> NDArray[np.bool_]:
        """Tell which points (N, 3) lie in a lung."""
        return self.body.airy(points)

    def clear(self, points: Array) -> NDArray[np.bool_]:
        """Tell which points (N, 3) lie in a lung with lung on all six sides."""
        around = CLEAR_MM * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
        reached = (points[:, None] + around).reshape(-1, 3)
        return np.asarray(self.airy(reached).reshape(-1, len(around)).all(axis=1))


def build_anatomy(person: Person, rng: np.random.Generator) -> Anatomy:
    """Build a person's chest; everyone's trees are their own."""
    body = build_body(person, rng, step=2.0).breathed(float(rng.normal(0.8, 0.3)))
    roots = int(rng.integers(9, 13))
    radius = float(rng.normal(4.2, 0.3)) * person.girth
    arteries, veins = (
        together([_tree(body, side, roots, radius, lower, rng) for side in (RIGHT, LEFT)])
        for lower in (0.0, -14.0)
    )
    airways = arteries.beside(BESIDE * rng.uniform(0.8, 1.2, 3), 0.95, BRONCHUS_MM)
    return Anatomy(body, arteries, veins, airways)


def _tree(
    body: Body, side: int, roots: int, radius: float, lower: float, rng: np.random.Generator
) -> Tree:
    """Grow the vessels of one lung from its hilum outward, more of them down than up."""
    starts = np.array(HILUM_MM) * (1, 1, side) + (lower, 0, 0)
    starts = starts + rng.normal(0, (9, 7, 4), (roots, 3))
    tilt = np.linspace(1.25, -1.45, roots) + rng.normal(0, 0.15, roots)
    forward = np.column_stack(
        [np.sin(tilt), rng.normal(0, 0.6, roots), side * (np.cos(tilt) + 0.1)]
    )
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    return grow_tree(Sprouts(starts, forward), body.airy, rng, radius, 30.0, 9)
