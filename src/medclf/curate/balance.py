"""Exams dealt in one call, into train, val and test and into folds, and how even the parts are.

By patient and class, findings that coexist each counting by itself; sites may be held out or bound
together where the cohort was read so. What comes of it is counted by split and by fold, so that a
person sees whether each part is like the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import SPLITS, Record
from medclf.core.task import Task
from medclf.curate.bookkeeping import strata
from medclf.curate.fold import assign_folds
from medclf.curate.join import join_alike
from medclf.curate.split import split_cohort
from medclf.errors import CohortError

Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Dealt:
    """Exams with their split and fold.

    Args:
        cohort: Every exam in a split.
        folds: Number of the fold of each exam, from 0; -1 for the test split, and where there are
            no folds.
    """

    cohort: Cohort
    folds: tuple[int, ...]

    @property
    def balance(self) -> Counts:
        """Count exams, patients, classes and groups: by row, then by split and by fold."""
        records = self.cohort.records
        parts = {name: [r for r in records if r.split == name] for name in SPLITS}
        for fold in range(max(self.folds, default=-1) + 1):
            parts[f"fold {fold + 1}"] = [
                r for r, number in zip(records, self.folds, strict=True) if number == fold
            ]
        return count_parts({name: some for name, some in parts.items() if some}, self.cohort.task)


def is_dealt(cohort: Cohort, folds: int) -> bool:
    """Tell whether there is anything to deal: not where the data state all, and want no folds."""
    return bool(folds) or "val" not in {record.split for record in cohort.records}


def deal_apart(
    cohort: Cohort,
    alike: Sequence[Sequence[int]],
    seed: int = 0,
    val: float = 0.15,
    test: float = 0.2,
    folds: int = 0,
) -> Dealt:
    """Deal as `deal` does, with exams that look the same in one part, where that can be.

    Args:
        cohort: As read.
        alike: Numbers of the exams that look the same.
        seed: As `deal` takes it, and all that follows.

    Raises:
        CohortError, SettingError: as `deal` does.
    """
    joined = join_alike(cohort, alike)
    try:
        return deal(joined, seed, val, test, folds)
    except CohortError as problem:
        if joined.records == cohort.records:
            raise
        told = f"Exams that look the same are not kept together, since then: {problem}."
        return deal(replace(cohort, notes=(*cohort.notes, told)), seed, val, test, folds)


def deal(
    cohort: Cohort, seed: int = 0, val: float = 0.15, test: float = 0.2, folds: int = 0
) -> Dealt:
    """Give every exam a split, and all but the test split a fold.

    Args:
        cohort: As read: what its data say of splits is kept.
        seed: Draws which patients go where. The order of the records does not matter.
        val: Share of the exams that are dealt.
        test: Likewise.
        folds: Of train and val together; 0 for none.

    Raises:
        CohortError: a class is too small, or a patient stands in two splits.
        SettingError: a share, the seed or the number of folds is none.
    """
    split = split_cohort(cohort, seed, val, test)
    numbers = np.full(len(split.records), -1)
    if folds:
        learnt = [i for i, record in enumerate(split.records) if record.split != "test"]
        records = [split.records[i] for i in learnt]
        numbers[learnt] = assign_folds(records, split.task.classes, folds, seed)
    return Dealt(split, tuple(numbers.tolist()))


def count_parts(parts: Mapping[str, Sequence[Record]], task: Task) -> Counts:
    """Count what each part of a cohort holds.

    Returns:
        By row (exams, each class, patients, each group), then by part.
    """
    rows: dict[str, dict[str, int]] = {"exams": {p: len(some) for p, some in parts.items()}}
    for part, records in parts.items():
        for name, exams in strata(records, task):
            rows.setdefault(name, {})[part] = len(exams)
    return {**rows, **count_bound(parts)}


def count_bound(parts: Mapping[str, Sequence[Record]]) -> Counts:
    """Count what parts should not share: patients, and the exams of each group.

    Returns:
        By row (patients, each group), then by part.
    """
    groups = sorted({r.group for records in parts.values() for r in records if r.group})
    rows = {"patients": {p: len({r.patient for r in some}) for p, some in parts.items()}}
    for group in groups:
        rows[f"of {group}"] = {p: sum(r.group == group for r in s) for p, s in parts.items()}
    return rows
