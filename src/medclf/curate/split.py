"""Keep patients apart: learn who they are, and fill in the split that the data do not say.

The patient may be in the path, as a pattern of the person's says.
What the data say of splits is kept: a published test split stays as it is, and validation is
carved out of its train split. A patient on both sides of a given split is refused, since every
score would then be too good. The dealing is that of the folds, with unequal shares.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import SPLITS, Record, Source
from medclf.core.task import Task
from medclf.curate.fold import count_labels, deal_patients
from medclf.curate.problem import count
from medclf.errors import CohortError, SettingError


def split_cohort(
    cohort: Cohort,
    seed: int,
    val: float = 0.15,
    test: float = 0.2,
    *,
    allow_shared_patients: bool = False,
) -> Cohort:
    """Give every exam a split.

    Without any split, or where all is "train", exams are dealt into train, val and test. Where
    train and test are given, val is carved out of train. Where train and val are given, they stay
    and there is no test split.

    Args:
        cohort: Its records bear "train", "val" or "test", or all bear "".
        seed: Draws which patients go where. The order of the records does not matter.
        val: Share of the exams that are dealt.
        test: Likewise. 0 leaves the split out.
        allow_shared_patients: Let a patient stand in two given splits; what is dealt here is
            dealt by patient all the same.

    Returns:
        The records in their order, each with its split, and notes on what was done.

    Raises:
        CohortError: only some exams have a split, none is to be trained on, a patient stands in
            two splits, or a class is too small to stand in each.
        SettingError: the seed or a share is negative, or nothing is left to train on.
    """
    if seed < 0:
        raise SettingError(f"a seed from 0 on wanted, found {seed}")
    if min(val, test) < 0 or val + test >= 1:
        raise SettingError(f"val and test are shares that leave some to train: {val}, {test}")
    given = Counter(record.split for record in cohort.records)
    where = str(cohort.origin)
    _check_given(given, where)
    if not allow_shared_patients:
        _check_patients(cohort.records, where)
    if "" in given or set(given) == {"train"}:
        shares = {"train": 1 - val - test, "val": val, "test": test}
        told = "Split by patient and class"
    elif "val" not in given:
        shares = {"train": 1 - val, "val": val}
        told = "The test split is the data's own; val is carved out of train by patient and class"
    else:
        told = "The splits are the data's own"
        if "test" not in given:
            told += "; there is no test split, so nothing tells how good the result is in new cases"
        return _noted(cohort, told)
    shares = {name: share for name, share in shares.items() if share > 0}
    return _noted(_dealt(cohort, shares, seed), f"{told}, seed {seed}")


def _check_given(given: Counter[str], where: str) -> None:
    unknown = sorted(set(given) - {"", *SPLITS})
    if unknown:
        raise CohortError(f"{where}: splits are {', '.join(SPLITS)}, not {unknown[0]!r}")
    if "" in given and len(given) > 1:
        told = ", ".join(f"{given[name]} in {name}" for name in SPLITS if name in given)
        raise CohortError(
            f"{where}: {count(given[''], 'exam')} without a split, but others have one ({told}): "
            "a split for all or for none is wanted"
        )
    if "" not in given and "train" not in given:
        raise CohortError(f"{where}: no exam to train on: all are in {' or '.join(sorted(given))}")


def _check_patients(records: Sequence[Record], where: str) -> None:
    """Refuse a patient who stands in two given splits."""
    splits: dict[str, set[str]] = {}
    for record in records:
        splits.setdefault(record.patient, set()).add(record.split)
    shared = sorted(patient for patient, some in splits.items() if len(some) > 1)
    if shared:
        told = ", ".join(
            f"{patient} ({' and '.join(s for s in SPLITS if s in splits[patient])})"
            for patient in shared[:3]
        )
        more = ", …" if len(shared) > 3 else ""
        raise CohortError(f"{where}: {count(len(shared), 'patient')} in two splits: {told}{more}")


def _dealt(cohort: Cohort, shares: dict[str, float], seed: int) -> Cohort:
    """Deal the exams that are not fixed, which are those without a split or in train."""
    names = list(shares)
    free = [i for i, record in enumerate(cohort.records) if record.split in ("", "train")]
    chosen = [cohort.records[i] for i in free]
    wanted = np.array(list(shares.values()))
    rng = np.random.default_rng(seed)
    try:
        parts = deal_patients(chosen, cohort.task.classes, wanted, rng, ", ".join(names))
    except CohortError as problem:
        raise CohortError(f"{cohort.origin}: {problem}") from problem
    records = list(cohort.records)
    for i, part in zip(free, parts, strict=True):
        records[i] = replace(records[i], split=names[part])
    return replace(cohort, records=tuple(records))


def _noted(cohort: Cohort, told: str) -> Cohort:
    """Add notes: how many exams and patients each split holds, and which classes it lacks."""
    sizes, lacking = [], []
    for name in SPLITS:
        records = [record for record in cohort.records if record.split == name]
        if not records:
            continue
        patients = len({record.patient for record in records})
        sizes.append(f"{name} {count(len(records), 'exam')} of {count(patients, 'patient')}")
        lacking += [f"{what} in {name}" for what in _lacking(records, cohort.task)]
    notes = [f"{told}: {', '.join(sizes)}."]
    if lacking:
        notes.append(f"Not every split holds every class: no {', no '.join(lacking)}.")
    return replace(cohort, notes=(*cohort.notes, *notes))


def _lacking(records: Sequence[Record], task: Task) -> list[str]:
    labelled = [record for record in records if record.label is not None]
    counts = count_labels(labelled, len(task.classes)).sum(0)
    names = [*task.classes, *(f"absence of {name}" for name in task.classes)]
    return [names[number] for number in np.flatnonzero(counts == 0)]


def name_patients(
    records: Sequence[Record], pattern: str, root: Path
) -> tuple[tuple[Record, ...], list[str]]:
    """Learn each record's patient from the path of its first image.

    Args:
        records: To be named.
        pattern: A regular expression, searched in the path below `root`. Its group `patient`, or
            else its first group that takes part, is the patient.
        root: DATA.

    Returns:
        The records, and a note on those that the pattern does not fit: they keep their patient.

    Raises:
        CohortError: the pattern fits no path.
        SettingError: the pattern is no regular expression, or has no group.
    """
    try:
        rule = re.compile(pattern)
    except re.error as problem:
        raise SettingError(f"--patient-pattern {pattern!r}: {problem}") from problem
    if not rule.groups:
        raise SettingError(f"--patient-pattern {pattern!r}: a group (…) around the patient wanted")
    base = root if root.is_dir() else root.parent
    paths = [_below(next(iter(record.images.values())).first, base) for record in records]
    found = [_patient(rule, path) for path in paths]
    missed = [path for path, patient in zip(paths, found, strict=True) if patient is None]
    if len(missed) == len(records):
        raise CohortError(f"--patient-pattern {pattern!r} fits no path, such as {missed[0]!r}")
    named = tuple(
        replace(record, patient=patient or record.patient)
        for record, patient in zip(records, found, strict=True)
    )
    told = count(len(set(found) - {None}), "patient")
    notes = [f"The pattern {pattern!r} finds {told} in the paths."]
    if missed:
        notes.append(f"It does not fit {count(len(missed), 'path')}, such as {missed[0]!r}.")
    return named, notes


def _below(source: Source, base: Path) -> str:
    inside = source.path.is_relative_to(base)
    path = source.path.relative_to(base) if inside else source.path
    return source.member or path.as_posix()


def _patient(rule: re.Pattern[str], path: str) -> str | None:
    found = rule.search(path)
    if found is None:
        return None
    if "patient" in rule.groupindex:
        return found["patient"]
    return next((group for group in found.groups() if group), None)
