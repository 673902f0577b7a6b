import csv
import json

import pytest

from medclf.contest.outcome import Outcome
from medclf.contest.work import attempt


@pytest.fixture
def quick(recipe, monkeypatch):
    """The quick recipe, with entries that work in this process."""
    monkeypatch.setattr("medclf.comparison.work_apart", lambda job, tell=None: attempt(job))
    monkeypatch.setattr("medclf.contest.gauge.MOST_SECONDS", 0.01)
    return recipe


def test_two_networks_compete_in_processes_of_their_own(medclf, pictures, recipe, tmp_path):
    place = tmp_path / "out"
    command = ("compare", pictures, "--nets", "sprint,lenet5", "--recipe", recipe, "--out", place)
    told = medclf(*command, "--minutes", 0.5)
    assert (told.code, told.err) == (0, "")
    assert "10 exams of 10 patients" in told.out
    assert all(name in told.out for name in ("sprint", "lenet5", "pca", "hog"))
    assert told.out.endswith(f"table  {place / 'table.csv'}\npage   {place / 'compare.html'}\n")
    with (place / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    memory = {row["entry"]: float(row["memory_mb"]) for row in rows}
    assert max(memory["pca"], memory["hog"]) < min(memory["sprint"], memory["lenet5"])
    assert all(row["failure"] == "" for row in rows)
    again = medclf("compare", pictures, "--out", place, "--json")
    assert [row["entry"] for row in json.loads(again.out)["entries"]] == [r["entry"] for r in rows]


def test_what_fails_is_told_below_the_table(medclf, pictures, quick, tmp_path, monkeypatch):
    def work(job, tell=None):
        failed = Outcome(reason="it is [too] small")
        return failed if job.folder.name == "sprint" else attempt(job)

    monkeypatch.setattr("medclf.comparison.work_apart", work)
    place = tmp_path / "out"
    told = medclf(
        "compare", pictures, "--nets", "sprint", "--recipe", quick, "--out", place, "--folds", 3
    )
    assert told.code == 0
    assert "sprint came to nothing: it is [too] small" in told.out


def test_an_interrupted_comparison_says_how_to_go_on(
    medclf, pictures, quick, tmp_path, monkeypatch
):
    def interrupt(job, tell=None):
        raise KeyboardInterrupt

    monkeypatch.setattr("medclf.comparison.work_apart", interrupt)
    monkeypatch.chdir(tmp_path)
    told = medclf("compare", pictures, "--nets", "sprint", "--recipe", quick)
    assert told.code == 130
    assert "goes on, with --out runs/pictures-compare" in told.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--nets", "resnt18"], ("resnt18", "did you mean 'resnet18'")),
        (["--nets", ","], ("networks wanted",)),
        (["--nets", "sprint", "--folds", "2"], ("folds are 3 or more", "not 2")),
        (["--nets", "sprint", "--recipe", "absent.toml"], ("absent.toml",)),
    ],
)
def test_what_cannot_be_compared_is_refused(refuse, pictures, tmp_path, words, told):
    refuse("compare", pictures, "--out", tmp_path / "out", *words, words=told)


def test_a_folder_of_something_else_is_refused(refuse, pictures):
    refuse("compare", pictures, "--out", pictures, words=("empty folder or its own",))
