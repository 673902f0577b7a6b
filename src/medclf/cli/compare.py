"""`medclf compare`: networks, methods, classical entries against each other on one's own data."""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Data, Json, SkipUnreadable, takes_columns
from medclf.cli.plan import Pretrained
from medclf.cli.progress import show_progress
from medclf.cli.standings import show_standings

if TYPE_CHECKING:
    from medclf.comparison import Spectator
    from medclf.contest.outcome import Outcome, Step
    from medclf.curate.cohort import Columns


Nets = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES|all",
        help="Networks, with commas; medclf nets lists them.",
        show_default="the first of each family, where no method is named",
    ),
]
Methods = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES|all",
        help="Methods, with commas, each with the plan's network; medclf methods lists them.",
        show_default="none",
    ),
]
Minutes = Annotated[
    float | None, typer.Option(help="Budget of each entry.", min=0.01, show_default="2")
]
Folds = Annotated[
    int | None,
    typer.Option(
        help="Judge by cross-validation, 3 folds or more; the test split stays shut.",
        min=0,
        show_default="0: judge on the test split",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Where everything goes; a comparison that is there goes on.",
        show_default="runs/DATA-compare",
    ),
]
Chance = Annotated[
    int | None, typer.Option(help="Every random draw comes from it.", min=0, show_default="0")
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A recipe for all, instead of the plan; the network aside."),
]


@takes_columns
def compare(  # noqa: PLR0913 - each argument is an option of the command line
    data: Data,
    columns: "Columns",
    nets: Nets = None,
    minutes: Minutes = None,
    folds: Folds = None,
    out: Out = None,
    seed: Chance = None,
    recipe: RecipeFile = None,
    pretrained: Pretrained = False,
    methods: Methods = None,
    skip_unreadable: SkipUnreadable = False,
    as_json: Json = False,
) -> None:
    """Train networks and methods on DATA under the same terms: which is best, and at what price.

    Example: medclf compare exams.csv --nets sprint,resnet18,densenet121 --minutes 5 --folds 5
    """
    from medclf.comparison import compare as compare_networks
    from medclf.learn.recipe import read_recipe

    stem = data.resolve().name.split(".")[0] or "data"
    folder = out if out is not None else Path("runs") / f"{stem}-compare"
    names, ways = _listed(nets), _listed(methods)
    chosen = None if recipe is None else read_recipe(recipe)
    with _told_how_to_go_on(folder), _watching(quiet=as_json) as watch:
        found = compare_networks(
            *(data, folder, names, minutes, folds, seed, chosen, columns, watch, pretrained),
            methods=ways,
            skip_unreadable=skip_unreadable,
        )
    if as_json:
        sys.stdout.write(json.dumps(found.to_json()) + "\n")
        return
    show_standings(found)
    sys.stdout.write(f"table  {folder / 'table.csv'}\n")
    sys.stdout.write(f"page   {found.page}\n")


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name for word in names.split(",") if (name := word.strip())]


@contextmanager
def _watching(quiet: bool) -> "Iterator[Spectator]":
    """Open a bar for images, then one for each entry; on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TimeElapsedColumn

    from medclf.comparison import Spectator

    console = Console(stderr=True, highlight=False)
    hidden = quiet or not sys.stderr.isatty()
    bar = Progress(
        "{task.description}", BarColumn(), TimeElapsedColumn(), console=console, disable=hidden
    )
    task = bar.add_task("", total=None, visible=False)
    heading = ""

    def begin(name: str, number: int, total: int) -> None:
        nonlocal heading
        heading = f"{name} ({number} of {total})"
        bar.reset(task, total=None, description=heading, visible=True)

    def step(step: "Step") -> None:
        said = f"  validation AUC {step.row['val_auc']:.3f}" if "val_auc" in step.row else ""
        bar.update(task, completed=step.done, total=step.total or None, description=heading + said)

    def end(name: str, outcome: "Outcome") -> None:
        if not hidden:
            told = f"{outcome.cost.seconds:.0f} s" if outcome.cost else f"failed: {outcome.reason}"
            console.print(f"{name}  {told}", markup=False)

    with show_progress("Preparing images", quiet=quiet) as count, bar:
        yield Spectator(count, begin, step, end)


@contextmanager
def _told_how_to_go_on(folder: Path) -> Iterator[None]:
    """Say, where the person interrupts a comparison that has begun, how to go on with it."""
    try:
        yield
    except KeyboardInterrupt:
        if (folder / "contest.json").exists():
            place = shlex.quote(str(folder))
            sys.stderr.write(f"the same command goes on, with --out {place}\n")
        raise
