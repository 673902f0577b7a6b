"""Bootstrap by patient: how often each exam counts in each of thousands of drawn samples.

A sample draws patients with return, and each brings all its exams, so exams of one patient stay
together. It draws one patient fewer than there are, n, and each counts n / (n - 1) times: n draws
would make the variance (n - 1) / n of what it is, which a class of 3 feels. A sample is a column of
weights; scores judge many columns at once.

A class that fewer than 10 patients hold is a stratum: its patients are drawn among themselves, so
that every sample has as many of them as we have; a patient of several such classes stands with the
rarest. (Drawn freely, a class of 3 is missing from 1 sample in 20, and of 10 from 1 in 22,000;
a sample that lacks a class is left out of the scores that need it. Larger classes are not strata,
since a fixed number of their patients makes kappa and average precision look surer than they are.)

Source: Efron, Tibshirani. An Introduction to the Bootstrap. 1993, chapters 6 and 8. Field, Welsh.
Bootstrapping clustered data. Journal of the Royal Statistical Society B 2007. Rao, Wu. Resampling
inference with complex survey data. JASA 1988 (one fewer from each stratum).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from medclf.evaluate.score import Numbers

TINY = 10
NUMBERS_AT_ONCE = 2_000_000


def patient_weights(
    patients: NDArray[np.generic], sides: NDArray[np.bool_], resamples: int, seed: int
) -> Iterator[Numbers]:
    """Draw samples of patients.

    Args:
        patients: (N,) whose exam it is.
        sides: (N, M) which classes, or sides of findings, each exam belongs to.
        resamples: Samples in all.
        seed: Of the draws.

    Yields:
        (N, B) weights, with B such that an array of this shape takes 16 MB at most, or B = 1. A
        patient who is a stratum alone always counts once: how far he might vary is not known.
    """
    rng = np.random.default_rng(seed)
    _, whose = np.unique(patients, return_inverse=True)
    groups = [np.flatnonzero(stratum) for stratum in strata(whose, sides)]
    people = sum(len(group) for group in groups)
    batch = max(1, NUMBERS_AT_ONCE // len(whose))
    for start in range(0, resamples, batch):
        samples = min(batch, resamples - start)
        row = np.arange(samples)[:, None] * people
        counts = np.zeros(samples * people)
        for group in groups:
            draws = max(len(group) - 1, 1)
            drawn = group[rng.integers(len(group), size=(samples, draws))]
            once = np.bincount((row + drawn).ravel(), minlength=len(counts))
            counts += once * (len(group) / draws)
        yield counts.reshape(samples, people).T[whose]


def strata(whose: NDArray[np.int64], sides: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """Part the patients into those that are drawn among themselves.

    Args:
        whose: (N,) number of the patient, from 0 without a gap.
        sides: (N, M) which classes each exam belongs to.

    Returns:
        Masks over the patients, none empty, each patient in one.
    """
    holds = held_by(whose, sides)
    size = holds.sum(0)
    left = np.ones(len(holds), np.bool_)
    found = []
    for side in np.argsort(size, kind="stable"):
        mine = holds[:, side] & left
        if size[side] < TINY and mine.any():
            found.append(mine)
            left = left & ~mine
    return [*found, left] if left.any() else found


def held_by(whose: NDArray[np.int64], sides: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which patients have an exam of each class: (N,), (N, M) -> (P, M)."""
    holds = np.zeros((int(whose.max()) + 1, sides.shape[1]), np.bool_)
    exam, side = np.nonzero(sides)
    holds[whose[exam], side] = True
    return holds
