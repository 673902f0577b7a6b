"""What the records alone tell is wrong: patients, splits, labels, classes and missing facts.

No pixel is looked at. The questions are those that must be answered with yes before a score means
anything: does each patient stand in one split, is every class there in each, and does it matter?
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from medclf.core.cohort import Cohort
from medclf.core.record import SPLITS, Fact, Record
from medclf.core.task import Task
from medclf.curate.problem import Problem, count, merge, tell

SCARCE_TESTED = 10
SCARCE_UNSPLIT = 50


def check_records(cohort: Cohort) -> list[Problem]:
    """Find what is wrong with the records of a cohort, without reading an image."""
    return [
        *_check_patients(cohort.records),
        *_check_groups(cohort.records),
        *_check_splits(cohort.records),
        *_check_labels(cohort),
        *_check_classes(cohort),
        *_check_facts(cohort.records),
    ]


def strata(records: Sequence[Record], task: Task) -> Iterator[tuple[str, list[Record]]]:
    """Part the exams by class; where findings coexist, by the presence and absence of each."""
    labelled = [record for record in records if record.label is not None]
    for number, name in enumerate(task.classes):
        if task.kind != "coexisting":
            yield name, [r for r in labelled if r.label == number]
            continue
        marks = [(r, r.label[number]) for r in labelled if isinstance(r.label, tuple)]
        yield name, [r for r, mark in marks if mark]
        yield f"without {name}", [r for r, mark in marks if not mark]


def _check_patients(records: Sequence[Record]) -> Iterator[Problem]:
    splits: dict[str, set[str]] = defaultdict(set)
    exams: dict[str, list[str]] = defaultdict(list)
    for record in records:
        splits[record.patient].add(record.split)
        exams[record.patient].append(record.name)
    torn = [patient for patient, some in splits.items() if len(some - {""}) > 1]
    if torn:
        told = tell(f"{p} in {' and '.join(s for s in SPLITS if s in splits[p])}" for p in torn)
        groups = tuple(tuple(exams[patient]) for patient in torn)
        message = f"{count(len(torn), 'patient')} in more than one split: {told}"
        yield Problem("patient_in_two_splits", True, message, merge(groups), groups)


def _check_groups(records: Sequence[Record]) -> Iterator[Problem]:
    """Find groups that the person said belong together, and that the data's splits part."""
    splits: dict[str, set[str]] = defaultdict(set)
    exams: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.group and record.split:
            splits[record.group].add(record.split)
            exams[record.group].append(record.name)
    torn = [group for group, some in splits.items() if len(some) > 1 and "test" in some]
    if torn:
        told = tell(f"{g} in {' and '.join(s for s in SPLITS if s in splits[g])}" for g in torn)
        groups = tuple(tuple(exams[group]) for group in torn)
        message = f"{count(len(torn), 'group')} in test and learnt from: {told}"
        yield Problem("group_in_two_splits", True, message, merge(groups), groups)


def _check_splits(records: Sequence[Record]) -> Iterator[Problem]:
    splits = Counter(record.split for record in records)
    without = [record.name for record in records if not record.split]
    if without and len(splits) > 1:
        message = f"{count(len(without), 'exam')} without a split, where others have one: "
        yield Problem("some_without_split", True, message + tell(without), tuple(without))
    unknown = [record for record in records if record.split not in ("", *SPLITS)]
    if unknown:
        words = tell(sorted({repr(record.split) for record in unknown}))
        message = f"splits are {', '.join(SPLITS)}, found {words}"
        yield Problem("unknown_split", True, message, tuple(r.name for r in unknown))
    if not without and "train" not in splits:
        message = f"no exam to train on: all are in {' and '.join(sorted(splits))}"
        yield Problem("no_training", True, message)


