"""Scans dealt into splits, by patient, and known again where a training goes on.

What is prepared and found lies in order of the scans, so they must come back in the order in which
they came first, with the same marks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.curate.problem import count
from medclf.curate.split import split_cohort
from medclf.errors import CohortError, RunError
from medclf.learn.align import join_copies, tell_copied
from medclf.locate.scans import Scan

Scans = tuple[Scan, ...]


def deal_scans(
    scans: Sequence[Scan], seed: int, digests: Sequence[str] = ()
) -> tuple[Scans, list[str]]:
    """Give every scan a split, by patient; scans with few and many targets are shared out alike.

    Args:
        scans: As read.
        seed: Draws which patients go where.
        digests: Of each scan as prepared, where that is known: equal ones are kept together.

    Returns:
        The scans, and notes on equal ones.

    Raises:
        CohortError: there are too few patients, splits that are given part a patient, or there is
            nothing to find in training or in validation.
    """
    joined = join_copies(as_cohort(scans), digests)
    records = split_cohort(joined, seed).records
    dealt = tuple(
        replace(scan, split=record.split, patient=record.patient)
        for scan, record in zip(scans, records, strict=True)
    )
    for split in ("train", "val"):
        if not any(scan.targets for scan in dealt if scan.split == split):
            raise CohortError(f"scans of {split} with something to find wanted, found none")
    copied = tell_copied(records, digests) if digests else []
    return dealt, [*joined.notes, *copied]


def as_cohort(scans: Sequence[Scan]) -> Cohort:
    """See scans as exams: the half with fewer targets, and the half with more."""
    order = np.argsort([len(scan.targets) for scan in scans], kind="stable")
    many = set(order[len(scans) // 2 :].tolist())
    records = [
        Record(s.name, {"image": s.source}, s.patient, int(number in many), s.split, {}, s.group)
        for number, s in enumerate(scans)
    ]
    task = Task(("fewer to be found", "more to be found"))
    return Cohort(tuple(records), task, scans[0].source.path.parent)


def sign_scans(scans: Sequence[Scan]) -> dict[str, str]:
    """Sign what is told of each scan, in order: whose it is, its split, and its marks.

    Args:
        scans: As read.
    """
    told = {scan.name: repr((scan.patient, scan.group, scan.split, scan.targets)) for scan in scans}
    return {name: sha256(words.encode()).hexdigest()[:16] for name, words in told.items()}


def order_scans(scans: Sequence[Scan], signed: Mapping[str, str], where: Path) -> Scans:
    """Put scans in the order in which a training began with them.

    Args:
        scans: As read again.
        signed: What `sign_scans` gave then.
        where: The folder of the training, for the message.

    Raises:
        RunError: there are others, or other things are told of them.
    """
    now = sign_scans(scans)
    changed = [name for name in {**signed, **now} if signed.get(name) != now.get(name)]
    if changed:
        raise RunError(
            f"{where}: the scans, marks, patients and splits that it was begun with wanted; "
            f"{count(len(changed), 'scan')} changed, the first is {changed[0]}"
        )
    named = {scan.name: scan for scan in scans}
    return tuple(named[name] for name in signed)
