"""`medclf train`: from data to a run folder with weights, scores and a report."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Data, Json, Seed, takes_columns
from medclf.cli.progress import show_progress
from medclf.cli.scores import show_scores

if TYPE_CHECKING:
    from medclf.curate.cohort import Columns
    from medclf.learn.fit import Progress
    from medclf.verbs import Watch


@takes_columns
def train(  # noqa: PLR0913 - each argument is an option of the command line
    columns: "Columns",
    data: Annotated[Path | None, Data.__metadata__[0]] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Budget, wall clock. [default: 2]", min=0.01)
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="The run folder. [default: runs/DATA]")
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A recipe, as `medclf plan` writes it.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a run that was cut short.")
    ] = None,
    skip_unreadable: Annotated[
        bool, typer.Option("--skip-unreadable", help="Leave out images that cannot be read.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train on DATA: audited splits by patient, a plan made for the data, scores with intervals.

    Example: medclf train exams.csv --minutes 5 --out runs/first
    """
    from medclf import verbs
    from medclf.errors import SettingError
    from medclf.learn.recipe import read_recipe

    with watch_training(quiet=as_json) as watch:
        if resume is not None:
            done = verbs.resume(resume, data, minutes, watch)
        elif data is None:
            raise SettingError("DATA wanted, or --resume RUN; found neither")
        else:
            done = verbs.train(
                data,
                out if out is not None else _fresh_folder(data),
                minutes,
                seed,
                None if recipe is None else read_recipe(recipe),
                columns,
                watch,
                skip_unreadable,
            )
    show_scores(done.scores, as_json)
    if not as_json:
        sys.stdout.write(f"run     {done.run.folder}\n")
        sys.stdout.write(f"report  {done.run.folder / 'report.html'}\n")


@contextmanager
def watch_training(quiet: bool) -> "Iterator[Watch]":
    """Open the progress bars of a training: one for images, then one for epochs."""
    from rich.console import Console
    from rich.progress import BarColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from medclf.verbs import Watch

    bar = Bars(
        "{task.description}",
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet or not sys.stderr.isatty(),
    )
    epochs = bar.add_task("Training", total=None, visible=False)

    def tell(progress: "Progress") -> None:
        row = progress.row
        said = f"Training  loss {row['loss']:.3f}"
        if "val_auc" in row:
            said += f"  validation AUC {row['val_auc']:.3f}"
        bar.update(
            epochs, completed=progress.done, total=progress.total, description=said, visible=True
        )

    with show_progress("Preparing images", quiet=quiet) as count, bar:
        yield Watch(count=count, tell=tell)


def _fresh_folder(data: Path) -> Path:
    """Name a run folder after the data that is not there yet."""
    stem = data.resolve().name.split(".")[0]
    places = (Path("runs") / (stem if n == 1 else f"{stem}-{n}") for n in range(1, 10**6))
    return next(place for place in places if not place.exists())
