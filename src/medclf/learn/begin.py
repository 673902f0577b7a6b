"""The start of a run: refused at once where it cannot succeed, and undone where nothing came of it.

What is wrong with a recipe or a folder is told before images are prepared, which may take long.
A run that fails before its first epoch is saved leaves no folder: there is nothing to resume.
"""

import math
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medclf.core.cohort import Cohort
from medclf.errors import RunError, SettingError
from medclf.evaluate.threshold import expect_aim
from medclf.learn.committee import build_method
from medclf.learn.deal import deal_parts
from medclf.learn.recipe import Recipe
from medclf.learn.run import LOCK, STARTING, Digests, Run, create_run, sole_use
from medclf.learn.settings import MOST_SEED
from medclf.learn.transfer import share_out
from medclf.look.augment import expect_axes

STARTED = re.compile(r"exams\.csv|recipe\.toml|\.(exams\.csv|recipe\.toml|run\.json)\..*part")
"""What a start may leave that is killed before `run.json` is there."""


def expect_budget(minutes: float) -> float:
    """Take a budget as a plain number.

    Raises:
        SettingError: it is none above 0.
    """
    if not (
        isinstance(minutes, int | float | np.floating) and math.isfinite(minutes) and minutes > 0
    ):
        raise SettingError(f"a budget of some minutes wanted, found {minutes!r}")
    return float(minutes)


def expect_seed(seed: int) -> int:
    """Take a seed as a plain whole number.

    Raises:
        SettingError: it is none that generators take.
    """
    if not isinstance(seed, int | np.integer) or not 0 <= seed <= MOST_SEED:
        raise SettingError(f"a seed is a whole number from 0 to 2**63 - 1, found {seed!r}")
    return int(seed)


def expect_fit(recipe: Recipe, cohort: Cohort) -> None:
    """Check that a recipe can be followed with a cohort, as far as no pixel tells.

    Args:
        cohort: Split.

    Raises:
        SettingError: there is no such network, or none for images of this size; no stage of it is
            called what shall learn; images lack an axis along which they may be mirrored; the
            threshold aims at what is not for so many classes.
        CohortError: there are fewer exams than folds, or none to validate on.
        FetchError: the pretrained weights that it names cannot be had.
    """
    expect_aim(cohort.task, recipe.decide.threshold, recipe.decide.sensitivity)
    expect_axes(recipe.augment, len(recipe.prepare.size))
    share_out(build_method(recipe, cohort.task, 0, torch.device("cpu")), recipe.transfer)
    deal_parts(cohort, recipe)


def expect_free(folder: Path) -> None:
    """Check that a new run may be made in a folder, which need not be there yet.

    Raises:
        RunError: it holds something, another training is at work in it, or it is no folder.
    """
    held = _held(folder)
    if "run.json" in held:
        with sole_use(folder):
            pass  # Nobody is at work in it: the run is an old one.
    _refuse(folder, held)


@contextmanager
def begin_run(
    folder: Path,
    recipe: Recipe,
    cohort: Cohort,
    facts: Mapping[str, Any],
    known: Sequence[Digests] = (),
) -> Iterator[Run]:
    """Hold a new run for this process alone, as long as it is worked on.

    Args:
        folder: New, or empty; what a killed start left in it is taken away.
        cohort: As `create_run` takes it.
        facts: Likewise.
        known: Likewise.

    Raises:
        RunError: as `expect_free`.
    """
    with hold_new(folder):
        run = create_run(folder, recipe, cohort, facts, known)
        mark_begun(folder)
        yield run


@contextmanager
def hold_new(folder: Path) -> Iterator[None]:
    """Hold a new folder for this process alone; it is taken away where nothing comes of it.

    Whoever holds it writes `run.json`, and then marks it as begun.

    Raises:
        RunError: as `expect_free`.
    """
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    before = set(folder.iterdir()) if folder.is_dir() else set()
    with sole_use(folder):
        _refuse(folder, _held(folder))
        try:
            _clear_start(folder)
            yield
        except Exception:
            if not any(folder.rglob("*.safetensors")):
                _take_away(set(folder.iterdir()) - before, absent)
            raise


def mark_begun(folder: Path) -> None:
    """Take the mark of a start away: from here on the folder is a run."""
    (folder / STARTING).unlink()


def _clear_start(folder: Path) -> None:
    """Take away what a killed start left, and set its mark for this one."""
    if (folder / STARTING).exists():
        _take_away([path for path in folder.iterdir() if STARTED.fullmatch(path.name)])
    (folder / STARTING).touch()


def _held(folder: Path) -> list[str]:
    """List what is in the way of a new run, which what a killed start left is not."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise RunError(
            f"{folder}: a folder for a new run wanted, found none: {problem.strerror}"
        ) from problem
    left = [name for name in names if name not in (LOCK, STARTING)]
    return [name for name in left if not STARTED.fullmatch(name)] if STARTING in names else left


def _refuse(folder: Path, held: Sequence[str]) -> None:
    if not held:
        return
    found, more = ("a run", ", or go on with --resume") if "run.json" in held else (held[0], "")
    raise RunError(
        f"{folder}: a new run wants an empty folder, found {found}; name another with --out{more}"
    )


def _take_away(paths: Iterable[Path], folders: Iterable[Path] = ()) -> None:
    """Remove files and folders with all that is in them; and then folders that are empty."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    with suppress(OSError):  # Somebody else may have put something there meanwhile.
        for place in folders:
            place.rmdir()
