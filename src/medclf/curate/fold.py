"""Deal patients into parts so that every part holds each class in the share it should.

A patient's exams stay together, and so do all patients of one group, as of one site, where the
records name groups; a group then counts as a patient. Patients with the same count of each class
are interchangeable, so we deal kinds of patients rather than patients: first each part's whole
share of every kind, then the rest one by one to where it helps most, those heavy in a rare class
first; then come moves and swaps between two parts until none helps. Helping means less chi-square
distance from the shares wanted, and before all, no part without a class. The best of several
starts counts, and which patient of a kind goes where is drawn by the seed.

Source: Sechidis, Tsoumakas, Vlahavas. On the Stratification of Multi-Label Data. ECML PKDD 2011,
for the idea of serving the rarest label first; the moves and swaps are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.core.record import Record
from medclf.curate.bind import bind
from medclf.curate.problem import count
from medclf.errors import CohortError, SettingError

Counts = NDArray[np.int64]
Costs = NDArray[np.float64]

ABSENT = 1e9
HELPS = 1e-4
STARTS = 3
PASSES = 30
SWAPPED = 250


def assign_folds(
    records: Sequence[Record], classes: int | Sequence[str], folds: int, seed: int
) -> NDArray[np.int64]:
    """Give each exam a fold, stratified, with all exams of a patient in one fold.

    Args:
        records: With labels; their order does not matter.
        classes: How many classes there are, or their names for messages.
        folds: 2 or more.
        seed: Draws which patients go where.

    Returns:
        The number of the fold of each record.

    Raises:
        CohortError: an exam has no label, or a class has fewer patients than there are folds.
        SettingError: fewer than two folds.

    Example:
        >>> from pathlib import Path
        >>> from medclf.core.record import Source
        >>> eight = [Record(f"{i}", {"image": Source(Path("x"))}, f"{i}", i % 2) for i in range(8)]
        >>> np.bincount(assign_folds(eight, classes=2, folds=4, seed=0)).tolist()
        [2, 2, 2, 2]
    """
    if folds < 2:
        raise SettingError(f"two folds or more wanted, not {folds}")
    names = tuple(map(str, range(classes))) if isinstance(classes, int) else classes
    shares = np.full(folds, 1 / folds)
    return deal_patients(records, names, shares, np.random.default_rng(seed), f"{folds} folds")


def deal_patients(
    records: Sequence[Record],
    classes: Sequence[str],
    shares: Costs,
    rng: np.random.Generator,
    parts: str,
) -> NDArray[np.int64]:
    """Deal exams into parts by patient, stratified by label.

    Args:
        records: With labels, in any order: the result hangs on their names alone.
        classes: Names, for messages.
        shares: Of each part; their sum is 1.
        rng: Draws which patients go where.
        parts: What the parts are, for messages.

    Returns:
        The number of the part of each record.

    Raises:
        CohortError: an exam has no label, or a class has too few patients.
    """
    of = bind(records)
    marks = count_labels(records, len(classes))
    counts = np.zeros((of.max(initial=-1) + 1, marks.shape[1]), np.int64)
    np.add.at(counts, of, marks)
    whose = "group" if any(record.group for record in records) else "patient"
    _check_enough(counts, classes, len(shares), parts, whose)
    wide = np.concatenate([counts, np.bincount(of)[:, None]], axis=1)
    kinds, kind_of, many = np.unique(wide, axis=0, return_inverse=True, return_counts=True)
    table = min((_deal(kinds, many, shares, rng) for _ in range(STARTS)), key=_Table.cost)
    if missing := np.flatnonzero((table.held == 0).any(0)).tolist():
        raise CohortError(
            f"{_stratum(missing[0], classes)} cannot stand in each of {parts}: its patients are "
            "few and bear other classes as well"
        )
    dealt = np.empty(len(counts), np.int64)
    by_kind = np.split(np.argsort(kind_of, kind="stable"), np.cumsum(many)[:-1])
    for members, row in zip(by_kind, table.dealt, strict=True):
        dealt[rng.permutation(members)] = np.repeat(np.arange(len(shares)), row)
    return dealt[of]


def count_labels(records: Sequence[Record], classes: int) -> Counts:
    """Mark which strata each exam is in: its class; where findings coexist, each or its absence.

    Shape:
        (N, classes), or (N, 2 * classes) where findings coexist: presences, then absences.

    Raises:
        CohortError: an exam has no label.
    """
    if unlabelled := [record.name for record in records if record.label is None]:
        raise CohortError(
            f"{len(unlabelled)} of {len(records)} exams have no label: {', '.join(unlabelled[:3])}"
        )
    if records and isinstance(records[0].label, tuple):
        present = np.array([record.label for record in records], np.int64)
        return np.concatenate([present, 1 - present], axis=1)
    numbers = np.array([record.label for record in records], np.int64)
    return np.eye(classes, dtype=np.int64)[numbers]


def _stratum(number: int, classes: Sequence[str]) -> str:
    absent = "the absence of " if number >= len(classes) else ""
    return f"{absent}class {classes[number % len(classes)]}"


def _check_enough(
    counts: Counts, classes: Sequence[str], needed: int, parts: str, whose: str
) -> None:
    patients = (counts > 0).sum(0)
    few = [int(s) for s in np.argsort(patients, kind="stable") if patients[s] < needed]
    if few:
        exams = counts.sum(0)
        told = ", ".join(
            f"{_stratum(s, classes)} has {count(int(patients[s]), whose)} "
            f"({count(int(exams[s]), 'exam')})"
            for s in few[:3]
        )
        more = f" and {count(len(few) - 3, 'class', 'classes')} more" if len(few) > 3 else ""
        raise CohortError(f"{told}{more}: {needed} {whose}s wanted, one for each of {parts}")


def _deal(kinds: Counts, many: Counts, shares: Costs, rng: np.random.Generator) -> "_Table":
    """Deal kinds of patients once; where the rest begins is chance, so that starts differ."""
    table = _Table.start(kinds, many, shares)
    rest = many - table.dealt.sum(1)
    queue = rng.permutation(np.repeat(np.arange(len(rest)), rest))
    size = table.scaled.max(1).round(9)
    for kind in queue[np.argsort(-size[queue], kind="stable")]:
        costs = [table.enter(np.array([kind]), part, 0)[0] for part in range(len(shares))]
        table.give(int(kind), int(np.argmin(costs)))
    _improve(table, rng)
    return table


@dataclass(frozen=True)
class _Table:
    """What lies where while we deal; the arrays `dealt`, `held` and `excess` change in place.

    Args:
        kinds: (U, S) exams of each stratum, and in all, that a patient of the kind brings.
        scaled: (U, S + 1) the same beside a one for the patient, over the roots of the totals.
        shares: (P,) wanted.
        dealt: (U, P) patients of each kind in each part.
        held: (P, S) exams of each stratum in each part.
        excess: (P, S + 1) how far each part lies above its share, scaled.
    """

    kinds: Counts
    scaled: Costs
    shares: Costs
    dealt: Counts
    held: Counts
    excess: Costs

    @classmethod
    def start(cls, kinds: Counts, many: Counts, shares: Costs) -> "_Table":
        """Give each part the whole patients of its share of every kind."""
        dealt = np.floor(many[:, None] * shares + 1e-9).astype(np.int64)
        brings = np.concatenate([kinds, np.ones((len(kinds), 1))], axis=1)
        scaled = brings / np.sqrt(np.maximum(many @ brings, 1))
        excess = dealt.T @ scaled - shares[:, None] * (many @ scaled)
        return cls(kinds, scaled, shares, dealt, dealt.T @ kinds, excess)

    def give(self, kind: int, part: int, number: int = 1) -> None:
        """Put patients of a kind into a part; a negative number takes them out."""
        self.dealt[kind, part] += number
        self.held[part] += number * self.kinds[kind]
        self.excess[part] += number * self.scaled[kind]

    def cost(self) -> float:
        """Chi-square distance from the shares, and before all, strata that a part lacks."""
        far = float((self.excess**2 / self.shares[:, None]).sum())
        return far + ABSENT * float((self.held == 0).sum())

    def enter(self, kinds: Counts, part: int, absent: float = ABSENT) -> Costs:
        """Change of cost as one more patient of each of these kinds comes to the part."""
        scaled, brings = self.scaled[kinds], self.kinds[kinds] > 0
        far = (2 * scaled @ self.excess[part] + (scaled**2).sum(1)) / self.shares[part]
        fills = (brings & (self.held[part] == 0)).sum(1)
        return np.asarray(far - absent * fills, np.float64)

    def leave(self, kinds: Counts, part: int) -> Costs:
        """Change of cost as one patient of each of these kinds leaves the part."""
        scaled, brings = self.scaled[kinds], self.kinds[kinds]
        far = ((scaled**2).sum(1) - 2 * scaled @ self.excess[part]) / self.shares[part]
        empties = ((brings > 0) & (self.held[part] <= brings)).sum(1)
        return np.asarray(far + ABSENT * empties, np.float64)


def _improve(table: _Table, rng: np.random.Generator) -> None:
    """Move and swap patients between two parts until nothing helps."""
    parts = len(table.shares)
    pairs = [(a, b) for a in range(parts) for b in range(parts) if a != b]
    for _ in range(PASSES):
        helped = False
        for number in rng.permutation(len(pairs)):
            here, there = pairs[number]
            helped |= _move(table, here, there) or _swap(table, here, there, rng)
        if not helped:
            return


def _move(table: _Table, here: int, there: int) -> bool:
    """Make the best move of a patient, if it helps."""
    kinds = np.flatnonzero(table.dealt[:, here])
    if not len(kinds):
        return False
    costs = table.leave(kinds, here) + table.enter(kinds, there)
    best = int(np.argmin(costs))
    if costs[best] > -HELPS:
        return False
    table.give(int(kinds[best]), here, -1)
    table.give(int(kinds[best]), there)
    return True


def _swap(table: _Table, here: int, there: int, rng: np.random.Generator) -> bool:
    """Make the best exchange of two patients, if it helps; of many kinds, only some are tried."""
    left, right = (
        rng.permutation(np.flatnonzero(table.dealt[:, part]))[:SWAPPED] for part in (here, there)
    )
    if not (len(left) and len(right)):
        return False
    costs = np.add.outer(
        table.leave(left, here) + table.enter(left, there),
        table.leave(right, there) + table.enter(right, here),
    )
    weight = 1 / table.shares[here] + 1 / table.shares[there]
    costs -= 2 * weight * (table.scaled[left] @ table.scaled[right].T)
    i, j = np.unravel_index(int(np.argmin(costs)), costs.shape)
    if costs[i, j] > -HELPS:
        return False
    for kind, source, target in ((left[i], here, there), (right[j], there, here)):
        table.give(int(kind), source, -1)
        table.give(int(kind), target)
    return True
