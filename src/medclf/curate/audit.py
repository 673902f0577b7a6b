"""An audit: what is in a cohort, and whether its scores could be believed.

Every image is read once. What the records say, what the images are and which of them are alike
gives counts for a person to look at and problems to mend, the grave ones first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import SPLITS, Record
from medclf.core.task import Task
from medclf.curate.appearance import check_looks
from medclf.curate.balance import count_bound
from medclf.curate.bookkeeping import check_records
from medclf.curate.duplicates import find_duplicates
from medclf.curate.problem import KINDS, Problem
from medclf.curate.shortcut import Foretold, check_shortcut, foretell_classes
from medclf.curate.stranger import Strangers, check_strangers, leave_unreadable
from medclf.curate.survey import Look, Progress, survey

LISTED = 8
UNKNOWN = "unknown"

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Audit:
    """What an audit found. Counts are of exams unless said otherwise; every value is a word.

    Args:
        origin: The DATA.
        task: Kind of the task and names of its classes.
        notes: What was inferred while reading the cohort.
        exams: How many.
        patients: How many differ.
        exams_per_patient: How many patients have so many exams.
        splits: Exams of each split; "" where the data state none.
        bound: Patients, and exams of each group, by split.
        classes: Exams of each class, by split; an exam without a finding counts as "none".
        images: How many, the unreadable among them.
        modalities, sizes, channels, bits, spacings_mm: Images of each. Sizes and spacings are z
            first; beyond the eight commonest they are counted together.
        problems: The grave ones first.
        strangers: Who does not look as expected; `None` where nothing is expected.
        foretold: How well the class is foretold by what is no disease.
        shown: Exams chosen for a montage, by class.
    """

    origin: str
    task: Task
    notes: tuple[str, ...]
    exams: int
    patients: int
    exams_per_patient: Counts
    splits: Counts
    bound: Mapping[str, Counts]
    classes: Mapping[str, Counts]
    images: int
    modalities: Counts
    sizes: Counts
    channels: Counts
    bits: Counts
    spacings_mm: Counts
    problems: tuple[Problem, ...]
    strangers: Strangers | None
    foretold: tuple[Foretold, ...]
    shown: tuple[str, ...]

    @property
    def grave(self) -> bool:
        """Whether honest evaluation is impossible."""
        return any(problem.grave for problem in self.problems)

    def as_dict(self) -> dict[str, object]:
        """Give all of it in what JSON knows."""
        return {**asdict(self), "grave": self.grave}


def audit(
    cohort: Cohort,
    progress: Progress | None = None,
    montage: int = 24,
    seed: int = 0,
    strangers: Strangers | None = None,
) -> Audit:
    """Read every image of a cohort, count what is there, and find what is wrong.

    Args:
        cohort: As read. A patient in two splits is found here, not refused.
        progress: Called with the number of images done and their total.
        montage: Exams to choose for a montage, at most.
        seed: Draws them, and deals the folds in which the class is foretold.
        strangers: What a run did not take for what was expected.

    Returns:
        Counts, problems, and the exams chosen. No pixels are kept.
    """
    looks = survey(cohort, progress)
    seen = [look for look in looks if not look.failure]
    records = cohort.records
    foretold = foretell_classes(cohort, looks, seed)
    strangers = leave_unreadable(strangers, looks)
    problems = [
        *check_records(cohort),
        *check_looks(looks),
        *find_duplicates(records, looks),
        *check_strangers(strangers),
        *check_shortcut(foretold),
    ]
    patients = Counter(record.patient for record in records)
    splits = _ordered(record.split for record in records)
    parts = {split: [r for r in records if r.split == split] for split in dict.fromkeys(splits)}
    return Audit(
        origin=str(cohort.origin),
        task=cohort.task,
        notes=cohort.notes,
        exams=len(records),
        patients=len(patients),
        exams_per_patient=_counted(sorted(patients.values())),
        splits=_counted(splits),
        bound=count_bound(parts),
        classes=_by_split(records, cohort.task),
        images=len(looks),
        modalities=_counted(look.modality or UNKNOWN for look in seen),
        sizes=_summarised([_product(look.space) for look in seen], "sizes"),
        channels=_counted(sorted(look.channels for look in seen)),
        bits=_counted(sorted(look.bits for look in seen)),
        spacings_mm=_summarised([_spacing(look) for look in seen], "spacings"),
        problems=tuple(sorted(problems, key=lambda p: (not p.grave, KINDS.index(p.kind)))),
        strangers=strangers,
        foretold=foretold,
        shown=_choose(cohort, looks, montage, seed),
    )


def _counted(words: Iterable[object]) -> dict[str, int]:
    return dict(Counter(map(str, words)))


def _summarised(words: Sequence[str], what: str) -> dict[str, int]:
    """Count the commonest by name, and the rest together."""
    counts = Counter(words).most_common()
    listed = dict(counts[:LISTED])
    if len(counts) > LISTED:
        listed[f"{len(counts) - LISTED:,} other {what}"] = sum(n for _, n in counts[LISTED:])
    return listed


def _product(space: Iterable[object]) -> str:
    return " × ".join(map(str, space))


def _spacing(look: Look) -> str:
    return _product(f"{mm:.3g}" for mm in look.spacing_mm) if look.spacing_mm else UNKNOWN


def _ordered(splits: Iterable[str]) -> list[str]:
    return sorted(splits, key=lambda split: (*SPLITS, split).index(split))


def _by_split(records: Sequence[Record], task: Task) -> dict[str, dict[str, int]]:
    """Count the exams of each class in each split, in the order of the classes."""
    splits = _ordered({record.split for record in records})
    rows = {name: dict.fromkeys(splits, 0) for name in task.classes}
    for record in records:
        for name in _names(record, task):
            rows.setdefault(name, dict.fromkeys(splits, 0))[record.split] += 1
    return rows


def name_class(record: Record, task: Task) -> str:
    """Name the class of an exam; where findings coexist, all that are there, or "none".

    Example:
        >>> from pathlib import Path
        >>> from medclf.core.record import Source
        >>> exam = Record("1", {"image": Source(Path("x.png"))}, "1", label=(1, 1))
        >>> name_class(exam, Task(("cyst", "nodule"), "coexisting"))
        'cyst, nodule'
    """
    return ", ".join(_names(record, task))


def _names(record: Record, task: Task) -> list[str]:
    if record.label is None:
        return ["no label"]
    if isinstance(record.label, int):
        return [task.classes[record.label]]
    found = [name for name, mark in zip(task.classes, record.label, strict=True) if mark]
    return found or ["none"]


def _choose(cohort: Cohort, looks: Sequence[Look], most: int, seed: int) -> tuple[str, ...]:
    """Draw readable exams in turn from every class, so that rare ones are seen as well."""
    unreadable = {look.exam for look in looks if look.failure}
    rng = np.random.default_rng(seed)
    rows: dict[str, list[str]] = {name: [] for name in cohort.task.classes}
    for i in rng.permutation(len(cohort.records)):
        record = cohort.records[i]
        if record.name not in unreadable:
            rows.setdefault(_names(record, cohort.task)[0], []).append(record.name)
    turns = sorted(
        (turn, order, name)
        for order, names in enumerate(rows.values())
        for turn, name in enumerate(names[:most])
    )[:most]
    return tuple(name for _, _, name in sorted(turns, key=lambda pick: (pick[1], pick[0])))
