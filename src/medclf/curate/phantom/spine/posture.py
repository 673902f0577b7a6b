"""How a spine stands: kyphosis and lordosis, scoliosis with its twist, one vertebra on the other.

Each vertebra leans forward or back by where it is, as in a usual profile made stronger or weaker
by patient; a scoliosis leans them to both sides of its apex, and turns them about their length.
From the sacrum up, half a body, a disc and half a body lead from one middle to the next.

Source: the usual profile keeps to the means of Roussouly et al. Classification of the Normal
Variation in the Sagittal Alignment of the Human Lumbar Spine and Pelvis. Spine 2005, laid flatter
as of one who lies; the angle of a scoliosis is that of Cobb. Outline for the Study of Scoliosis.
Instructional Course Lectures 1948.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from medclf.curate.phantom.shapes import Array, turning

PROFILE = np.array(
    [
        *((-0.6, 40), (-0.35, 44), (-0.12, 37), (0.1, 21), (0.5, 1), (0.9, -12), (1.1, -14)),
        *((1.3, -11), (1.5, -3), (1.8, 13), (1.95, 21), (2.1, 21), (2.2, 16)),
    ]
)
"""Station, 0 below L5, 1 above L1, 2 above T1; and degrees forward there."""

REACH = 0.3
"""From the apex of a scoliosis to where it leans most, in stations."""

TWIST = 0.5
"""Degrees about the length for each degree of Cobb's angle, at the apex."""


@dataclass(frozen=True)
class Posture:
    """A patient's own way to stand.

    Args:
        lordosis, kyphosis: As shares of the usual.
        cobb_degrees: Of the scoliosis; positive to the left.
        apex: Its station.
    """

    lordosis: float = 1.0
    kyphosis: float = 1.0
    cobb_degrees: float = 0.0
    apex: float = 1.2


def draw_posture(scoliosis: float, rng: np.random.Generator) -> Posture:
    """Draw a posture: by chance with a scoliosis of 10 to 45 degrees, else with a trace of one."""
    crooked, side = rng.random() < scoliosis, rng.choice((-1, 1))
    cobb = rng.uniform(10, 45) if crooked else abs(rng.normal(0, 3))
    factors = np.exp(rng.normal(0, (0.18, 0.22)))
    return Posture(*(float(one) for one in (*factors, side * cobb, rng.uniform(0.6, 1.5))))


def stations(sacral: int, lumbar: int, thoracic: int, cervical: int) -> Array:
    """Tell where the vertebrae stand, from the sacrum up."""
    low = (-0.12, -0.35, -0.6)[:sacral][::-1]
    middle = [part + (k + 0.5) / n for part, n in ((0, lumbar), (1, thoracic)) for k in range(n)]
    return np.array([*low, *middle, *(2.1, 2.2)[:cervical]])


def turns(at: Array, posture: Posture) -> list[Array]:
    """Tell how the vertebrae are turned: (3, 3) up, back and left as columns, for each station."""
    share = np.interp(at, (0.5, 1.6), (posture.lordosis, posture.kyphosis))
    pitch = np.radians(PchipInterpolator(*PROFILE.T)(at) * share)
    off = (at - posture.apex) / REACH
    cobb = np.radians(posture.cobb_degrees)
    # Leans most, by half of Cobb's angle, one reach below and above the apex.
    lean = -cobb / 2 * off * np.exp((1 - off**2) / 2)
    twist = TWIST * cobb * np.exp(-(off**2) / 2)
    return [turning(*three) for three in zip(pitch, twist, -lean, strict=True)]


def stack(axes: Sequence[Array], heights: Array, discs: Array) -> Array:
    """Stack vertebrae.

    Args:
        axes: Turns, from below.
        heights: (N,) of the bodies, in mm.
        discs: (N,) of the discs below each; the first lies below all and does not count.

    Returns:
        (N, 3) their middles, (z, y, x) in mm, about their mean.
    """
    ups = np.array([turn[:, 0] for turn in axes])
    steps = ups * (heights / 2)[:, None]
    gaps = (ups[1:] + ups[:-1]) / 2 * discs[1:, None]
    return _centred(np.concatenate([np.zeros((1, 3)), np.cumsum(steps[:-1] + gaps + steps[1:], 0)]))


def _centred(places: Array) -> Array:
    return np.asarray(places - places.mean(axis=0))


def measure_cobb(axes: Sequence[Array]) -> float:
    """Measure Cobb's angle: the most by which two vertebrae lean apart sideways, in degrees."""
    leans = [np.degrees(np.arctan2(turn[2, 0], turn[0, 0])) for turn in axes]
    return float(max(leans) - min(leans))