def _check_labels(cohort: Cohort) -> Iterator[Problem]:
    without = [record.name for record in cohort.records if record.label is None]
    if without:
        message = f"{count(len(without), 'exam')} without a label: {tell(without)}"
        yield Problem("missing_label", False, message, tuple(without))
    spelt: dict[str, list[str]] = defaultdict(list)
    for name in cohort.task.classes:
        plain = re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", name.strip().casefold())
        spelt[plain].append(name)
    variants = [names for names in spelt.values() if len(names) > 1]
    if variants:
        told = tell(" and ".join(map(repr, names)) for names in variants)
        numbers = {cohort.task.classes.index(name) for names in variants for name in names}
        exams = tuple(r.name for r in cohort.records if numbers & set(_numbers(r)))
        yield Problem("label_variant", True, f"classes differ only in spelling: {told}", exams)


def _numbers(record: Record) -> tuple[int, ...]:
    """List the classes that an exam bears."""
    if isinstance(record.label, tuple):
        return tuple(number for number, mark in enumerate(record.label) if mark)
    return () if record.label is None else (record.label,)


def _check_classes(cohort: Cohort) -> Iterator[Problem]:
    found = dict(strata(cohort.records, cohort.task))
    if cohort.task.kind != "coexisting" and sum(map(bool, found.values())) < 2:
        bears = tell(name for name, exams in found.items() if exams) or "none"
        yield Problem("few_classes", True, f"two classes or more wanted, exams bear only {bears}")
        return
    splits = {record.split for record in cohort.records}
    absent = {name: why for name, exams in found.items() if (why := _absent(exams, splits))}
    if absent:
        told = tell(f"{name} ({why})" for name, why in absent.items())
        exams = merge([r.name for r in found[name]] for name in absent)
        message = f"{count(len(absent), 'class', 'classes')} too small to stand in each split"
        yield Problem("small_class", True, f"{message}: {told}", exams)
    where, least = ("in test", SCARCE_TESTED) if "test" in splits else ("in all", SCARCE_UNSPLIT)
    measured = {
        name: [r for r in exams if r.split == "test" or "test" not in splits]
        for name, exams in found.items()
        if name not in absent
    }
    scarce = {name: exams for name, exams in measured.items() if len(exams) < least}
    if scarce:
        told = tell(f"{name} ({len(exams)} {where})" for name, exams in scarce.items())
        message = f"{count(len(scarce), 'class', 'classes')} so small that figures will be rough"
        exams = merge([r.name for r in some] for some in scarce.values())
        yield Problem("small_class", False, f"{message}: {told}", exams)


def _absent(exams: Sequence[Record], splits: set[str]) -> str:
    """Tell why a class cannot stand in each split, or nothing where it can.

    Exams without a split will be dealt by patient into train, val and test, which takes three.
    Where there is no val, it will be carved out of train, which takes two.
    """
    patients = len({record.patient for record in exams})
    if "" in splits or splits == {"train"}:
        return "" if patients >= 3 else f"{count(patients, 'patient')}, 3 wanted"
    lacking = sorted(splits - {record.split for record in exams})
    if lacking:
        return f"none in {' and '.join(lacking)}"
    trained = len({record.patient for record in exams if record.split == "train"})
    if "val" not in splits and trained < 2:
        return f"{count(trained, 'patient')} in train, 2 wanted for val as well"
    return ""


def _check_facts(records: Sequence[Record]) -> Iterator[Problem]:
    missing: Counter[str] = Counter()
    exams = []
    for record in records:
        lacking = [name for name, value in record.facts.items() if is_missing(value)]
        missing.update(lacking)
        if lacking:
            exams.append(record.name)
    if missing:
        told = tell((f"{name} in {n:,}" for name, n in missing.most_common()), most=5)
        message = f"{count(len(exams), 'exam')} with missing values: {told}"
        yield Problem("missing_values", False, message, tuple(exams))


def is_missing(value: Fact) -> bool:
    """Tell whether a fact is not known.

    Example:
        >>> is_missing(None), is_missing(float("nan")), is_missing(0.0)
        (True, True, False)
    """
    return value is None or value == "" or value != value
