"""The patients of a phantom cohort before they have a body: ages, findings, visits and labels.

Half of the patients have a finding, the old a little oftener than the young. It is there at all
their visits, more or less severe. The label of each visit is one reader's word (see `observer`).
"""

from dataclasses import dataclass

import numpy as np

from medclf.curate.phantom.detector import DEVICES, Device
from medclf.curate.phantom.finding import KINDS, Kind
from medclf.curate.phantom.observer import chance_of_finding
from medclf.curate.phantom.person import Sex

LABELS = ("normal", "finding")


@dataclass(frozen=True)
class Visit:
    """One radiograph of a patient.

    Args:
        number: From 1.
        day: Since the cohort's first day.
        age_years: On that day.
        severity: Of the finding, 0 to 1; 0 where there is none.
        label: One of `LABELS`.
        device: The X-ray unit.
    """

    number: int
    day: int
    age_years: int
    severity: float
    label: str
    device: Device


@dataclass(frozen=True)
class Patient:
    """Who comes, and when.

    Args:
        name: Unique in the cohort.
        sex: "F" or "M".
        kind: Of the finding, or `None`.
        visits: In the order of time.
        seed: From which body, stance and noise are drawn.
    """

    name: str
    sex: Sex
    kind: Kind | None
    visits: tuple[Visit, ...]
    seed: tuple[int, int]


def draw_patient(number: int, seed: int) -> Patient:
    """Draw a patient; the same number and seed give the same one in every cohort.

    Example:
        >>> draw_patient(3, seed=0) == draw_patient(3, seed=0)
        True
    """
    rng = np.random.default_rng((seed, number))
    sex: Sex = "F" if rng.random() < 0.5 else "M"
    age = float(np.clip(rng.normal(58, 16), 18, 90))
    ill = rng.random() < 1 / (1 + np.exp(-(0.05 + 0.03 * (age - 58))))
    kind = KINDS[int(rng.integers(len(KINDS)))] if ill else None
    usual = rng.beta(1.6, 0.75)
    count = int(rng.choice((1, 2, 3), p=(0.4, 0.35, 0.25)))
    days = np.cumsum(np.concatenate([rng.integers(0, 300, 1), rng.integers(20, 200, count - 1)]))
    visits = []
    for i, day in enumerate(days):
        severity = round(float(np.clip(usual + rng.normal(0, 0.08), 0.02, 1)), 3) if ill else 0.0
        called = bool(rng.random() < chance_of_finding(severity))
        device = DEVICES[int(rng.integers(len(DEVICES)))]
        age_then = int(age + day / 365.25)
        visits.append(Visit(i + 1, int(day), age_then, severity, LABELS[called], device))
    return Patient(f"P{number + 1:04d}", sex, kind, tuple(visits), (seed, number))
