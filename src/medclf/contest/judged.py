"""Which exams the entries of a contest learn from, and on which they are judged.

Without folds they learn from the training split, choose on validation, and are judged on the test
split. With folds the test split stays shut: training and validation exams are dealt into parts by
patient, and each is judged by the network that did not learn from its part.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.curate.fold import assign_folds
from medclf.prepare.store import Rows

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Chosen:
    """The images of some of the exams.

    Args:
        rows: Those of all.
        numbers: Of the exams that are chosen, in order.
    """

    rows: Rows
    numbers: Indices

    @property
    def images(self) -> Indices:
        """Which rows are the images of the exams that are chosen."""
        return self.rows.images[self.numbers]

    def batch(self, indices: Indices) -> NDArray[np.generic]:
        """Take images by their numbers among all."""
        return self.rows.batch(indices)


@dataclass(frozen=True)
class Turn:
    """One training: what is learnt from, chosen by, and judged; numbers of exams."""

    training: Indices
    validation: Indices
    judged: Indices


def open_exams(cohort: Cohort, rows: Rows, folds: int) -> tuple[Cohort, Rows]:
    """Leave the test split shut where there are folds."""
    numbers = np.array([i for i, r in enumerate(cohort.records) if r.split != "test"])
    if not folds or len(numbers) == len(cohort.records):
        return cohort, rows
    records = tuple(cohort.records[i] for i in numbers)
    return replace(cohort, records=records), Chosen(rows, numbers)


def take_turns(cohort: Cohort, folds: int, seed: int) -> list[Turn]:
    """Deal exams out to the trainings of an entry that chooses by itself.

    With folds, what it chooses by is the part after the one that it is judged on: no exam is both.

    Args:
        cohort: As `open_exams` gives it.
        folds: 3 or more, or 0.
        seed: Of the dealing; the parts are those of `learn.fit`.
    """
    if not folds:
        training, *others = (
            np.flatnonzero([r.split == name for r in cohort.records])
            for name in ("train", "val", "test")
        )
        return [Turn(training, others[0], np.concatenate(others))]
    part = assign_folds(cohort.records, len(cohort.task.classes), folds, seed)
    turns = []
    for fold in range(folds):
        following = (fold + 1) % folds
        learnt = np.flatnonzero((part != fold) & (part != following))
        turns.append(Turn(learnt, np.flatnonzero(part == following), np.flatnonzero(part == fold)))
    return turns
