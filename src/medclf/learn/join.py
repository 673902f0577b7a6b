"""Runs of the same exams and splits, to be joined: read, compared, and kept within the new run.

Nothing is trained: what each run said of validation exams, and of test exams, stands in its table
of predictions. The runs are copied into the folder of the new one, each with the SHA-256 of its
weights, so that it is whole by itself.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medclf.errors import RunError
from medclf.evaluate.score import Numbers
from medclf.evaluate.table import Predictions, read_predictions
from medclf.learn.run import Run, open_run, read_splits

PARTS = "parts"
KEPT = ("run.json", "recipe.toml", "exams.csv", "weights.safetensors")


@dataclass(frozen=True, eq=False)
class Judges:
    """What several runs said of the same exams.

    Args:
        found: The exams, those of validation and of the test split, with labels and facts.
        shares: Calibrated probabilities by each run, (runs, N, K).
        spreads: And how far they spread, likewise.
    """

    found: Predictions
    shares: Numbers
    spreads: Numbers

    def of(self, split: str) -> "Judges":
        """Keep the exams of a split."""
        mask = self.found.splits == split
        return Judges(self.found.select(mask), self.shares[:, mask], self.spreads[:, mask])


def open_judges(folders: Sequence[Path]) -> tuple[list[Run], Judges]:
    """Open runs that can be joined, and gather what they said.

    Exams that one of them learnt from are left out; all judged the same test exams.

    Raises:
        RunError: there are fewer than two, one is unfinished or joined itself, or they differ in
            task, exams, splits or labels.
    """
    if len(folders) < 2:
        raise RunError(f"two runs to join or more wanted, found {len(folders)}")
    runs = [open_run(folder) for folder in folders]
    first = runs[0]
    for run in runs:
        if not run.done or PARTS in run.facts:
            found = "one that was joined itself" if run.done else "one that was cut short"
            raise RunError(f"{run.folder}: a trained run wanted, found {found}")
        if run.task != first.task:
            raise RunError(f"{run.folder}: the classes of {first.folder} wanted, found others")
    splits = read_splits(first.folder)
    for run in runs[1:]:
        others = read_splits(run.folder)
        differing = sorted(name for name in splits | others if splits.get(name) != others.get(name))
        if differing:
            raise RunError(
                f"{run.folder}: the exams and splits of {first.folder} wanted, found "
                f"{len(differing)} that differ, as {differing[0]!r}: joined runs are measured on "
                "exams that none of them learnt from"
            )
    return runs, _gather(runs)


def _gather(runs: Sequence[Run]) -> Judges:
    tables = [read_predictions(run.folder / "predictions.csv", run.task) for run in runs]
    common = set(tables[0].exams.tolist()).intersection(*(t.exams.tolist() for t in tables[1:]))
    kept = [table.select(np.isin(table.exams, list(common))) for table in tables]
    kept = [table.select(np.argsort(table.exams)) for table in kept]
    first = kept[0]
    for run, table in zip(runs, kept, strict=True):
        if not np.array_equal(table.target, first.target):
            raise RunError(f"{run.folder}: the labels of {runs[0].folder} wanted, found others")
    if not (first.splits == "val").any():
        raise RunError(f"{runs[-1].folder}: validation exams in common wanted, found none")
    return Judges(
        first, np.stack([t.probabilities for t in kept]), np.stack([t.spread for t in kept])
    )


def keep_parts(runs: Sequence[Run], folder: Path) -> list[dict[str, Any]]:
    """Copy what judging needs of runs into a folder, and say what they are."""
    parts = []
    for number, run in enumerate(runs):
        name = f"{number}-{run.folder.resolve().name}"
        place = folder / PARTS / name
        place.mkdir(parents=True)
        for file in KEPT:
            shutil.copyfile(run.folder / file, place / file)
        method = run.recipe.method.name
        parts.append({"name": name, "method": method, "digest": _digest(place)})
    return parts


def part_folders(run: Run) -> list[Path]:
    """Give the folders of the runs that a run was joined from; none where it was not.

    Raises:
        RunError: the weights of one are not those that were joined.
    """
    folders = []
    for part in run.facts.get(PARTS, ()):
        folder = run.folder / PARTS / part["name"]
        if _digest(folder) != part["digest"]:
            raise RunError(f"{folder}: the weights that were joined wanted, found others")
        folders.append(folder)
    return folders


def _digest(folder: Path) -> str:
    path = folder / "weights.safetensors"
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as problem:
        raise RunError(f"{path}: cannot read these weights: {problem.strerror}") from problem
