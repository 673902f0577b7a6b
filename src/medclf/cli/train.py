"""`medclf train`: from data to a run folder with weights, scores and a report."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from medclf.cli.locate import Terms, is_search, read_options, show_found, train_search
from medclf.cli.options import Data, Json, SkipUnreadable, takes_columns
from medclf.cli.plan import Network, Pretrained, Way
from medclf.cli.scores import show_scores

if TYPE_CHECKING:
    from medclf.core.cohort import Cohort
    from medclf.curate.cohort import Columns
    from medclf.learn.keep import Progress
    from medclf.learn.plan import Plan
    from medclf.learn.recipe import Recipe
    from medclf.verbs import Watch

Budget = Annotated[
    float | None,
    typer.Option(help="Budget, wall clock.", min=0.01, show_default="2, or 10 to locate"),
]
Chance = Annotated[
    int | None, typer.Option(help="Every random draw comes from it.", min=0, show_default="0")
]
Out = Annotated[
    Path | None, typer.Option(metavar="RUN", help="The run folder.", show_default="runs/DATA")
]
RecipeFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A recipe, as `medclf plan` writes it.")
]
Resume = Annotated[
    Path | None, typer.Option(metavar="RUN", help="Go on with a run that was cut short.")
]
Options = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="An option of the method; once for each of them."
    ),
]
Aim = Annotated[
    Literal["classify", "locate"],
    typer.Option("--task", help="Say what an exam shows, or find where something lies in scans."),
]
Sought = Annotated[
    str,
    typer.Option(
        "--find", metavar="KINDS", help="With --task locate: what is sought, with commas; or all."
    ),
]


@takes_columns
def train(  # noqa: PLR0913 - each argument is an option of the command line
    columns: "Columns",
    data: Annotated[Path | None, Data.__metadata__[0]] = None,
    minutes: Budget = None,
    seed: Chance = None,
    out: Out = None,
    recipe: RecipeFile = None,
    net: Network = "",
    pretrained: Pretrained = False,
    method: Way = "",
    resume: Resume = None,
    option: Options = None,
    task: Aim = "classify",
    find: Sought = "",
    skip_unreadable: SkipUnreadable = False,
    as_json: Json = False,
) -> None:
    """Train on DATA: audited splits by patient, a plan made for the data, scores with intervals.

    Example: medclf train exams.csv --minutes 5 --out runs/first
    """
    from medclf import verbs
    from medclf.curate.cohort import AS_FOUND, read_cohort
    from medclf.errors import SettingError

    terms = Terms(minutes, seed, method, find, read_options(option or ()))
    named = net or pretrained or method or terms.options
    others: list[object] = [out, skip_unreadable, seed is not None, find, columns != AS_FOUND]
    _expect_alone(resume, recipe, others, named)
    searched = is_search(resume) if resume is not None else task == "locate"
    _expect_task(searched, find, [recipe, net, pretrained, skip_unreadable])
    place = resume or out or fresh_folder(Path("runs") / _stem(data or Path()))
    with watch_training(quiet=as_json) as watch, _told_how_to_resume(place):
        if searched:
            found = train_search(data, place, terms, columns, watch, resume is not None)
            scores, show = found.scores, show_found
        elif resume is not None:
            scores, show = verbs.resume(resume, data, minutes, watch).scores, show_scores
        elif data is None:
            raise SettingError("DATA wanted, or --resume RUN; found neither")
        else:
            cohort = read_cohort(data, columns)
            chosen: Recipe | Plan | None = None if recipe is None else _read(recipe)
            if named:
                chosen = _plan(cohort, terms, net, pretrained, watch)
            done = verbs.train(
                cohort, place, minutes, seed, chosen, columns, watch, skip_unreadable
            )
            scores, show = done.scores, show_scores
    show(scores, as_json)
    if not as_json:
        sys.stdout.write(f"run     {place}\nreport  {place / 'report.html'}\n")


def _plan(cohort: "Cohort", terms: Terms, net: str, pretrained: bool, watch: "Watch") -> "Plan":
    """Plan with what the person named."""
    from medclf import verbs

    minutes, seed = terms.minutes or verbs.MINUTES, terms.seed or 0
    named = net, pretrained, terms.system, terms.options
    return verbs.plan(cohort, minutes, seed, watch, *named)


def _expect_task(searched: bool, find: str, others: list[object]) -> None:
    """Check that nothing is said of a search that only trainings of classifiers take, or else."""
    from medclf.errors import SettingError

    if find and not searched:
        raise SettingError(f"--find {find} wants --task locate")
    if searched and any(others):
        raise SettingError(
            "--task locate goes with --method, --find and --option, not with --recipe, --net, "
            "--pretrained or --skip-unreadable"
        )


def _expect_alone(
    resume: Path | None, recipe: Path | None, others: list[object], named: object
) -> None:
    """Check that options which say the same in two ways are not given together."""
    from medclf.errors import SettingError

    if resume is not None and (recipe or named or any(others)):
        raise SettingError(
            f"{resume}: a run is resumed with its own recipe, in its own folder, on data that are "
            "read as they were: --out, --recipe, --net, --method, --option, --pretrained, --seed, "
            "--find, --skip-unreadable and what columns mean do not go with --resume"
        )
    if recipe is not None and named:
        raise SettingError(
            f"{recipe}: names them: --net, --method, --option and --pretrained do not fit"
        )


@contextmanager
def watch_training(quiet: bool) -> "Iterator[Watch]":
    """Open the progress bars of a training: one for images, then, in its place, one for epochs."""
    from rich.console import Console
    from rich.progress import BarColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from medclf.verbs import Watch

    bars = Bars(
        "{task.description}",
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet or not sys.stderr.isatty(),
    )
    images = bars.add_task("Preparing images", total=None, visible=False)
    epochs = bars.add_task("Training", total=None, visible=False)

    def count(done: int, total: int) -> None:
        bars.update(images, completed=done, total=total, visible=done < total)
        bars.update(epochs, visible=done >= total)  # It pulses until the first epoch is done.

    def tell(progress: "Progress") -> None:
        row = progress.row
        said = f"Training  loss {row['loss']:.3f}"
        if "val_auc" in row:
            said += f"  validation AUC {row['val_auc']:.3f}"
        bars.update(
            epochs, completed=progress.done, total=progress.total, description=said, visible=True
        )

    with bars:
        yield Watch(count=count, tell=tell)


def fresh_folder(folder: Path) -> Path:
    """Give a folder that is not there yet: this one, or else with the next number.

    Example:
        >>> fresh_folder(Path("runs") / "there-is-none")
        PosixPath('runs/there-is-none')
    """
    names = (folder.name if n == 1 else f"{folder.name}-{n}" for n in count(1))
    return next(place for name in names if not (place := folder.with_name(name)).exists())


def _stem(data: Path) -> str:
    return data.resolve().name.split(".")[0] or "run"


def _read(path: Path) -> "Recipe":
    """Read a recipe; whatever is wrong with it, its file is named."""
    from medclf.errors import SettingError
    from medclf.learn.recipe import read_recipe
    from medclf.net.table import build_body

    if path.exists() and not path.is_file():
        raise SettingError(f"{path}: the file of a recipe wanted, found a folder or a pipe")
    try:
        recipe = read_recipe(path)
        size = recipe.prepare.size
        build_body(recipe.net.name, len(size), recipe.prepare.channels, size, **recipe.net.options)
    except SettingError as problem:
        named = str(problem).startswith(f"{path}: ")
        raise problem if named else SettingError(f"{path}: {problem}") from problem
    return recipe


@contextmanager
def _told_how_to_resume(folder: Path) -> Iterator[None]:
    """Say, where the person interrupts a run that has begun, how to go on with it."""
    try:
        yield
    except KeyboardInterrupt:
        if (folder / "run.json").exists():
            sys.stderr.write(f"go on with: medclf train --resume {shlex.quote(str(folder))}\n")
        raise
