"""Splits and folds in one call: whole patients, whole sites, every class, and honest counts."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.balance import deal
from medclf.curate.bind import bind
from medclf.errors import CohortError

BOTH = Task(("mass", "nodule"), "coexisting")


def draw(n: int = 400, sites: int = 0, task: Task = BOTH, seed: int = 0) -> Cohort:
    """Draw exams of patients with one to three each; findings coexist, the second is rare."""
    rng = np.random.default_rng(seed)
    records = []
    for i in range(n):
        patient = int(rng.integers(n // 2))
        marks = (int(rng.random() < 0.4), int(rng.random() < 0.1))
        label = marks if task.kind == "coexisting" else marks[0]
        group = f"site {patient % sites}" if sites else ""
        images = {"image": Source(Path(f"{i}.png"))}
        records.append(Record(f"{i}", images, f"p{patient}", label, group=group))
    return Cohort(tuple(records), task, Path("exams.csv"))


def parts_of(dealt, key) -> dict:
    found = defaultdict(set)
    for record, fold in zip(dealt.cohort.records, dealt.folds, strict=True):
        found[key(record)].add((record.split == "test", fold))
    return found


def test_findings_are_spread_evenly_over_splits_and_folds_by_patient():
    dealt = deal(draw(), folds=4)
    assert all(len(parts) == 1 for parts in parts_of(dealt, lambda r: r.patient).values())
    rows = dealt.balance
    for name in ("exams", "mass", "nodule", "without mass", "without nodule"):
        counts = rows[name]
        folds = [counts[f"fold {k}"] for k in range(1, 5)]
        assert max(folds) - min(folds) <= 2
        total = counts["train"] + counts["val"] + counts["test"]
        assert counts["test"] / total == pytest.approx(0.2, abs=0.03)
        assert sum(folds) == counts["train"] + counts["val"]


def test_balance_counts_what_is_there():
    dealt = deal(draw(sites=30), folds=3)
    records = dealt.cohort.records
    rows = dealt.balance
    test = [r for r in records if r.split == "test"]
    assert rows["patients"]["test"] == len({r.patient for r in test})
    assert rows["nodule"]["test"] == sum(r.label[1] for r in test)
    assert rows["of site 3"]["test"] == sum(r.group == "site 3" for r in test)
    assert rows["exams"]["fold 2"] == dealt.folds.count(1)


def test_sites_are_not_parted():
    dealt = deal(draw(sites=30), folds=3)
    assert all(len(parts) == 1 for parts in parts_of(dealt, lambda r: r.group).values())
    assert {r.split for r in dealt.cohort.records} == {"train", "val", "test"}
    free = deal(draw(), folds=3)
    assert max(len(p) for p in parts_of(free, lambda r: int(r.patient[1:]) % 30).values()) > 1


def test_the_same_seed_deals_the_same_in_any_order():
    cohort = draw(sites=30)
    mixed = Cohort(tuple(reversed(cohort.records)), cohort.task, cohort.origin)
    one, other = deal(cohort, 3, folds=3), deal(mixed, 3, folds=3)
    places = [
        {r.name: (r.split, k) for r, k in zip(d.cohort.records, d.folds, strict=True)}
        for d in (one, other, deal(cohort, 4, folds=3))
    ]
    assert places[0] == places[1] != places[2]


def test_too_few_sites_are_told():
    with pytest.raises(CohortError, match=r"2 groups .*: 3 groups wanted"):
        deal(draw(sites=2))


def test_without_folds_none_has_one():
    assert set(deal(draw(task=Task(("no", "yes")))).folds) == {-1}


def test_patients_bind_groups_and_groups_bind_patients():
    rows = [("a", "p", "x"), ("b", "q", "x"), ("c", "q", "y"), ("d", "r", "y"), ("e", "s", "")]
    records = [Record(name, {}, patient, group=group) for name, patient, group in rows]
    assert bind(records).tolist() == [0, 0, 0, 0, 1]
    assert bind(records[::-1]).tolist() == [1, 0, 0, 0, 0]
    named_alike = [Record("a", {}, "x"), Record("b", {}, "q", group="x")]
    assert bind(named_alike).tolist() == [0, 1]
