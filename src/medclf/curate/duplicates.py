"""Duplicates: the same image more than once in a cohort, to the pixel or to the eye.

Copies that stand in two splits make the test easier than the clinic, and copies with two labels
make one of them wrong. Images with the same digest are exact duplicates. Of each digest one image
is compared with all others by its thumbnail, and whatever hangs together by likeness is a group.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from medclf.core.record import SPLITS, Record
from medclf.curate.copies import Group, group_copies
from medclf.curate.problem import Problem, count, merge, tell
from medclf.curate.survey import Look


def find_duplicates(records: Sequence[Record], looks: Sequence[Look]) -> list[Problem]:
    """Find images that stand in a cohort more than once.

    Args:
        records: Of the whole cohort.
        looks: At all their images.

    Returns:
        At most one problem of each of the kinds image_in_two_splits, two_labels, exact_duplicate
        and near_duplicate.
    """
    known = {record.name: record for record in records}
    exact, near = (
        _worst_first(known, _exams(looks, groups))
        for groups in (group_exact(looks), group_near(looks))
    )
    return _exact_problems(known, exact) + _near_problems(known, near)


def group_exact(looks: Sequence[Look]) -> list[Group]:
    """Group images of equal pixels; constant ones are left out, since they show nothing.

    Returns:
        Numbers of the looks, two or more in each group.
    """
    by_digest: dict[str, list[int]] = defaultdict(list)
    for number, look in enumerate(looks):
        if look.digest and not look.constant:
            by_digest[look.digest].append(number)
    return [tuple(group) for group in by_digest.values() if len(group) > 1]


def group_near(looks: Sequence[Look]) -> list[Group]:
    """Group images that show the same but differ in pixels.

    Returns:
        Numbers of the looks, with the exact copies of each.
    """
    copies: dict[str, list[int]] = defaultdict(list)
    for number, look in enumerate(looks):
        if look.digest and not look.constant:
            copies[look.digest].append(number)
    groups: list[Group] = []
    for dims in (2, 3):
        first = [same[0] for same in copies.values() if len(looks[same[0]].space) == dims]
        if len(first) < 2:
            continue
        for cluster in group_copies(np.stack([looks[number].thumbnail for number in first])):
            members = [number for i in cluster for number in copies[looks[first[i]].digest]]
            groups.append(tuple(sorted(members)))
    return sorted(groups)


def _exams(looks: Sequence[Look], groups: Iterable[Group]) -> list[tuple[str, ...]]:
    """Name the exams of each group, each once; a group may lie within one exam."""
    return [tuple(dict.fromkeys(looks[number].exam for number in group)) for group in groups]


def _worst_first(
    known: Mapping[str, Record], groups: Iterable[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Put groups across splits first, then those with several labels, then several patients."""
    return sorted(
        groups,
        key=lambda group: (
            len(_splits(known, group)) < 2,
            len(_labels(known, group)) < 2,
            len(_patients(known, group)) < 2,
        ),
    )


def _exact_problems(
    known: Mapping[str, Record], groups: Sequence[tuple[str, ...]]
) -> list[Problem]:
    torn = [group for group in groups if len(_splits(known, group)) > 1]
    contrary = [group for group in groups if len(_labels(known, group)) > 1]
    problems = []
    if torn:
        message = (
            f"{count(len(torn), 'image')} in more than one split, pixel for pixel"
            f"{_between(known, torn)}: {_tell(torn)}"
        )
        tested = any("test" in _splits(known, group) for group in torn)
        problems.append(Problem("image_in_two_splits", tested, message, merge(torn), tuple(torn)))
    if contrary:
        grave = any(group in torn for group in contrary)
        message = (
            f"{count(len(contrary), 'image')} with more than one label, pixel for pixel: "
            f"{_tell(contrary)}"
        )
        problems.append(Problem("two_labels", grave, message, merge(contrary), tuple(contrary)))
    if groups:
        message = (
            f"{count(len(groups), 'image')} more than once, pixel for pixel, in "
            f"{count(len(merge(groups)), 'exam')}{_tell_patients(known, groups)}: {_tell(groups)}"
        )
        problems.append(Problem("exact_duplicate", False, message, merge(groups), tuple(groups)))
    return problems


def _near_problems(known: Mapping[str, Record], groups: Sequence[tuple[str, ...]]) -> list[Problem]:
    if not groups:
        return []
    torn = [group for group in groups if len(_splits(known, group)) > 1]
    contrary = sum(len(_labels(known, group)) > 1 for group in groups)
    where = f", {len(torn):,} in more than one split{_between(known, torn)}" if torn else ""
    where += f", {contrary:,} with more than one label" if contrary else ""
    where += _tell_patients(known, groups)
    message = (
        f"{count(len(groups), 'group')} of images that look the same, in "
        f"{count(len(merge(groups)), 'exam')}{where}: {_tell(groups)}"
    )
    return [Problem("near_duplicate", False, message, merge(groups), tuple(groups))]


def _between(known: Mapping[str, Record], torn: Iterable[tuple[str, ...]]) -> str:
    """Count the torn groups by the splits that they tie."""
    ties = Counter(
        "-".join(split for split in SPLITS if split in _splits(known, group)) for group in torn
    )
    return " (" + ", ".join(f"{n:,} {tie}" for tie, n in ties.most_common()) + ")"


def _splits(known: Mapping[str, Record], group: Iterable[str]) -> set[str]:
    return {known[name].split for name in group} - {""}


def _labels(known: Mapping[str, Record], group: Iterable[str]) -> set[int | tuple[int, ...] | None]:
    return {known[name].label for name in group} - {None}


def _patients(known: Mapping[str, Record], group: Iterable[str]) -> set[str]:
    return {known[name].patient for name in group}


def _tell_patients(known: Mapping[str, Record], groups: Iterable[tuple[str, ...]]) -> str:
    shared = sum(len(_patients(known, group)) > 1 for group in groups)
    return f", {shared:,} under different patients" if shared else ", each of one patient"


def _tell(groups: Iterable[tuple[str, ...]]) -> str:
    return tell([" = ".join(group[:3]) + (" = …" if len(group) > 3 else "") for group in groups])
