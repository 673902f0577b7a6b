"""`medclf join`: several trained runs become one."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from medclf.cli.options import Json
from medclf.cli.progress import show_progress
from medclf.cli.scores import show_scores
from medclf.cli.train import fresh_folder


def join(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUNS…", help="Folders of runs on the same exams.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="The new folder.", show_default="runs/joined")
    ] = None,
    way: Annotated[
        Literal["mean", "weights", "stacking"] | None,
        typer.Option(help="How answers become one.", show_default="chosen on validation"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DATA", help="Where the data are now, if they moved.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Join runs of several methods, networks or seeds, trained on the same exams and splits.

    Example: medclf join runs/pixels runs/facts --out runs/both
    """
    from medclf import verbs
    from medclf.joined import join as join_runs

    place = out if out is not None else fresh_folder(Path("runs") / "joined")
    with show_progress("Reading images", quiet=as_json) as count:
        run = join_runs(runs, place, way, data, verbs.Watch(count=count))
    show_scores(verbs.load(run.folder).scores, as_json)
    if not as_json:
        sys.stdout.write(f"run     {run.folder}\n")
        sys.stdout.write(f"report  {run.folder / 'report.html'}\n")
