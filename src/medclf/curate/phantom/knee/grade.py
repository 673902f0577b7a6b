"""How ill a knee is, what that does to it, and what readers call it.

Severity s runs from 0 to 5, and the true grade of Kellgren and Lawrence is its whole part: 0 none,
1 doubtful, 2 definite spurs, 3 definite narrowing, 4 bone on bone with large spurs and deformity.
The signs follow severity, each with chance of its own, so no single one tells the grade.

A reader sees s with an error that is normal, of known bias and spread, and names the grade that the
sum falls in. So the chance of each reading is known, and with it the kappa of any two readers, and
of a reader with the truth, over any knees whose severities are known: the most that a model which
learns from readings may expect to reach.

Source: Kellgren, Lawrence. Radiological Assessment of Osteo-Arthrosis. Annals of the Rheumatic
Diseases 1957. Real readers agree with a weighted kappa of .56 to .97: Klara et al. Reliability and
Accuracy of Cross-sectional Radiographic Assessment of Severe Knee Osteoarthritis. Journal of
Rheumatology 2016, table 2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from medclf.curate.phantom.knee.joint import Signs
from medclf.curate.phantom.shapes import Array
from medclf.evaluate.score import kappa

GRADES = tuple(f"grade {number}" for number in range(5))
STEPS = np.arange(6.0)
SPURS_MM = (0.0, 0.7, 2.2, 4.2, 6.5, 9.5)  # at severity 0 to 5
NARROWING = (0.0, 0.0, 0.14, 0.36, 0.72, 1.0)
SCLEROSIS = (0.0, 0.0, 0.08, 0.3, 0.65, 1.0)
WEAR_MM = (0.0, 0.0, 0.0, 0.0, 0.6, 2.2)
MEDIAL_SHARE = 0.72


@dataclass(frozen=True)
class Reader:
    """One who grades knees.

    Args:
        name: Column of the readings.
        bias: Of the severity that the reader sees.
        spread: Standard deviation of its error.
    """

    name: str
    bias: float
    spread: float


READERS = (Reader("first", 0.0, 0.4), Reader("second", 0.2, 0.55), Reader("third", -0.15, 0.75))


def draw_signs(severity: float, rng: np.random.Generator) -> Signs:
    """Draw the signs of a knee; more of them on the side that is ill.

    Args:
        severity: 0 to 5.
        rng: Chance: the side, the room between the bones before, and how strong each sign is.
    """
    outer = int(rng.random() > MEDIAL_SHARE)
    room = rng.normal((4.9, 5.8), (0.5, 0.6)).clip(3.6, 7.5)
    lost, spurs, dense, wear = (
        float(np.interp(severity, STEPS, table))
        for table in (NARROWING, SPURS_MM, SCLEROSIS, WEAR_MM)
    )
    lost = min(lost * rng.lognormal(0, 0.12), 0.97)
    gap = room * (1 + 0.08 * lost)
    gap[outer] = room[outer] * (1 - lost)
    sides = np.array([0.55, 0.55])
    sides[outer] = 1.0
    lengths = spurs * np.tile(sides, 2) * (1, 1, 0.8, 0.8) * rng.lognormal(0, 0.2, 4)
    ill = np.array([1 - outer, outer])
    hard = dense * rng.lognormal(0, 0.15) * (0.15 + 0.85 * ill)
    lengths[lengths < 0.3] = 0
    return Signs(
        gap_mm=_pair(gap),
        spurs_mm=(*_pair(lengths[:2]), *_pair(lengths[2:])),
        sclerosis=_pair(hard.clip(0, 1)),
        wear_mm=_pair(wear * ill),
    )


def reading_chances(severity: ArrayLike, reader: Reader) -> Array:
    """Tell how often a reader gives each grade: (N,) -> (N, 5).

    Example:
        >>> reading_chances([0.5, 3.0], Reader("sharp", 0.0, 0.1)).round(2).tolist()
        [[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5, 0.0]]
    """
    seen = np.asarray(severity, np.float64)[:, None] + reader.bias
    below = ndtr((STEPS[1:-1] - seen) / reader.spread)
    return np.asarray(np.diff(below, axis=1, prepend=0, append=1))


def draw_reading(severity: float, reader: Reader, rng: np.random.Generator) -> int:
    """Draw the grade that a reader gives."""
    return int(np.clip(np.floor(severity + rng.normal(reader.bias, reader.spread)), 0, 4))


def true_grade(severity: ArrayLike) -> Array:
    """Say the true grade as chances, all on one: (N,) -> (N, 5)."""
    grades = np.asarray(severity, np.float64).astype(int).clip(0, 4)
    return np.asarray(np.eye(5)[grades])


def expected_kappa(one: Array, other: Array) -> float:
    """Compute the quadratic kappa that two who judge the same knees may expect.

    Args:
        one, other: Chance of each grade, (N, 5); given the knee, they err independently.
    """
    return float(kappa(one.T @ other))


def _pair(values: Array) -> tuple[float, float]:
    first, second = (round(float(value), 2) for value in values)
    return first, second
