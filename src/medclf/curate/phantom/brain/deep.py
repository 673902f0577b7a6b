"""What lies deep in the brain: ventricles, nuclei that gather iron, and what turns to chalk.

Source: for iron by age, Hallgren, Sourander. The Effect of Age on the Non-haemin Iron in the Human
Brain. Journal of Neurochemistry 1958, table 2: it rises to a plateau, soonest in the pallidum.
"""

from dataclasses import dataclass

import numpy as np

from medclf.curate.phantom.brain.outline import Ball, Triple, ball_depth, melted, rod_depth
from medclf.curate.phantom.ct import Values
from medclf.curate.phantom.shapes import Array
from medclf.curate.phantom.spine.vertebra import Local, Rod

LATERAL: tuple[tuple[Triple, Triple, float, float], ...] = (
    ((2, -27, 12), (14, -18, 9), 3.4, 1.6),
    ((14, -18, 9), (20, 6, 9), 4.2, 1.3),
    ((20, 6, 9), (17, 30, 17), 4.2, 1.2),
    ((17, 30, 17), (6, 42, 25), 5.5, 1.3),
    ((6, 42, 25), (2, 66, 23), 3.0, 1.3),
    ((6, 42, 25), (-10, 28, 32), 3.2, 1.2),
    ((-10, 28, 32), (-18, 4, 30), 2.2, 0.8),
)
"""Lateral ventricle: from, to, radius in mm, and how many times as high as wide it is."""

MIDLINE = (
    (Rod((-3, 2, 0), (0, 24, 0), (1.2, 1.2), 7.0), 1.6),
    (Rod((-2, 28, 0), (-26, 40, 0), (0.9, 0.9)), 0.3),
    (Rod((-26, 40, 0), (-44, 46, 0), (2.0, 2.5), 1.0), 2.0),
)
"""Third ventricle, aqueduct and fourth ventricle, and how much in mm each widens with age."""


@dataclass(frozen=True)
class Nucleus:
    """A pair of nuclei.

    Args:
        name: Of it.
        balls: It is made of, in mm.
        iron: It gathers at most, mg in 100 g.
        per_year: How fast.
        shell_mm: Its thickness where it is a folded sheet; 0 where it is solid.
    """

    name: str
    balls: tuple[Ball, ...]
    iron: float
    per_year: float
    shell_mm: float = 0.0

    def iron_at(self, age_years: int) -> float:
        return self.iron * (1 - float(np.exp(-self.per_year * age_years)))


NUCLEI = (
    Nucleus("thalamus", (((7, 16, 9), (9, 13, 8)), ((8, 26, 14), (7, 7, 7))), 4.8, 0.1),
    Nucleus(
        "caudate",
        (((8, -16, 13), (9, 9, 5)), ((18, 0, 14), (4.5, 16, 3.5)), ((20, 18, 18), (3, 10, 2.5))),
        9.7,
        0.05,
    ),
    Nucleus("putamen", (((3, -7, 24), (10, 13, 5)), ((3, 7, 28), (9, 12, 4))), 14.6, 0.04),
    Nucleus("pallidum", (((-1, -2, 17), (6, 7, 4.5)), ((0, 6, 21), (6, 7, 4))), 21.4, 0.09),
    Nucleus("red nucleus", (((-8, 20, 5), (4.5, 4, 3.4)),), 19.5, 0.06),
    Nucleus(
        "substantia nigra", (((-12, 15, 9), (4, 6, 2.6)), ((-12, 12, 12), (3, 3, 3))), 18.5, 0.06
    ),
    Nucleus("dentate", (((-35, 58, 15), (6, 9, 7)),), 11.0, 0.06, 2.2),
)
PLEXUS: tuple[Triple, ...] = ((10, 39, 23), (6, 40, 25), (14, 34, 19))
PINEAL: Triple = (3, 33, 0)
PALLIDUM: Triple = (1, 1, 19)
DENTATE: Triple = (-35, 58, 15)


def ventricle_depth(at: Local, shrunk: float) -> Values:
    """Measure how deep places lie in the ventricles, which widen as the brain shrinks."""
    wider = 0.75 + 0.75 * shrunk
    parts = [
        rod_depth(at, Rod(start, end, (wider * radius,) * 2, tall))
        for start, end, radius, tall in LATERAL
    ]
    parts += [rod_depth(at, rod) + 0.8 * more * (shrunk - 0.3) for rod, more in MIDLINE]
    return melted(parts, 2.5)


def nucleus_depth(at: Local, nucleus: Nucleus) -> Values:
    """Measure how deep places lie in a nucleus."""
    depth = melted([ball_depth(at, ball) for ball in nucleus.balls], 3)
    if nucleus.shell_mm:
        # The sheet of the dentate is open towards the middle, and finely folded.
        sheet = nucleus.shell_mm / 2 - np.abs(depth - nucleus.shell_mm / 2)
        teeth = 0.5 * np.sin(at.back * 1.9) * np.sin(at.up * 1.9)
        depth = np.minimum(sheet + teeth, np.abs(at.left) - nucleus.balls[0][0][2] + 3)
    return np.asarray(depth)


def draw_chalk(age_years: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw grains of chalk where they are common: in the plexus, the pineal, the nuclei.

    Returns:
        (N, 3) middles in the frame of reference, and (N,) radii, in mm.
    """
    older = (age_years - 40) / 40
    grains: list[Array] = []
    for spots, chance, count, wide, most in (
        (PLEXUS, 0.55 + 0.25 * older, 5, 2.4, 1.9),
        ((PINEAL,), 0.65, 4, 1.4, 1.9),
        ((PALLIDUM,), 0.12 + 0.25 * older, 5, 2.5, 1.2),
        ((DENTATE,), 0.05 + 0.1 * older, 6, 3.5, 1.2),
    ):
        here = rng.random() < chance
        for side in (-1, 1):
            n = int(rng.integers(1, count + 1)) * here
            about = np.array(spots)[rng.integers(len(spots), size=n)].reshape(-1, 3) * (1, 1, side)
            radii = rng.uniform(0.5, most, (n, 1))
            grains.append(np.column_stack([about + rng.normal(0, wide / 2, (n, 3)), radii]))
    all_of = np.concatenate(grains)
    return all_of[:, :3], all_of[:, 3]
