"""Marked places become a cohort of cubes, which any method of the house learns to tell apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.core.record import Point, Record, Source
from medclf.core.task import Task
from medclf.locate.scans import Scan

NOTHING = "nothing"

Places = NDArray[np.float64]
Label = int | tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Cubes:
    """Places in one scan that are all of one class.

    Args:
        scan: Whose name, patient and split they bear.
        path: Of the prepared scan.
        kind: What lies there.
        places_mm: (N, 3).
    """

    scan: Scan
    path: Path
    kind: str
    places_mm: Places


def make_cohort(cubes: Sequence[Cubes], kinds: Sequence[str], origin: Path) -> Cohort:
    """Make a cohort of cubes: nothing, or one of the kinds."""
    classes = (NOTHING, *kinds)
    records = make_records(cubes, lambda some: classes.index(some.kind))
    return Cohort(records, Task(classes), origin)


def make_records(cubes: Sequence[Cubes], label: Callable[[Cubes], Label]) -> tuple[Record, ...]:
    """Make an exam of each place, once, with what `label` tells of its like."""
    records = [
        Record(
            f"{some.scan.name} at {z:.2f}, {y:.2f}, {x:.2f}",
            {"image": Source(some.path, point=Point((z, y, x), "mm"))},
            some.scan.patient,
            label(some),
            some.scan.split,
        )
        for some in cubes
        for z, y, x in some.places_mm.round(2).tolist()
    ]
    return tuple({record.name: record for record in records}.values())


def jitter(places_mm: Places, copies: int, sd_mm: float, rng: np.random.Generator) -> Places:
    """Give places, and copies of them moved by chance: (N, 3) -> (N * (copies + 1), 3)."""
    moved = places_mm[None] + rng.normal(0, sd_mm, (copies, *places_mm.shape))
    return np.concatenate([places_mm[None], moved]).reshape(-1, places_mm.shape[-1])
