from pathlib import Path

import numpy as np
import pytest

from medclf.contest.judged import Chosen, open_exams, take_turns
from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.learn.deal import deal_parts
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit
from medclf.learn.trained import Held
from medclf.prepare.exam import Prepare
from medclf.prepare.store import first_images

SPLITS = ["test"] * 8 + ["train"] * 32 + ["val"] * 8


@pytest.fixture
def cohort():
    records = tuple(
        Record(f"e{i:02d}", {}, f"p{i // 2}", i // 2 % 2, split) for i, split in enumerate(SPLITS)
    )
    return Cohort(records, Task(("no", "yes")), Path("exams"))


def test_without_folds_the_splits_are_what_they_are(cohort):
    rows = Held(np.arange(48))
    assert open_exams(cohort, rows, 0) == (cohort, rows)
    (turn,) = take_turns(cohort, 0, 0)
    assert turn.training.tolist() == list(range(8, 40))
    assert turn.validation.tolist() == list(range(40, 48))
    assert sorted(turn.judged) == [*range(8), *range(40, 48)]


def test_with_folds_the_test_split_stays_shut(cohort):
    opened, rows = open_exams(cohort, Held(np.arange(48)), 4)
    assert {record.split for record in opened.records} == {"train", "val"}
    assert isinstance(rows, Chosen)
    assert first_images(rows, np.array([0, 39])).tolist() == [8, 47]


def test_no_exam_is_judged_that_was_learnt_from_or_chosen_by(cohort):
    opened, _ = open_exams(cohort, Held(np.arange(48)), 4)
    patients = np.array([record.patient for record in opened.records])
    turns = take_turns(opened, 4, seed=3)
    assert sorted(np.concatenate([turn.judged for turn in turns])) == list(range(40))
    for turn in turns:
        known = {*patients[turn.training], *patients[turn.validation]}
        assert not known & {*patients[turn.judged]}
        assert not {*patients[turn.training]} & {*patients[turn.validation]}


def test_folds_are_those_that_networks_learn_by(cohort):
    opened, _ = open_exams(cohort, Held(np.arange(48)), 4)
    recipe = Recipe(Prepare((16, 16), 1), fit=Fit(members=4, folds=4, seed=3))
    judged = [turn.judged.tolist() for turn in take_turns(opened, 4, seed=3)]
    assert judged == [part.validation.tolist() for part in deal_parts(opened, recipe)[:4]]
