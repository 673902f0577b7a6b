"""Shortcuts planted in facts and images are told with what carries them; chance is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.shortcut import check_shortcut, foretell_classes
from medclf.curate.survey import Look
from medclf.curate.traces import GROUPS

TRACES = [name for group in GROUPS.values() for name in group]


def draw(n: int = 200, classes: int = 2, seed: int = 0) -> tuple[Cohort, list[Look]]:
    """Draw two exams a patient whose facts and images say nothing of the class."""
    rng = np.random.default_rng(seed)
    records, looks = [], []
    for i in range(n):
        facts = {"age": float(rng.integers(20, 80)), "site": "abc"[rng.integers(3)]}
        images = {"image": Source(Path(f"{i}.png"))}
        label = int(rng.integers(classes)) if i % 2 == 0 else records[-1].label
        records.append(Record(f"{i}", images, f"p{i // 2}", label, "", facts))
        traces = dict(zip(TRACES, rng.random(len(TRACES)), strict=True))
        looks.append(Look(f"{i}", "image", space=(200, 300), channels=1, bits=8, traces=traces))
    task = Task(tuple(f"class {k}" for k in range(classes)))
    return Cohort(tuple(records), task, Path("exams.csv")), looks


def change(cohort: Cohort, fact: str, values: list) -> Cohort:
    records = [
        replace(r, facts={**r.facts, fact: value})
        for r, value in zip(cohort.records, values, strict=True)
    ]
    return replace(cohort, records=tuple(records))


def message(cohort: Cohort, looks: list[Look]) -> str:
    (problem,) = check_shortcut(foretell_classes(cohort, looks))
    assert (problem.kind, problem.grave) == ("shortcut", False)
    return problem.message


@pytest.mark.parametrize("seed", range(3))
def test_chance_is_no_shortcut(seed):
    cohort, looks = draw(seed=seed)
    found = foretell_classes(cohort, looks)
    assert {one.kind for one in found} == {"acquisition", "light", "patient"}
    assert all(one.auc.low < 0.6 and not one.alone for one in found)
    assert list(check_shortcut(found)) == []


def test_a_site_that_foretells_the_class_is_told():
    cohort, looks = draw()
    rng = np.random.default_rng(0)
    sites = ["north" if (r.label == 1) != (rng.random() < 0.1) else "south" for r in cohort.records]
    told = message(change(cohort, "site", sites), looks)
    assert "by itself site 0.8" in told


@pytest.mark.parametrize(
    ("group", "names"), [("corners", ("corner 2", "edges 2")), ("frame", ("frame",))]
)
def test_marks_and_frames_that_foretell_the_class_are_told(group, names):
    cohort, looks = draw()
    marked = [
        replace(k, traces={**k.traces, **{name: k.traces[name] + r.label for name in names}})
        for k, r in zip(looks, cohort.records, strict=True)
    ]
    assert f"by itself {group} " in message(cohort, marked)


def test_sizes_of_several_classes_are_told():
    cohort, looks = draw(300, classes=3)
    sized = [
        replace(k, space=(200, 300 + 10 * r.label))
        for k, r in zip(looks, cohort.records, strict=True)
    ]
    assert "by itself image size 1.00" in message(cohort, sized)


def test_facts_of_the_patient_and_light_are_no_shortcut():
    cohort, looks = draw()
    cohort = change(cohort, "age", [50.0 + 10 * r.label for r in cohort.records])
    bright = [
        replace(k, traces={**k.traces, "mean": r.label / 2})
        for k, r in zip(looks, cohort.records, strict=True)
    ]
    found = {one.kind: one for one in foretell_classes(cohort, bright)}
    assert found["patient"].auc.value == found["light"].auc.value == 1
    assert list(found["patient"].alone) == ["age"]
    assert list(check_shortcut(tuple(found.values()))) == []


def test_what_each_patient_has_for_himself_foretells_nothing():
    """Were one exam of a patient learnt from, the code of the other would tell its class."""
    cohort, looks = draw()
    cohort = change(cohort, "code", [r.patient for r in cohort.records])
    assert list(check_shortcut(foretell_classes(cohort, looks))) == []


def test_missing_facts_may_be_what_foretells():
    cohort, looks = draw()
    values = [None if r.label else 3.0 for r in cohort.records]
    assert "by itself kvp 1.00" in message(change(cohort, "kvp", values), looks)


def test_few_exams_rare_classes_and_findings_are_not_judged():
    cohort, looks = draw(30)
    assert foretell_classes(cohort, looks) == ()
    cohort, looks = draw()
    one = replace(
        cohort, records=tuple(replace(r, label=int(i < 8)) for i, r in enumerate(cohort.records))
    )
    assert foretell_classes(one, looks) == ()
    both = [replace(r, label=(1, r.label)) for r in cohort.records]
    coexisting = Cohort(tuple(both), Task(("a", "b"), "coexisting"), cohort.origin)
    assert foretell_classes(coexisting, looks) == ()
