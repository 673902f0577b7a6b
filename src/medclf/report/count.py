"""How many exams and patients of each class stand in each split, and what the facts say of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import SPLITS, Fact, Record
from medclf.evaluate.identity import tells_who
from medclf.evaluate.subgroup import is_free_text
from medclf.report.words import percent

WORDS_SHOWN = 5


@dataclass(frozen=True)
class Counts:
    """The size of one split.

    Args:
        split: "train", "val", "test", or "" for exams in none.
        exams: By class. Where findings coexist an exam may count in several classes, or in none.
        patients: By class; one patient may count in several.
        all_exams: Exams of the split, each once.
        all_patients: Patients of the split, each once.
    """

    split: str
    exams: tuple[int, ...]
    patients: tuple[int, ...]
    all_exams: int
    all_patients: int


def count_splits(cohort: Cohort) -> tuple[Counts, ...]:
    """Count a cohort by split: train, val, test, and none; empty ones are left out."""
    places = (*SPLITS, "")
    members = {p: [r for r in cohort.records if r.split == p] for p in places}
    classes = len(cohort.task.classes)
    return tuple(_count(place, members[place], classes) for place in places if members[place])


def summarise_facts(records: Sequence[Record]) -> tuple[tuple[str, str], ...]:
    """Say of each fact, in one line, how it is distributed.

    Values that may tell who patients are, or that are names of their own, are only counted.

    Example:
        >>> records = [Record(str(i), {}, "", facts={"age": a}) for i, a in enumerate((40, 60, 50))]
        >>> summarise_facts(records)
        (('age', 'median 50, from 40 to 60'),)
    """
    names = dict.fromkeys(name for record in records for name in record.facts)
    people = [record.patient for record in records]
    found = {name: [record.facts.get(name) for record in records] for name in names}
    return tuple(
        (name, _summarise(values, tells_who(name, values, people)))
        for name, values in found.items()
    )


def _count(split: str, records: Sequence[Record], classes: int) -> Counts:
    exams = [0] * classes
    patients: list[set[str]] = [set() for _ in range(classes)]
    for record in records:
        for k in _labels(record):
            exams[k] += 1
            patients[k].add(record.patient)
    everyone = {record.patient for record in records}
    by_class = tuple(len(some) for some in patients)
    return Counts(split, tuple(exams), by_class, len(records), len(everyone))


def _labels(record: Record) -> Iterable[int]:
    if record.label is None:
        return ()
    if isinstance(record.label, tuple):
        return [k for k, there in enumerate(record.label) if there]
    return (int(record.label),)


def _summarise(values: Sequence[Fact], secret: bool) -> str:
    known = [v for v in values if v is not None and v == v]
    missing = f", {len(values) - len(known):,} missing" if len(known) < len(values) else ""
    if not known:
        return "always missing"
    counts = Counter(str(v) for v in known)
    if secret:
        return f"{len(counts):,} different values{missing}"
    numbers = [v for v in known if isinstance(v, int | float)]
    if len(numbers) == len(known):
        low, middle, high = np.quantile(numbers, (0, 0.5, 1))
        return f"median {middle:.6g}, from {low:.6g} to {high:.6g}{missing}"
    if is_free_text(counts):
        return f"{len(counts):,} different values{missing}"
    common = counts.most_common()
    shown = ", ".join(f"{word} {percent(n / len(known))}" for word, n in common[:WORDS_SHOWN])
    rest = f", {len(common) - WORDS_SHOWN} more" if len(common) > WORDS_SHOWN else ""
    return f"{shown}{rest}{missing}"
