"""Options become columns, and stand on the command line of whoever takes them."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, get_args

import typer
from typer.testing import CliRunner

from medclf.cli.options import Data, Kind, columns_from, takes_columns
from medclf.core import task
from medclf.curate.cohort import Columns


def test_nothing_said_is_nothing_said():
    assert columns_from() == Columns()


def test_every_column_has_an_option_of_its_name():
    names = {field.name for field in fields(Columns)}
    assert names == set(columns_from.__annotations__) - {"return"}


def test_kinds_are_those_of_a_task():
    said = get_args(get_args(Kind)[0])[0]
    assert get_args(said) == get_args(task.Kind)


def test_a_command_takes_columns_in_place_of_its_argument():
    app, seen = typer.Typer(), []

    @app.command()
    @takes_columns
    def look(data: Data, columns: Columns, often: Annotated[int, typer.Option()] = 1) -> None:
        """Look at DATA."""
        seen.append((data, columns, often))

    words = ["x.csv", "--path", "a, b", "--label", "dx", "--patient", "none", "--split", "fold"]
    words += ["--exam", "study", "--view", "plane", "--kind", "ranked", "--classes", "I, II,III"]
    words += ["--images", "pics", "--patient-pattern", r"p\d+", "--tidy-labels", "--often", "2"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    expected = Columns(
        path=("a", "b"),
        label="dx",
        patient="none",
        split="fold",
        exam="study",
        view="plane",
        kind="ranked",
        classes=("I", "II", "III"),
        images=Path("pics"),
        patient_pattern=r"p\d+",
        tidy_labels=True,
    )
    assert seen == [(Path("x.csv"), expected, 2)]
    told = CliRunner().invoke(app, ["--help"]).output
    assert "--tidy-labels" in told
    assert "--columns" not in told
    assert "Look at DATA." in told


def test_an_unknown_kind_is_wrong_usage():
    app = typer.Typer()

    @app.command()
    @takes_columns
    def look(data: Data, columns: Columns) -> None: ...

    assert CliRunner().invoke(app, ["x", "--kind", "sorted"]).exit_code == 2
