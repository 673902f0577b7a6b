"""A run: the folder that training leaves, and all that predicting needs.

`run.json` says what was trained on what, `recipe.toml` how, `weights.safetensors` holds the
members, `log.jsonl` the epochs, `exams.csv` who stood in which split. Every file appears whole or
not at all; one process at a time may train in the folder.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from medclf import __version__
from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.core.whole import write_whole
from medclf.errors import CohortError, RunError
from medclf.learn.recipe import Recipe, format_recipe, read_recipe

FORMAT = 2
EXAMS = ["exam", "split", "image", "patient"]

LOCK, STARTING = ".lock", ".start.part"


@dataclass(frozen=True)
class Digests:
    """By what an exam is known again, under whatever name it comes.

    Args:
        image: Digest of its prepared image; "" where there is none.
        patient: Digest of whose it is, by a salt of the run; "" where that is not known.
    """

    image: str = ""
    patient: str = ""


@dataclass(frozen=True)
class Run:
    """A run folder.

    Args:
        folder: Where it is.
        recipe: How it was, or is being, trained.
        facts: What `run.json` holds: format, state, task, data, and after training how values are
            standardised, calibrated and decided on.
    """

    folder: Path
    recipe: Recipe
    facts: Mapping[str, Any]

    @property
    def task(self) -> Task:
        return Task.from_plain(self.facts["task"])

    @property
    def done(self) -> bool:
        """Whether training has come to its end."""
        return bool(self.facts["state"] == "done")

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    def update(self, recipe: Recipe | None = None, **facts: Any) -> "Run":
        """Write new facts, or a new recipe, and return the run that has them."""
        new = Run(self.folder, recipe or self.recipe, {**self.facts, **facts})
        write_whole(self.folder / "run.json", json.dumps(new.facts, indent=1))
        if recipe is not None:
            write_whole(self.folder / "recipe.toml", format_recipe(recipe, new.facts["reasons"]))
        return new

    def scores(self) -> dict[str, Any]:
        """Read what `scores.json` holds: each figure with its interval."""
        text = (self.folder / "scores.json").read_text(encoding="utf-8")
        scores: dict[str, Any] = json.loads(text)
        return scores

    def log(self) -> list[dict[str, float]]:
        """Read the rows of all epochs so far; a row cut short by a kill is left out."""
        try:
            lines = (self.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        whole = [line for line in lines if line.endswith("}")]
        return [json.loads(line) for line in whole]


def create_run(
    folder: Path,
    recipe: Recipe,
    cohort: Cohort,
    facts: Mapping[str, Any],
    known: Sequence[Digests] = (),
) -> Run:
    """Make the folder of a new run.

    Args:
        cohort: Split; its exams and splits are kept.
        facts: What else `run.json` shall hold: the data, the reasons of the plan.
        known: By what the run shall know each exam again.

    Raises:
        RunError: the folder holds something already, or cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = [path.name for path in folder.iterdir() if path.name not in (LOCK, STARTING)]
    except OSError as problem:
        raise RunError(f"{folder}: cannot make a run folder here: {problem}") from problem
    if held:
        raise RunError(
            f"{folder}: a new run wants an empty folder, found {held[0]}; "
            "name another with --out, or go on with --resume"
        )
    task = asdict(cohort.task)
    kept = {"format": FORMAT, "medclf": __version__, "state": "training", "task": task, **facts}
    kept.setdefault("reasons", {})
    write_exams(folder / "exams.csv", cohort.records, known)
    run = Run(folder, recipe, kept)
    write_whole(folder / "recipe.toml", format_recipe(recipe, kept["reasons"]))
    # run.json comes last: a folder without it was never begun.
    return run.update()


def open_run(folder: Path) -> Run:
    """Open a run folder.

    Raises:
        RunError: there is no run, it is damaged, it locates, or it is of another format.
    """
    try:
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        found = facts["format"]
    except FileNotFoundError as problem:
        raise RunError(f"{folder}: a run folder wanted, no run.json found in it") from problem
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise RunError(f"{folder / 'run.json'}: cannot read it: {problem}") from problem
    if found != FORMAT:
        raise RunError(
            f"{folder}: this medclf reads runs of format {FORMAT}, found format {found} "
            f"written by medclf {facts.get('medclf', '?')}: read it with that one, or train anew"
        )
    lacking = [name for name in ("state", "task", "reasons") if name not in facts]
    if lacking:
        raise RunError(f"{folder / 'run.json'}: damaged: {', '.join(lacking)} wanted, not found")
    if not isinstance(facts["task"], dict):
        raise RunError(
            f"{folder}: a run that classifies wanted, found one for the task {facts['task']}; "
            "medclf predict and medclf train --resume take it"
        )
    return Run(folder, read_recipe(folder / "recipe.toml"), facts)


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Hold a run folder for this process alone.

    Raises:
        RunError: another process trains in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as problem:
        raise RunError(f"{folder}: another training is at work in this folder") from problem
    try:
        yield
    finally:
        lock.release()


def apply_splits(folder: Path, cohort: Cohort) -> Cohort:
    """Put a cohort's exams into the splits that a run dealt them into.

    Raises:
        CohortError: an exam of the run is no longer there, or there is a new one.
    """
    splits = read_splits(folder)
    names = {record.name for record in cohort.records}
    strange = sorted(names ^ set(splits))
    if strange:
        raise CohortError(
            f"{cohort.origin}: the run in {folder} was begun with other exams; "
            f"{len(strange)} differ, the first is {strange[0]!r}"
        )
    return replace(cohort, records=tuple(replace(r, split=splits[r.name]) for r in cohort.records))


def read_splits(folder: Path) -> dict[str, str]:
    """Read which split a run dealt each exam into."""
    return {exam: split for exam, split, _ in _read_exams(folder)}


def read_learnt(folder: Path) -> tuple[set[str], set[str]]:
    """Read the digests of the images that a run learnt from or chose by, and of their patients."""
    learnt = [known for _, split, known in _read_exams(folder) if split != "test"]
    return {known.image for known in learnt} - {""}, {known.patient for known in learnt} - {""}


def read_known(folder: Path) -> dict[str, Digests]:
    """Read by what a run knows each of its exams again."""
    return {exam: known for exam, _, known in _read_exams(folder)}


def _read_exams(folder: Path) -> list[tuple[str, str, Digests]]:
    """Read the name and the split of each exam, and by what it is known again.

    Raises:
        RunError: the table is absent or damaged.
    """
    path = folder / "exams.csv"
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            header, *rows = csv.reader(file)
            exams = [(exam, split, Digests(image, own)) for exam, split, image, own in rows]
    except (OSError, ValueError, csv.Error) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "damaged"
        raise RunError(f"{path}: rows of {', '.join(EXAMS)} wanted: {why}") from problem
    if header != EXAMS:
        raise RunError(f"{path}: rows of {', '.join(EXAMS)} wanted, found {', '.join(header)}")
    return exams


def write_exams(path: Path, records: Sequence[Record], known: Sequence[Digests]) -> None:
    """Write `exams.csv`: each exam, its split, and by what it is known again, where it is."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EXAMS)
    known = known or [Digests()] * len(records)
    rows = zip(records, known, strict=True)
    writer.writerows((r.name, r.split, one.image, one.patient) for r, one in rows)
    write_whole(path, text.getvalue())
