"""`medclf split`: a table of splits and folds, and how even they are."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medclf.cli.main import app


@pytest.fixture
def table(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = ["path,label,patient,site"]
    for n in range(120):
        (tmp_path / f"{n:03}.png").touch()
        rows.append(f"{n:03}.png,{'ab'[n // 2 % 3 == 0]},p{n // 2},s{n // 2 % 12}")
    table = tmp_path / "exams.csv"
    table.write_text("\n".join(rows), encoding="utf-8")
    return table


def split(*words: object) -> str:
    result = CliRunner().invoke(app, ["split", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout


def test_every_exam_has_a_row_and_a_fold_unless_it_is_tested(table):
    told = split(table, "--folds", 3, "--group", "site", "--out", "splits.csv")
    assert "of s11" in told
    assert "Exams of one site are dealt together: 12 values." in told
    with Path("splits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 120
    assert {(row["split"] == "test", row["fold"] == "") for row in rows} == {
        (True, True),
        (False, False),
    }
    assert {row["fold"] for row in rows} == {"", "1", "2", "3"}


def test_json_holds_balance_and_exams(table):
    found = json.loads(split(table, "--hold-out", "site=s1,s2", "--json"))
    assert found["balance"]["exams"]["test"] == 20
    assert sum(split == "test" for split, _ in found["exams"].values()) == 20
    assert found["exams"]["002.png"] == ["test", -1]


def test_what_is_dealt_is_read_again_as_given(table):
    split(table, "--out", "splits.csv", "--seed", 5)
    with Path("splits.csv").open(encoding="utf-8", newline="") as file:
        places = {row["exam"]: row["split"] for row in csv.DictReader(file)}
    lines = table.read_text(encoding="utf-8").splitlines()
    rows = [f"{lines[0]},split", *(f"{line},{places[line[:7]]}" for line in lines[1:])]
    table.write_text("\n".join(rows), encoding="utf-8")
    found = json.loads(split(table, "--json", "--seed", 9))
    assert {exam: place for exam, (place, _) in found["exams"].items()} == places
