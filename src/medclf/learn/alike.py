"""Exams whose prepared images look the same are dealt into one part.

The images lie prepared in a store, so that no file is read again: each is shrunk to a thumbnail,
and all are compared with all.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medclf.core.cohort import Cohort
from medclf.curate.balance import deal_apart, is_dealt
from medclf.curate.copies import group_copies
from medclf.curate.join import MOST, join_alike, tell_many
from medclf.curate.split import split_cohort
from medclf.curate.thumbnail import shrink
from medclf.learn.settings import Fit
from medclf.prepare.store import Store
from medclf.prepare.threads import in_order

AT_ONCE = 64

Names = list[list[str]]


def deal_prepared(cohort: Cohort, store: Store, fit: Fit) -> tuple[Cohort, Names]:
    """Deal exams into splits, those that look the same into one, and into one fold where they may.

    Args:
        cohort: With one patient for exams of equal images.
        store: Their images, in the same order.
        fit: Its seed, and its folds.

    Returns:
        The cohort with splits, and the names of the exams that were kept together.

    Raises:
        CohortError: the exams cannot be split.
    """
    if not is_dealt(cohort, fit.folds):
        return split_cohort(cohort, fit.seed), []
    if len(store.values) > MOST:
        noted = replace(cohort, notes=(*cohort.notes, tell_many(len(store.values))))
        return split_cohort(noted, fit.seed), []
    groups = find_alike(store)
    if not groups:
        return split_cohort(cohort, fit.seed), []
    dealt = deal_apart(cohort, groups, fit.seed, folds=fit.folds).cohort
    pairs = zip(dealt.records, cohort.records, strict=True)
    if all(one.patient == other.patient for one, other in pairs):
        return dealt, []
    return dealt, [[cohort.records[number].name for number in group] for group in groups]


def find_alike(store: Store) -> list[list[int]]:
    """Find exams with images that look the same: their numbers, two or more in each group."""
    total = len(store.values)

    def work(first: int) -> list[np.ndarray]:
        rows = np.arange(first, min(first + AT_ONCE, total))
        return [shrink(values) for values in store.batch(rows)]

    parts = in_order(work, range(0, total, AT_ONCE))
    thumbnails = np.stack([thumbnail for part in parts for thumbnail in part])
    exams = (np.unique(store.exam_index[list(rows)]) for rows in group_copies(thumbnails))
    return [numbers.tolist() for numbers in exams if len(numbers) > 1]


def join_named(cohort: Cohort, names: Sequence[Sequence[str]]) -> Cohort:
    """Keep those exams together that `deal_prepared` kept together."""
    numbers = {record.name: number for number, record in enumerate(cohort.records)}
    return join_alike(cohort, [[numbers[n] for n in some if n in numbers] for some in names])
