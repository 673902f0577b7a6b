"""Exams that show the same are kept together where exams are dealt.

A picture that was learnt from tells nothing when it is tested on, whatever it was cropped or
brightened to since. So the patients of such exams count as one patient. Splits that the data
themselves state are left as they are: exams are joined within each of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from medclf.core.cohort import Cohort
from medclf.curate.problem import count

MOST = 20_000
"""Images among which near copies are looked for: each is compared with each, which for these
takes about a minute of one core."""

LARGEST = 1 / 3
"""The largest share of the exams that copies are. Where more are alike, they are of one kind."""


def join_exams(cohort: Cohort, groups: Iterable[Sequence[int]], why: str) -> Cohort:
    """Count the patients of exams that belong together as one.

    Args:
        cohort: Split or not.
        groups: Numbers of the exams that belong together; those of one split are joined.
        why: What they have in common, for the note.

    Returns:
        The cohort with a note on how many patients were joined; as it was, where none were.

    Example:
        >>> from medclf.core.record import Record
        >>> from medclf.core.task import Task
        >>> from pathlib import Path
        >>> three = tuple(Record(name, {}, name) for name in "abc")
        >>> joined = join_exams(Cohort(three, Task(("a", "b")), Path()), [(0, 2)], "a picture")
        >>> [record.patient for record in joined.records]
        ['a', 'b', 'a']
    """
    records = cohort.records
    owner = {record.patient: record.patient for record in records}

    def root(patient: str) -> str:
        while owner[patient] != patient:
            patient = owner[patient]
        return patient

    for group in groups:
        first: dict[str, str] = {}
        for record in (records[number] for number in group):
            held = first.setdefault(record.split, record.patient)
            owner[root(record.patient)] = root(held)
    joined = sum(patient != lead for patient, lead in owner.items())
    if not joined:
        return cohort
    told = f"{count(joined, 'patient')} with {why} that another has too"
    note = f"{told}: those who share one count as one patient."
    # The first by name stands for all, in whatever order they were joined.
    lead = {root(patient): patient for patient in sorted(owner, reverse=True)}
    records = tuple(replace(r, patient=lead[root(r.patient)]) for r in records)
    return replace(cohort, records=records, notes=(*cohort.notes, note))


def tell_many(images: int) -> str:
    """Note that near copies were not looked for."""
    return (
        f"Near copies were not looked for among {images:,} images, which are more than {MOST:,}: "
        "only equal images are kept together, and the exams of a patient."
    )


def join_alike(cohort: Cohort, groups: Iterable[Sequence[int]]) -> Cohort:
    """Count the patients of exams with near copies as one, and note which are not taken for such.

    Args:
        cohort: Split or not.
        groups: Numbers of the exams that look the same.
    """
    small, large = list[Sequence[int]](), list[Sequence[int]]()
    for group in groups:
        (large if len(group) > LARGEST * len(cohort.records) else small).append(group)
    joined = join_exams(cohort, small, "an image of the same look")
    if not large:
        return joined
    told = f"{count(max(map(len, large)), 'exam')} look the same, which is more than a third"
    note = f"{told}: they are taken for images of one kind, and not for copies."
    return replace(joined, notes=(*joined.notes, note))
