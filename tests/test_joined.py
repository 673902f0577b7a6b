"""Runs of the same exams become one, which answers, and is whole by itself."""

import csv
import json
import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

import medclf
from medclf.cli.main import app
from medclf.errors import RunError, SettingError
from medclf.evaluate.table import read_predictions
from medclf.joined import Part
from medclf.learn.run import open_run
from medclf.learn.settings import Decide, Fit, Net
from medclf.verbs import load


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Train two runs of other sizes on the same exams; a third says that it had other splits."""
    folder, rng = tmp_path_factory.mktemp("joined"), np.random.default_rng(0)
    rows = [["path", "label", "split", "sex"]]
    for n in range(64):
        values = rng.integers(0, 160, (24, 24)) + 60 * (n % 2)
        Pillow.fromarray(values.astype(np.uint8)).save(folder / f"{n}.png")
        split = ("train", "train", "val", "test")[n // 2 % 4]
        rows.append([f"{n}.png", f"class {n % 2}", split, "FM"[n // 4 % 2]])
    write(folder / "exams.csv", rows)
    plan = medclf.plan(medclf.read_cohort(folder / "exams.csv"), minutes=0.1)
    for name, size in (("small", 16), ("large", 24)):
        recipe = replace(
            plan.recipe,
            prepare=replace(plan.recipe.prepare, size=(size, size)),
            net=Net("sprint", {"width": 16}),
            fit=Fit(epochs=2, batch=16, shift=0.0, seed=size),
            decide=Decide(resamples=20, sensitivity=0.9),
        )
        medclf.train(folder / "exams.csv", folder / name, recipe=recipe)
    shutil.copytree(folder / "small", folder / "moved")
    dealt = (folder / "moved" / "exams.csv").read_text()
    (folder / "moved" / "exams.csv").write_text(dealt.replace("0.png,train", "0.png,val", 1))
    return folder


def write(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.mark.parametrize("way", ["mean", "stacking"])
def test_a_joined_run_says_of_files_what_its_table_says(place, tmp_path, way):
    run = medclf.join([place / "small", place / "large"], tmp_path / "run", way)
    table = read_predictions(run.folder / "predictions.csv", run.task)
    said = dict(zip(table.exams.tolist(), table.probabilities.tolist(), strict=True))
    assert set(table.splits) == {"val", "test"}
    files = [place / "6.png", place / "gone.png"]
    answer, none = load(run.folder).predict(files, skip_unreadable=True)
    assert (none.probabilities, len(none.warnings)) == ((), 1)
    assert answer.probabilities == pytest.approx(said["6.png"], abs=1e-4)
    assert "medclf join" in (run.folder / "report.html").read_text()
    scores = load(run.folder).evaluate(place / "exams.csv")
    assert scores.exams == 16
    assert scores.figures["auc"].value == pytest.approx(load(run.folder).scores["auc"]["value"])
    assert scores.decision.sensitivity == run.facts["decision"]["sensitivity"] == 0.9


@dataclass(frozen=True)
class Blind:
    """A part that cannot read the first exam."""

    part: Part

    def judge(self, *said):
        found = self.part.judge(*said)
        return replace(found.select(np.arange(1, len(found))), notes=("the same", "one unread"))


def test_exams_that_one_part_alone_cannot_read_are_counted(place, tmp_path):
    medclf.join([place / "small", place / "large"], tmp_path / "run", "mean")
    run = load(tmp_path / "run")
    whole = run.judge(place / "exams.csv")
    run = replace(run, parts=(run.parts[0], Blind(run.parts[1])))
    found = run.judge(place / "exams.csv")
    assert found.exams.tolist() == whole.exams.tolist()[1:]
    lost = "Left out: 1 exam that not every part of the run can judge."
    assert found.notes == (*whole.notes, "the same", "one unread", lost)


@dataclass(frozen=True)
class Local:
    """A part that goes by the site, and keeps the one that it was told."""

    part: Part
    told: list[str]

    @property
    def run(self):
        recipe = self.part.run.recipe
        return replace(
            self.part.run, recipe=replace(recipe, prepare=replace(recipe.prepare, site="sex"))
        )

    def predict(self, files, watch, site, *others):
        self.told.append(site)
        return self.part.predict(files, watch, "", *others)


def test_a_site_goes_to_the_parts_that_go_by_one(place, tmp_path):
    medclf.join([place / "small", place / "large"], tmp_path / "run", "mean")
    run, told = load(tmp_path / "run"), list[str]()
    with pytest.raises(SettingError, match="no site wanted, which no part of it goes by"):
        run.predict([place / "0.png"], site="F")
    inner = replace(run, parts=(run.parts[0], Local(run.parts[1], told)))
    for one in (inner, replace(run, parts=(run.parts[0], inner))):
        assert one.predict([place / "0.png"], site="F")[0].probabilities
    assert told == ["F", "F"]


def test_the_way_is_chosen_on_validation_and_told(place, tmp_path):
    run = medclf.join([place / "small", place / "large"], tmp_path / "run")
    assert run.facts["combination"]["way"] in ("mean", "weights", "stacking")
    assert "log loss on validation patients left out: mean" in run.facts["notes"][-1]
    assert [part["name"] for part in run.facts["parts"]] == ["0-small", "1-large"]
    assert json.loads((run.folder / "run.json").read_text())["state"] == "done"


def test_the_command_joins_as_the_verb_does(place, tmp_path):
    words = ["join", str(place / "small"), str(place / "large"), "--way", "mean", "--json"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")])
    assert not done.exit_code, done.output
    assert json.loads(done.stdout)["n_exams"] == 16
    assert open_run(tmp_path / "run").facts["combination"]["weights"] == [0.5, 0.5]


def test_runs_that_do_not_go_together_are_refused(place, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(RunError, match="two runs to join or more wanted, found 1"):
        medclf.join([place / "small"], out)
    with pytest.raises(RunError, match=r"found 1 that differ, as '0.png': joined runs are"):
        medclf.join([place / "small", place / "moved"], out)
    with pytest.raises(SettingError, match="by mean, weights, stacking, not by 'vote'"):
        medclf.join([place / "small", place / "large"], out, "vote")
    assert not out.exists()


def test_parts_are_known_by_their_digest(place, tmp_path):
    run = medclf.join([place / "small", place / "large"], tmp_path / "run", "weights")
    with pytest.raises(RunError, match="found one that was joined itself"):
        medclf.join([run.folder, place / "small"], tmp_path / "again")
    part = run.folder / "parts" / "0-small"
    shutil.copyfile(place / "large" / "weights.safetensors", part / "weights.safetensors")
    with pytest.raises(RunError, match="the weights that were joined wanted, found others"):
        load(open_run(run.folder).folder)
