"""The table of predictions: all that an auditor needs to recompute every score of a run.

One row per exam: whose it is, in which split, its label, a probability and a spread per class, and
its facts. As a CSV file it reads back exactly as it was, to the last bit of every number.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.core.record import Fact
from medclf.core.task import Task
from medclf.core.whole import write_whole
from medclf.errors import CohortError, ReadError, SettingError
from medclf.evaluate.cell import read_fact, read_label, write_fact, write_label

FIXED = ("exam", "patient", "split", "label")
SUM_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Predictions:
    """What was said of each exam, beside what is true.

    Args:
        task: The classes.
        exams: (N,) names, each once.
        patients: (N,) whose exams they are: the unit of every interval.
        splits: (N,) "train", "val", "test" or "".
        target: (N,) class numbers, -1 where there is no label; where findings coexist (N, K) of 0
            and 1, with -1 throughout the row where there is no label.
        probabilities: (N, K) in [0, 1]; rows sum to 1 unless findings coexist.
        spread: (N, K) standard deviation of each probability over the members and the looks.
        facts: By name, one per exam: a number, a word, or `None` where missing.
        notes: How the exams were read, in sentences; the file does not keep them.

    Raises:
        SettingError: shapes disagree, or a number is out of its range.
        CohortError: an exam stands there twice.
    """

    task: Task
    exams: NDArray[np.str_]
    patients: NDArray[np.str_]
    splits: NDArray[np.str_]
    target: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    spread: NDArray[np.float64]
    facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        exams, classes = len(self.exams), len(self.task.classes)
        both = self.task.kind == "coexisting"
        wanted = {
            "exams": (exams,),
            "patients": (exams,),
            "splits": (exams,),
            "target": (exams, classes) if both else (exams,),
            "probabilities": (exams, classes),
            "spread": (exams, classes),
        }
        for name, shape in wanted.items():
            found = np.shape(getattr(self, name))
            if found != shape:
                raise SettingError(f"{name} of {exams} exams must be {shape}, not {found}")
        for name, values in self.facts.items():
            if len(values) != exams:
                raise SettingError(f"the fact {name!r} has {len(values)} values, not {exams}")
        _check_target(self.target, 2 if both else classes)
        _check_probabilities(self.probabilities, self.spread, self.exams, both)
        names, times = np.unique(self.exams, return_counts=True)
        if exams and times.max() > 1:
            raise CohortError(f"the exam {str(names[times.argmax()])!r} is predicted twice")

    def __len__(self) -> int:
        return len(self.exams)

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which exams have a label: (N,)."""
        first = self.target if self.target.ndim == 1 else self.target[:, 0]
        return np.asarray(first >= 0)

    def select(self, mask: NDArray[np.generic]) -> "Predictions":
        """Keep some exams, by a mask or by their numbers, in that order."""
        rows = np.arange(len(self))[mask]
        facts = {name: tuple(values[i] for i in rows) for name, values in self.facts.items()}
        return Predictions(
            self.task,
            self.exams[rows],
            self.patients[rows],
            self.splits[rows],
            self.target[rows],
            self.probabilities[rows],
            self.spread[rows],
            facts,
            self.notes,
        )


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write the table as CSV, whole or not at all.

    Columns: exam, patient, split, label (the class's name, or the findings' names joined by "|";
    "|" alone says that none is there; empty says that there is no label), `p_<class>`,
    `spread_<class>`, `fact_<name>`. A word that looks like a number begins with an apostrophe.

    Raises:
        RunError: the file cannot be written.
    """
    task, text = predictions.task, io.StringIO()
    facts = [f"fact_{name}" for name in predictions.facts]
    table = csv.writer(text)
    table.writerow([*FIXED, *_columns(task), *facts])
    numbers = np.hstack([predictions.probabilities, predictions.spread]).tolist()
    for i, exam in enumerate(predictions.exams):
        who = [str(exam), str(predictions.patients[i]), str(predictions.splits[i])]
        known = [write_fact(values[i]) for values in predictions.facts.values()]
        label = write_label(task, predictions.target[i])
        table.writerow([*who, label, *map(repr, numbers[i]), *known])
    write_whole(path, text.getvalue())


def read_predictions(path: Path, task: Task) -> Predictions:
    """Read a table that `write_predictions` wrote.

    Raises:
        ReadError: the file is absent, cut short or altered, or it is of another task.
    """
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, csv.Error) as problem:
        raise ReadError(f"{path}: cannot read the predictions: {problem}") from problem
    fixed = [*FIXED, *_columns(task)]
    if not rows or rows[0][: len(fixed)] != fixed:
        found = ",".join(rows[0]) if rows else "nothing"
        raise ReadError(f"{path}: the columns {','.join(fixed)} are wanted, not {found}")
    if not text.endswith("\n"):
        raise ReadError(f"{path}: the last of {len(rows)} lines is cut short")
    facts = rows[0][len(fixed) :]
    if len(set(facts)) < len(facts) or not all(f.startswith("fact_") for f in facts):
        raise ReadError(f"{path}: further columns must be fact_<name>, each once, not {facts}")
    try:
        return _gather(rows[1:], task, [f.removeprefix("fact_") for f in facts])
    except (ValueError, SettingError, CohortError) as problem:
        raise ReadError(f"{path}: {problem}") from problem


def _gather(rows: list[list[str]], task: Task, facts: list[str]) -> Predictions:
    """Turn the cells of all rows into arrays; a ValueError names the line of a bad cell."""
    here, classes = len(FIXED), len(task.classes)
    targets, numbers = [], []
    for line, row in enumerate(rows, start=2):
        if len(row) != here + 2 * classes + len(facts):
            wanted = here + 2 * classes + len(facts)
            raise ValueError(f"line {line} has {len(row)} cells, not {wanted}")
        try:
            targets.append(read_label(task, row[3]))
            numbers.append([float(cell) for cell in row[here : here + 2 * classes]])
        except (ValueError, SettingError) as problem:
            raise ValueError(f"line {line}: {problem}") from problem
    shape = (-1, classes) if task.kind == "coexisting" else (-1,)
    values = np.array(numbers, np.float64).reshape(-1, 2 * classes)
    exams, patients, splits = (np.array([row[i] for row in rows], np.str_) for i in range(3))
    known = {
        name: tuple(read_fact(row[here + 2 * classes + i]) for row in rows)
        for i, name in enumerate(facts)
    }
    target = np.array(targets, np.int64).reshape(shape)
    p, spread = values[:, :classes], values[:, classes:]
    return Predictions(task, exams, patients, splits, target, p, spread, known)


def _check_target(target: NDArray[np.int64], numbers: int) -> None:
    if target.dtype.kind not in "iu":
        raise SettingError(f"target holds class numbers, not {target.dtype}")
    if target.size and (target.min() < -1 or target.max() >= numbers):
        raise SettingError(f"target holds -1 to {numbers - 1}, not {target.min()}..{target.max()}")
    missing = target < 0
    if target.ndim == 2 and (missing.any(1) != missing.all(1)).any():
        raise SettingError("a row of the target is labelled in every finding, or -1 in every one")


def _check_probabilities(
    p: NDArray[np.float64], spread: NDArray[np.float64], exams: NDArray[np.str_], both: bool
) -> None:
    good = (p >= 0) & (p <= 1) & (spread >= 0) & np.isfinite(spread)
    fault = ~good.all(1)
    if fault.any():
        name = str(exams[fault.argmax()])
        raise SettingError(
            f"{name}: probabilities lie in [0, 1] and spreads from 0 up: {p[fault][0]}"
        )
    total = p.sum(1)
    fault = np.abs(total - 1) > SUM_TOLERANCE
    if not both and fault.any():
        name = str(exams[fault.argmax()])
        raise SettingError(f"{name}: probabilities sum to 1, not to {total[fault][0]:g}")


def _columns(task: Task) -> list[str]:
    return [f"{what}_{name}" for what in ("p", "spread") for name in task.classes]
