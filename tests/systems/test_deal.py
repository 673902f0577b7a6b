"""Scans dealt into splits: equal ones into one; and known again in any order."""

from dataclasses import replace
from pathlib import Path

import pytest

from medclf.core.record import Point, Source
from medclf.errors import CohortError, RunError
from medclf.locate.scans import Scan, Target
from medclf.systems.deal import deal_scans, order_scans, sign_scans

MARK = Target("ball", Point((1.0, 2.0, 3.0), "mm"))
SCANS = tuple(
    Scan(f"{n:02d}.nii", Source(Path(f"{n:02d}.nii")), f"p{n}", "", (MARK,) * (1 + n % 2))
    for n in range(16)
)


def test_equal_scans_are_dealt_into_one_split():
    apart, _ = deal_scans(SCANS, 0)
    splits = {scan.name: scan.split for scan in apart}
    first = next(name for name, split in splits.items() if split == "train")
    other = next(name for name, split in splits.items() if split == "test")
    digests = ["same" if scan.name in (first, other) else scan.name for scan in SCANS]
    dealt, notes = deal_scans(SCANS, 0, digests)
    named = {scan.name: scan for scan in dealt}
    assert named[first].split == named[other].split
    assert named[first].patient == named[other].patient
    assert "count as one patient" in notes[0]


def test_equal_scans_in_splits_that_are_given_are_told():
    given = [replace(s, split=("train", "val", "test")[n % 3]) for n, s in enumerate(SCANS)]
    digests = ["same" if n in (0, 2) else scan.name for n, scan in enumerate(SCANS)]
    _, (note,) = deal_scans(given, 0, digests)
    assert "02.nii = 00.nii" in note


def test_something_to_find_is_wanted_in_training_and_in_validation():
    given = [replace(s, split="val" if n else "train") for n, s in enumerate(SCANS)]
    bare = [replace(s, targets=() if s.split == "train" else s.targets) for s in given]
    with pytest.raises(CohortError, match="scans of train with something to find wanted"):
        deal_scans(bare, 0)


def test_scans_come_back_in_their_order_or_are_refused():
    signed = sign_scans(SCANS)
    assert order_scans(SCANS[::-1], signed, Path("run")) == SCANS
    moved = replace(SCANS[3], targets=(replace(MARK, point=Point((1.0, 2.0, 4.0), "mm")),))
    with pytest.raises(RunError, match=r"run: the scans, .* 1 scan changed, the first is 03.nii"):
        order_scans((*SCANS[:3], moved, *SCANS[4:]), signed, Path("run"))
    with pytest.raises(RunError, match=r"2 scans changed, the first is 14.nii"):
        order_scans(SCANS[:14], signed, Path("run"))
