"""`medclf features`: what a network sees in each exam, as a table for any other pipeline."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Data, SkipUnreadable, takes_columns
from medclf.cli.output import expect_place, write_output
from medclf.cli.progress import show_progress

if TYPE_CHECKING:
    from medclf.curate.cohort import Columns


@takes_columns
def features(
    network: Annotated[
        str, typer.Argument(metavar="NET|RUN", help="A network with weights, or a run.")
    ],
    data: Data,
    columns: "Columns",
    out: Annotated[Path, typer.Option(metavar="FILE", help="A .parquet or .csv file.")] = Path(
        "features.parquet"
    ),
    size: Annotated[
        int | None, typer.Option(help="Edge of the pictures.", min=28, show_default="the network's")
    ] = None,
    skip_unreadable: SkipUnreadable = False,
) -> None:
    """Write the features that a pretrained network, or a run, sees in each exam.

    Example: medclf features efficientnet_lite0 exams.csv --out features.parquet
    """
    from medclf import verbs
    from medclf.curate.cohort import read_cohort
    from medclf.errors import SettingError
    from medclf.features import features as work_out

    if out.suffix not in (".parquet", ".csv"):
        raise SettingError(f"{out}: a .parquet or .csv file wanted")
    expect_place(out)
    with show_progress("Preparing images") as count:
        cohort, watch = read_cohort(data, columns), verbs.Watch(count=count)
        found = work_out(network, cohort, watch, size, skip_unreadable)
    table = found.to_csv if out.suffix == ".csv" else found.to_parquet
    write_output(out, lambda part: table(part, index=False))
    less = len(cohort.records) - len(found)
    told = f"; {less} left out: cannot be read" if less else ""
    sys.stdout.write(f"{len(found)} exams, {found.shape[1] - 4} features: {out}{told}\n")
