"""`medclf evaluate`: how good a run is on exams, with intervals by patient."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Data, Json, SkipUnreadable, takes_columns
from medclf.cli.output import expect_place
from medclf.cli.progress import show_progress
from medclf.cli.scores import show_scores

if TYPE_CHECKING:
    from medclf.curate.cohort import Columns

RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder that training left.", show_default=False)
]


@takes_columns
def evaluate(
    run: RunFolder,
    data: Data,
    columns: "Columns",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write each exam's prediction to this CSV.")
    ] = None,
    skip_unreadable: SkipUnreadable = False,
    as_json: Json = False,
) -> None:
    """Measure RUN on the test split of DATA, or on everything where there is none.

    Example: medclf evaluate runs/first other_hospital.csv --json
    """
    from medclf import verbs
    from medclf.evaluate.table import write_predictions

    expect_place(out)
    loaded = verbs.load(run)
    with show_progress("Reading images", quiet=as_json) as count:
        judged = loaded.judge(data, columns, verbs.Watch(count=count), skip_unreadable)
    if out is not None:
        write_predictions(out, judged)
    show_scores(loaded.measure(judged).to_json(), as_json)
