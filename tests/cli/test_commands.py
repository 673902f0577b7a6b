"""Every command on little data as a person would use it, from the first look to a prediction."""

import csv
import io
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from PIL import Image

from medclf.learn.recipe import read_recipe
from medclf.learn.settle import time_steps
from medclf.verbs import Watch

FIGURES = ("auc", "accuracy", "balanced_accuracy", "f1", "sensitivity", "specificity")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    """A person who looks at the error stream, without patience."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("medclf.cli.progress.PATIENCE_S", 0.0)
    return Terminal()


def read_rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.read_text())))


def expect_scores(scores: dict) -> None:
    for name in FIGURES:
        figure = scores[name]
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1, name
    assert scores["n_exams"] == scores["n_patients"] == 10


# inspect, plan


def test_inspect_tells_a_program_what_is_there(medclf, pictures):
    told = medclf("inspect", pictures, "--json")
    assert (told.code, told.err) == (0, "")
    found = json.loads(told.out)
    assert found["classes"]["above"] == {"train": 10, "val": 5, "test": 5}
    assert found["task"] == {"classes": ["above", "below"], "kind": "exclusive", "sets": []}


def test_a_plan_is_a_recipe_with_reasons_that_train_takes(medclf, pictures, tmp_path):
    told = medclf("plan", pictures, "--minutes", 0.05, "--seed", 7)
    assert (told.code, told.err) == (0, "")
    path = tmp_path / "plan.toml"
    path.write_text(told.out)
    recipe = read_recipe(path)
    assert (recipe.prepare.size, recipe.fit.seed, recipe.fit.epochs) == ((16, 16), 7, 0)
    assert "# all images are 16 x 16: kept" in told.out
    tables = {"prepare", "augment", "net", "transfer", "fit", "decide", "method", "facts"}
    assert set(tomllib.loads(told.out)) == tables
    text = told.out.replace('"try"', '"no"')
    path.write_text(edited(text, members=2, folds=2, epochs=2))
    run = tmp_path / "run"
    told = medclf("train", pictures, "--recipe", path, "--out", run, "--json")
    assert told.code == 0, told.err
    assert read_recipe(run / "recipe.toml") == read_recipe(path)


def edited(text: str, **values: object) -> str:
    """Change lines of a recipe as a person would."""
    for key, value in values.items():
        text, count = re.subn(rf"(?m)^{key} = \S+", f"{key} = {value}", text)
        assert count == 1, key
    return text


def test_a_plan_in_json_and_in_a_file(medclf, pictures, tmp_path):
    path = tmp_path / "plan.toml"
    told = medclf("plan", pictures, "--json", "--out", path)
    found = json.loads(told.out)
    assert set(found) == {"recipe", "reasons"}
    assert found["recipe"]["fit"]["seed"] == 0
    assert set(tomllib.loads(path.read_text())) == set(found["recipe"])
    for key in found["reasons"]:
        table, name = key.split(".")
        assert name in found["recipe"][table]
    told = medclf("plan", pictures, "--out", path)
    assert (told.code, told.out, told.err) == (0, "", "")


# train


def test_train_prints_its_scores_and_nothing_else_as_json(medclf, pictures, recipe, tmp_path):
    run = tmp_path / "new" / "run"
    told = medclf("train", pictures, "--recipe", recipe, "--out", run, "--json")
    assert (told.code, told.err) == (0, "")
    assert told.out.count("\n") == 1
    scores = json.loads(told.out)
    expect_scores(scores)
    assert scores == json.loads((run / "scores.json").read_text())
    names = {path.name for path in run.iterdir()}
    assert names == {
        *(".lock", "exams.csv", "log.jsonl", "predictions.csv", "recipe.toml", "report.html"),
        *("run.json", "scores.json", "weights.safetensors"),
    }


def test_train_names_its_own_folder_and_tells_where_it_is(
    medclf, pictures, recipe, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    first = medclf("train", "pictures", "--recipe", recipe)
    second = medclf("train", "pictures", "--recipe", recipe)
    assert (first.code, first.err, second.code) == (0, "", 0)
    assert "10 exams of 10 patients" in first.out
    assert "run     runs/pictures\n" in first.out
    assert "report  runs/pictures-2/report.html\n" in second.out
    scores = [
        (tmp_path / "runs" / n / "scores.json").read_bytes() for n in ("pictures", "pictures-2")
    ]
    assert scores[0] == scores[1]


def test_the_minutes_are_what_the_epochs_are_settled_by(medclf, pictures, tmp_path, monkeypatch):
    def time_slow_steps(*told):
        return replace(time_steps(*told), step=4.5, judge=0.0)

    monkeypatch.setattr("medclf.learn.fit.time_steps", time_slow_steps)
    monkeypatch.setattr("medclf.learn.fit.at_once", lambda recipe, device: 2)
    run = tmp_path / "run"
    told = medclf("train", pictures, "--minutes", 1, "--out", run, "--json", "--seed", 5)
    assert told.code == 0, told.err
    expect_scores(json.loads(told.out))
    fit = read_recipe(run / "recipe.toml").fit
    # 52.4 s are for training, less what was spent already; an epoch is one step of 4.5 s.
    assert (fit.epochs, fit.members) == (10, 2)
    assert (fit.mirror, fit.seed) == ("no", 5)


def test_progress_is_never_on_the_standard_output(
    medclf, pictures, recipe, tmp_path, terminal, monkeypatch
):
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "cache"))
    told = medclf("train", pictures, "--recipe", recipe, "--out", tmp_path / "run")
    shown = terminal.getvalue()
    assert told.code == 0, shown
    assert re.search(r"Training  loss \d\.\d{3}  validation AUC \d\.\d{3}", shown)
    for word in ("Preparing", "Training", "loss", "\x1b"):
        assert word not in told.out


@pytest.fixture
def interrupted(monkeypatch):
    """Run a command, and press Ctrl-C after the second of the four epochs, or soon after."""

    def interrupt(done: int, *_: object) -> None:
        if done >= 2:  # two members may have ended an epoch each
            raise KeyboardInterrupt

    def run(medclf, *words: object):
        with monkeypatch.context() as patch:
            patch.setattr("medclf.learn.keep.Progress", interrupt)
            patch.setattr("medclf.cli.train.watch_training", unwatched)
            return medclf(*words)

    return run


@contextmanager
def unwatched(quiet: bool) -> Iterator[Watch]:
    yield Watch(tell=lambda _: None)


def test_an_interrupted_training_tells_how_to_go_on_and_does(
    medclf, interrupted, pictures, recipe, tmp_path
):
    whole, cut = tmp_path / "whole", tmp_path / "cut short"
    medclf("train", pictures, "--recipe", recipe, "--out", whole)
    told = interrupted(medclf, "train", pictures, "--recipe", recipe, "--out", cut)
    assert (told.code, told.out) == (130, "")
    assert told.err == f"go on with: medclf train --resume '{cut}'\ninterrupted\n"
    told = medclf("train", "--resume", cut, "--json")
    assert told.code == 0, told.err
    for name in ("weights.safetensors", "scores.json", "predictions.csv"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


def test_a_training_is_resumed_from_another_place_with_what_was_said_of_the_data(
    medclf, interrupted, pictures, recipe, tmp_path, monkeypatch
):
    files = sorted(pictures.rglob("*.png"))
    rows = [f"{file.name},{file.parent.name},p{n // 2}" for n, file in enumerate(files)]
    (tmp_path / "exams.csv").write_text("\n".join(["scan,verdict,whose", *rows]) + "\n")
    said = ("--images", "pictures", "--path", "scan", "--label", "verdict", "--patient", "whose")
    monkeypatch.chdir(tmp_path)
    words = ("train", "exams.csv", *said, "--classes", "below,above", "--recipe", recipe)
    told = interrupted(medclf, *words, "--out", "run")
    assert told.code == 130, told.err
    monkeypatch.chdir("/")
    told = medclf("train", "--resume", tmp_path / "run", "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["n_patients"] < json.loads(told.out)["n_exams"]
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert facts["task"]["classes"] == ["below", "above"]


def test_a_report_that_could_not_be_written_is_made_up_for(
    medclf, pictures, recipe, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_for("report.html"))
        told = medclf("train", pictures, "--recipe", recipe, "--out", run)
    line = f"error: {run / 'report.html'}: cannot be written: No space left on device\n"
    assert (told.code, told.out, told.err) == (1, "", line)
    assert not (run / "report.html").exists()
    scores = (run / "scores.json").read_bytes()
    (run / ".report.html.1.part").touch()
    assert medclf("train", "--resume", run).code == 0
    assert "<svg" in (run / "report.html").read_text()
    assert (run / "scores.json").read_bytes() == scores
    assert [path.name for path in run.glob(".*")] == [".lock"]


def full_for(word: str):
    """An fsync for a disk that is full where a file whose name holds the word is concerned."""
    fsync = os.fsync

    def refuse_some(file: int) -> None:
        if word in Path(f"/proc/self/fd/{file}").readlink().name:
            raise OSError(28, "No space left on device")
        fsync(file)

    return refuse_some


# evaluate, predict


def test_evaluate_gives_the_scores_again_as_json(medclf, trained, tmp_path):
    table = tmp_path / "judged.csv"
    data = trained.parent / "pictures"
    told = medclf("evaluate", trained, data, "--json", "--out", table)
    assert (told.code, told.err) == (0, "")
    scores = json.loads(told.out)
    expect_scores(scores)
    kept = json.loads((trained / "scores.json").read_text())
    assert [scores[name] for name in FIGURES] == [kept[name] for name in FIGURES]
    rows = read_rows(table)
    assert [row["split"] for row in rows] == ["test"] * 10
    assert {row["label"] for row in rows} == {"above", "below"}


def test_evaluate_shows_intervals_to_a_person(medclf, trained):
    told = medclf("evaluate", trained, trained.parent / "pictures")
    assert (told.code, told.err) == (0, "")
    assert re.search(r"auc +│ \d\.\d{3} │ \d\.\d{3} to \d\.\d{3}", told.out)
    assert "The classes are the names of the folders." in told.out


def test_predict_writes_a_table_with_a_header(medclf, trained, tmp_path):
    test = trained.parent / "pictures" / "test"
    files = sorted(test.rglob("*.png"))
    out = tmp_path / "predictions.csv"
    told = medclf("predict", trained, *files, "--out", out)
    assert (told.code, told.out, told.err) == (0, "", "")
    rows = read_rows(out)
    head = ["file", "decided", "p_above", "p_below", "spread_above", "spread_below", "warnings"]
    assert list(rows[0]) == head
    assert [row["file"] for row in rows] == [str(file) for file in files]
    for row in rows:
        assert float(row["p_above"]) + float(row["p_below"]) == pytest.approx(1, abs=1e-5)
        assert row["decided"] in ("above", "below")
    right = [row["decided"] == Path(row["file"]).parent.name for row in rows]
    assert np.mean(right) > 0.7
    printed = medclf("predict", trained, *files)
    assert printed.out == out.read_text()


def test_predict_names_files_that_are_not_utf8(medclf, trained, tmp_path):
    strange, out = tmp_path / "\udcff.png", tmp_path / "predictions.csv"
    Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).save(strange)
    assert medclf("predict", trained, strange, "--out", out).code == 0
    assert b"\xff.png," in out.read_bytes()
    assert r"\udcff.png," in medclf("predict", trained, strange).out


def test_predict_in_json_with_a_warning(medclf, trained, tmp_path):
    white = tmp_path / "white.png"
    Image.fromarray(np.full((30, 20), 255, np.uint8)).save(white)
    told = medclf("predict", trained, white, "--json")
    assert (told.code, told.err) == (0, "")
    (found,) = json.loads(told.out)
    assert found["name"] == str(white)
    assert sum(found["probabilities"]) == pytest.approx(1)
    assert "outside" in found["warnings"][0]


# fetch


@pytest.fixture
def web(monkeypatch):
    """Answer all requests by a function."""

    def answer(by) -> None:
        monkeypatch.setattr("medclf.read.fetch.urlopen", by)
        monkeypatch.setattr("medclf.read.fetch.time.sleep", lambda _: None)

    return answer


def test_fetch_without_a_network_says_so_in_one_line(medclf, web, tmp_path):
    def unreachable(*_: object, **__: object) -> None:
        raise URLError(OSError(-3, "Temporary failure in name resolution"))

    web(unreachable)
    told = medclf("fetch", "breastmnist", "--out", tmp_path / "data")
    assert (told.code, told.out, told.err.count("\n")) == (1, "", 1)
    assert "breastmnist.npz: cannot be downloaded: " in told.err
    assert "Temporary failure in name resolution" in told.err
    assert f"put it at {tmp_path / 'data' / 'breastmnist.npz'}" in told.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_fetch_of_an_unknown_name(medclf, tmp_path):
    told = medclf("fetch", "brestmnist", "--out", tmp_path)
    assert (told.code, told.out) == (1, "")
    assert told.err == "error: no data set is called 'brestmnist': did you mean breastmnist?\n"


def test_fetch_shows_how_far_it_is_and_prints_the_place(
    medclf, web, tmp_path, terminal, monkeypatch
):
    from hashlib import md5

    from medclf.read import fetch

    raw = bytes(range(256)) * 4096

    class Response(io.BytesIO):
        status = 200
        headers = {"Content-Length": str(len(raw))}  # noqa: RUF012 - as the library's

    web(lambda *_, **__: Response(raw))
    remote = fetch.Remote("https://there/set.npz", md5(raw).hexdigest())
    monkeypatch.setitem(fetch.REMOTES, "breastmnist", (remote,))
    monkeypatch.setattr(sys, "stderr", terminal)
    told = medclf("fetch", "breastmnist", "--out", tmp_path)
    shown = terminal.getvalue()
    assert (told.code, told.out) == (0, f"{tmp_path / 'set.npz'}\n"), shown
    assert "Fetching breastmnist" in shown
    assert f"{len(raw)}/{len(raw)}" in shown
    assert (tmp_path / "set.npz").read_bytes() == raw


# demo, help


def test_the_demo_goes_the_whole_way(medclf, tmp_path):
    told = medclf("demo", "--out", tmp_path / "demo", "--patients", 40, "--minutes", 0.05)
    assert (told.code, told.err) == (0, ""), told.err
    for words in ("Making radiographs of 40", "Inspected", "predicted", "best possible AUC"):
        assert words in told.out
    report = tmp_path / "demo" / "run" / "report.html"
    assert f"report     {report}\n" in told.out
    assert "<svg" in report.read_text()
    predicted = json.loads((tmp_path / "demo" / "prediction.json").read_text())
    assert sum(predicted["probabilities"]) == pytest.approx(1)
    classes = json.loads((tmp_path / "demo" / "run" / "run.json").read_text())["task"]["classes"]
    shares = zip(classes, predicted["probabilities"], strict=True)
    printed = ", ".join(f"{name} {share:.2f}" for name, share in shares)
    assert f"predicted  {predicted['name']}: {printed}\n" in told.out


def test_help_imports_neither_numpy_nor_torch():
    code = (
        "import sys\nfrom medclf.cli.main import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(' '.join({'numpy', 'torch'} & set(sys.modules)))"
    )
    for words in (["--help"], ["train", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "Usage: medclf" in done.stdout
