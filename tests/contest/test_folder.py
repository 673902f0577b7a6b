import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from medclf.contest.folder import (
    create_contest,
    digest_recipe,
    expect_folder,
    expect_recipe,
    expect_terms,
    open_contest,
)
from medclf.contest.outcome import Outcome
from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.errors import RunError
from medclf.evaluate.standing import Cost
from medclf.learn.ready import Ready
from medclf.learn.recipe import Recipe
from medclf.learn.run import Digests, read_splits
from medclf.prepare.exam import Prepare

RECIPE = Recipe(Prepare((16, 16), 1))
FACTS = {
    "networks": ["sprint"],
    "minutes": 2.0,
    "folds": 0,
    "seed": 0,
    "reasons": {},
    "pretrained": False,
}
COST = Cost(10, 20, 1.5, 2.0, 0.5, 0.4, 300.0)


@pytest.fixture
def contest(tmp_path):
    records = tuple(Record(f"e{i}", {}, f"p{i}", i % 2, "train") for i in range(4))
    cohort = Cohort(records, Task(("no", "yes")), Path("exams"))
    store = SimpleNamespace(batch=np.zeros)
    ready = Ready(cohort, RECIPE, {}, store, tuple(map(Digests, "abcd")), {"digest": "1234"})
    return create_contest(tmp_path / "contest", RECIPE, ready, FACTS)


def test_a_contest_is_opened_as_it_was_begun(contest):
    assert expect_folder(contest.folder)
    opened = open_contest(contest.folder)
    assert opened.recipe == RECIPE
    assert opened.facts == json.loads(json.dumps(contest.facts))
    assert contest.task == Task(("no", "yes"))
    assert read_splits(contest.folder) == dict.fromkeys(("e0", "e1", "e2", "e3"), "train")
    assert open_contest(contest.update(networks=["a", "b"]).folder).networks == ("a", "b")
    assert contest.place("timm:some/net").name == "timm-some-net"


def test_outcomes_are_kept_one_by_one(contest):
    assert contest.outcomes() == {}
    contest.keep("sprint", Outcome(reason="too small"))
    contest.keep("lenet5", Outcome(COST, "a note"))
    contest.keep("sprint", Outcome(COST))
    assert contest.outcomes() == {"sprint": Outcome(COST), "lenet5": Outcome(COST, "a note")}
    (contest.folder / "outcomes.json").write_text('{"sprint": 3')
    with pytest.raises(RunError, match=r"outcomes\.json: cannot read it"):
        contest.outcomes()


def test_a_folder_is_free_its_own_or_refused(contest, tmp_path):
    assert not expect_folder(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".lock").touch()
    (tmp_path / "empty" / ".exams.csv.part").touch()
    assert not expect_folder(tmp_path / "empty")
    (contest.folder / "contest.json").unlink()  # a start that was killed
    assert not expect_folder(contest.folder)
    (tmp_path / "empty" / "thesis.tex").touch()
    with pytest.raises(RunError, match=r"found thesis\.tex"):
        expect_folder(tmp_path / "empty")
    with pytest.raises(RunError, match="found none"):
        expect_folder(tmp_path / "empty" / "thesis.tex")


def test_other_terms_are_refused(contest):
    expect_terms(contest, minutes=None, folds=0, seed=None, pretrained=None)
    with pytest.raises(RunError, match=r"begun with minutes 2\.0, not 1"):
        expect_terms(contest, minutes=1.0, folds=None, seed=None, pretrained=None)


def test_a_recipe_is_taken_where_the_contest_was_begun_with_it(contest):
    given = replace(RECIPE, fit=replace(RECIPE.fit, batch=8))
    expect_recipe(contest, None)
    expect_recipe(contest, RECIPE)
    with pytest.raises(RunError, match="planned for it, not the one that is given"):
        expect_recipe(contest, given)
    begun = open_contest(contest.update(recipe=digest_recipe(given)).folder)
    expect_recipe(begun, given)
    with pytest.raises(RunError, match="another recipe, not the one that is given"):
        expect_recipe(begun, replace(RECIPE, fit=replace(RECIPE.fit, batch=9)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda facts: "{", "cannot read it"),
        (lambda facts: json.dumps({**facts, "format": 9}), "found format 9"),
        (lambda facts: json.dumps({"format": 2}), "damaged: task, data"),
    ],
)
def test_a_damaged_contest_is_told(contest, change, words):
    path = contest.folder / "contest.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(RunError, match=words):
        open_contest(contest.folder)
