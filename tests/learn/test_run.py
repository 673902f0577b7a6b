import json
from pathlib import Path

import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.errors import CohortError, RunError
from medclf.learn.recipe import Recipe
from medclf.learn.run import apply_splits, create_run, open_run, sole_use
from medclf.prepare.exam import Prepare

RECIPE = Recipe(Prepare(size=(8, 8), channels=1))


def cohort(count=4):
    splits = ("train", "train", "val", "test")
    records = tuple(
        Record(f"e{i}", {"image": Source(Path(f"{i}.png"))}, f"p{i}", i % 2, splits[i % 4])
        for i in range(count)
    )
    return Cohort(records, Task(("no", "yes")), Path("data"))


def test_a_run_opens_as_it_was_made(tmp_path):
    made = create_run(tmp_path / "run", RECIPE, cohort(), {"data": {"digest": "d"}})
    opened = open_run(tmp_path / "run")
    assert opened.recipe == made.recipe == RECIPE
    assert opened.task == Task(("no", "yes"))
    assert not opened.done
    assert open_run(tmp_path / "run").update(state="done").done


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "precious.txt").write_text("kept")
    with pytest.raises(RunError, match=r"found precious\.txt"):
        create_run(tmp_path, RECIPE, cohort(), {})
    assert (tmp_path / "precious.txt").read_text() == "kept"


def test_a_newer_format_is_refused(tmp_path):
    create_run(tmp_path / "run", RECIPE, cohort(), {})
    path = tmp_path / "run" / "run.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"format": 99, "medclf": "7.0"}))
    with pytest.raises(RunError, match=r"format 99 written by medclf 7\.0"):
        open_run(tmp_path / "run")


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"no": 1}', '{"format": 2}'])
def test_a_damaged_run_is_refused_in_one_line(tmp_path, damage):
    create_run(tmp_path / "run", RECIPE, cohort(), {})
    (tmp_path / "run" / "run.json").write_text(damage)
    with pytest.raises(RunError, match=r"run\.json") as refusal:
        open_run(tmp_path / "run")
    assert "\n" not in str(refusal.value)


def test_no_run_is_said_to_be_none(tmp_path):
    with pytest.raises(RunError, match=r"no run\.json"):
        open_run(tmp_path)


def test_two_trainings_in_one_folder_are_refused(tmp_path):
    with sole_use(tmp_path), pytest.raises(RunError, match="another training"), sole_use(tmp_path):
        pass
    with sole_use(tmp_path):
        pass


def test_splits_come_back_and_other_exams_are_refused(tmp_path):
    run = create_run(tmp_path / "run", RECIPE, cohort(), {})
    assert apply_splits(run.folder, cohort()) == cohort()
    with pytest.raises(CohortError, match="1 differ, the first is 'e4'"):
        apply_splits(run.folder, cohort(5))


def test_a_row_cut_short_by_a_kill_is_left_out(tmp_path):
    run = create_run(tmp_path / "run", RECIPE, cohort(), {})
    assert run.log() == []
    (run.folder / "log.jsonl").write_text('{"epoch": 1}\n{"epoch": 2, "lo')
    assert run.log() == [{"epoch": 1}]
