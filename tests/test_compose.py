"""The report of a run: what it shows of the data, and the commands that make the run again."""

import csv
import re
import shlex
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import medclf
from medclf.cli.main import app
from medclf.compose import compose_report
from medclf.curate.cohort import Columns
from medclf.learn.run import apply_splits, open_run
from medclf.prepare.store import open_store

SAID = Columns(label="seen", patient="who", classes=("b", "a"), tidy_labels=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run on a table whose columns must be named, with two pictures of each patient."""
    folder = tmp_path_factory.mktemp("it's composed")
    rng = np.random.default_rng(0)
    rows = [["path", "seen", "who", "note"]]
    for i in range(60):
        values = rng.integers(0, 100, (16, 16)).astype(np.uint8)
        values[slice(0, 8) if i // 2 % 2 else slice(8, 16)] += 120
        Image.fromarray(values).save(folder / f"{i}.png")
        rows.append([f"{i}.png", "ab"[i // 2 % 2], f"Doe {i // 2}", f"seen by Dr {i}"])
    with (folder / "exams.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    cohort = medclf.read_cohort(folder / "exams.csv", **vars(SAID))
    recipe = medclf.plan(cohort, 0.2).recipe
    fit = replace(recipe.fit, members=2, folds=2, epochs=2, batch=8, mirror="no")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = medclf.train(
            cohort, "run", recipe=replace(recipe, fit=fit), columns=SAID, skip_unreadable=True
        )
    return folder, run


def commands(folder: Path) -> list[list[str]]:
    page = (folder / "run" / "report.html").read_text()
    (lines,) = re.findall(r"<code>(medclf train.*?)</code>", page, re.DOTALL)
    return [shlex.split(line) for line in unescape(lines).splitlines()]


def test_the_commands_make_the_same_run_from_anywhere(trained, tmp_path, monkeypatch):
    folder, _ = trained
    train, evaluate = commands(folder)
    monkeypatch.chdir(tmp_path)
    for command in (train, evaluate):
        result = CliRunner().invoke(app, command[1:])
        assert result.exit_code == 0, result.output
    weights = [place / "weights.safetensors" for place in (folder / "run", tmp_path / "again")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert "--skip-unreadable" not in train
    assert "give the same run" in (tmp_path / "again" / "report.html").read_text()
    assert medclf.load("again").scores == medclf.load(folder / "run").scores


def test_a_run_that_the_budget_ended_says_so(trained, tmp_path):
    folder, _ = trained
    run = open_run(folder / "run")
    log = (folder / "run" / "log.jsonl").read_text()
    cohort = medclf.read_cohort(folder / "exams.csv", **vars(SAID))
    cohort = apply_splits(run.folder, cohort)
    store = open_store(cohort.records, run.recipe.prepare)
    try:
        (folder / "run" / "log.jsonl").write_text("".join(log.splitlines(keepends=True)[:-1]))
        page = compose_report(run, cohort, store).read_text()
    finally:
        (folder / "run" / "log.jsonl").write_text(log)
        compose_report(run, cohort, store)
    assert "nearly the same run: the budget ended this one" in page
    assert "learnt for 1 to 2 epochs each" in page


def test_each_example_is_of_another_patient_in_the_order_of_the_classes(trained):
    folder, _ = trained
    page = (folder / "run" / "report.html").read_text()
    examples = page[page.index("<h3>Examples</h3>") : page.index('id="split"')]
    shown = re.findall(r"<figcaption>(.*?)</figcaption>", examples)
    assert shown == ["b"] * 6 + ["a"] * 6
    pictures = re.findall(r'src="(data:.*?)"', examples)
    assert len(set(pictures)) == 12


def test_notes_on_a_patient_stay_out_of_the_run(trained):
    folder, _ = trained
    for name in ("report.html", "predictions.csv", "scores.json"):
        assert "seen by Dr" not in (folder / "run" / name).read_text()
    assert "60 different values" in (folder / "run" / "report.html").read_text()
