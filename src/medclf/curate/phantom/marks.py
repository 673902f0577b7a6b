"""Candidates marked in volumes as tables: what is trained on, and the truth about it.

`cohort.csv` trains as it is: a row per candidate, marked as a detector would, a little beside its
middle. `truth.csv` tells in the same order what each is, and exactly where. Its columns stand apart
because a kind or a size among the facts of a cohort would give the label away.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medclf.curate.phantom.shapes import Array

COLUMNS = ("path", "label", "patient", "z_mm", "y_mm", "x_mm")
TRUTH = ("path", "patient", "kind", "z_mm", "y_mm", "x_mm", "diameter_mm")
BESIDE_MM = 0.7
"""Standard deviation, along each axis, of a mark from the middle."""


@dataclass(frozen=True)
class Mark:
    """A candidate.

    Args:
        path: Of the volume, from the folder of the tables.
        patient: Whose.
        label: The class.
        kind: What it is in particular.
        at_mm: (z, y, x) of its middle.
        marked_mm: (z, y, x) where it is marked.
        diameter_mm: Its size.
        facts: What else the cohort tells, by column; the same columns for every mark.
    """

    path: str
    patient: str
    label: str
    kind: str
    at_mm: Array
    marked_mm: Array
    diameter_mm: float
    facts: Mapping[str, object]


def mark_near(at_mm: Array, rng: np.random.Generator) -> Array:
    """Mark a place as a detector does."""
    return np.asarray(at_mm + rng.normal(0, BESIDE_MM, 3))


def write_marks(folder: Path, marks: Sequence[Mark]) -> None:
    """Write both tables into a folder."""
    facts = list(marks[0].facts) if marks else []
    cohort: list[tuple[object, ...]] = [(*COLUMNS, *facts)]
    truth: list[tuple[object, ...]] = [TRUTH]
    for one in marks:
        told = [one.facts[name] for name in facts]
        cohort.append((one.path, one.label, one.patient, *_rounded(one.marked_mm), *told))
        size = round(one.diameter_mm, 3)
        truth.append((one.path, one.patient, one.kind, *_rounded(one.at_mm), size))
    for name, rows in (("cohort.csv", cohort), ("truth.csv", truth)):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def _rounded(place: Array) -> list[float]:
    return [round(float(mm), 3) for mm in place]
