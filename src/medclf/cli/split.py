"""`medclf split`: which exam is learnt from, validated on and tested, as a table, and how even."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Data, Json, Seed, takes_columns
from medclf.cli.output import expect_place, write_output
from medclf.cli.progress import show_progress

if TYPE_CHECKING:
    from medclf.curate.balance import Dealt
    from medclf.curate.cohort import Columns

Share = typer.Option(help="Share of the exams that are dealt.", min=0, max=1)


@takes_columns
def split(  # noqa: PLR0913 - the command line says the same, option by option
    data: Data,
    columns: "Columns",
    folds: Annotated[int, typer.Option(help="Folds of train and val together.", min=0)] = 0,
    val: Annotated[float, Share] = 0.15,
    test: Annotated[float, Share] = 0.2,
    copies: Annotated[
        bool, typer.Option(help="Read the images, and keep copies of one picture together.")
    ] = True,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write exam, split and fold to this CSV.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Deal the exams of DATA by patient and class, and show how even the parts are.

    Example: medclf split exams.csv --folds 5 --group site --out splits.csv
    """
    from medclf.curate.balance import deal_apart, is_dealt
    from medclf.curate.cohort import read_cohort
    from medclf.curate.together import find_together

    expect_place(out)
    cohort, alike = read_cohort(data, columns), list[tuple[int, ...]]()
    if copies and is_dealt(cohort, folds):
        with show_progress("Reading images", quiet=as_json) as progress:
            cohort, alike = find_together(cohort, progress)
    dealt = deal_apart(cohort, alike, seed, val, test, folds)
    if out is not None:
        write_output(out, _table(dealt))
    if as_json:
        rows = {
            r.name: [r.split, k] for r, k in zip(dealt.cohort.records, dealt.folds, strict=True)
        }
        told = {"balance": dealt.balance, "exams": rows, "notes": dealt.cohort.notes}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        _show(dealt)


def _table(dealt: "Dealt") -> str:
    """Lay out exams as CSV; folds count from 1, and a test exam has none."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["exam", "split", "fold"])
    for record, fold in zip(dealt.cohort.records, dealt.folds, strict=True):
        rows.writerow([record.name, record.split, fold + 1 if fold >= 0 else ""])
    return text.getvalue()


def _show(dealt: "Dealt") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    for note in dealt.cohort.notes:
        console.print(f"[dim]{escape(note)}[/]", soft_wrap=True)
    parts = list(dealt.balance["exams"])
    table = Table("")
    for part in parts:
        table.add_column(part, justify="right")
    for row, counts in dealt.balance.items():
        table.add_row(escape(row), *(f"{counts[part]:,}" for part in parts))
    console.print(table)
