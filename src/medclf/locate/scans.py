"""Scans and what is marked in them: the rows of a table that name one image are one scan.

A row without a place says that the scan was looked at, and has nothing more to tell.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medclf.core.record import Point, Record, Source
from medclf.errors import CohortError

FINDING = "finding"
"""What marks are called where no column tells."""

DIAMETER = "diameter_mm"

NEAREST_MM = 4.5
"""A finding hits a target within its radius, or within so much where that is more."""

ALONE_MM = 5.0
"""It hits a target of unknown size within so much."""


@dataclass(frozen=True)
class Target:
    """Something that is to be found.

    Args:
        kind: What it is.
        point: Where its middle lies.
        diameter_mm: Its size; `None` where the table does not tell.
    """

    kind: str
    point: Point
    diameter_mm: float | None = None

    @property
    def radius_mm(self) -> float:
        """Half its size, or what counts as that where it is not known."""
        return ALONE_MM if self.diameter_mm is None else self.diameter_mm / 2

    @property
    def reach_mm(self) -> float:
        """How near a finding must come to hit it, whatever the samples of the system are."""
        return max(self.radius_mm, NEAREST_MM)


@dataclass(frozen=True)
class Scan:
    """An image that is searched, before it is read.

    Args:
        name: Its file below the folder of the data, unique.
        source: Where it is; without a point.
        patient: Whose.
        split: "train", "val" or "test", or "" where the data do not say.
        targets: What is marked in it and sought.
        group: Binds more than a patient does, as a site; "" where only the patient binds.
    """

    name: str
    source: Source
    patient: str
    split: str
    targets: tuple[Target, ...]
    group: str = ""


def gather_scans(
    records: Sequence[Record], base: Path, column: str = "", kinds: Sequence[str] = ()
) -> tuple[Scan, ...]:
    """Gather marks by the image that they lie in.

    Args:
        records: One per mark, or per scan without marks; an image each.
        base: The folder below which scans are named, so that they keep their names as it moves.
        column: The fact that names the kind of a mark; "" where all are alike.
        kinds: Those that are sought; empty for all. Other marks are left out, not their scans.

    Raises:
        CohortError: an exam has several images, a scan has two patients, splits or groups, a kind
            is not there, not told of a mark or spelt in two ways, a diameter is none, or nothing
            that is sought is marked.
    """
    marks: dict[Source, list[Record]] = defaultdict(list)
    for record in records:
        if len(record.images) > 1:
            found = f"{record.name} has {len(record.images)}"
            raise CohortError(f"marks in one image each wanted, {found}")
        marks[replace(record.source, point=None)].append(record)
    marked = [record for record in records if record.source.point is not None]
    _expect_kinds(marked, column)
    there = {_kind(record, column) for record in marked}
    strange = sorted(set(kinds) - there)
    if strange:
        found = ", ".join(sorted(there)) or "none"
        raise CohortError(f"marks of {', '.join(strange)} wanted, found {found}")
    if not there:
        raise CohortError("marked points wanted (columns z_mm, y_mm, x_mm, or --point), found none")
    return tuple(
        _scan(_below(source, base), source, rows, _targets(rows, column, kinds))
        for source, rows in marks.items()
    )


def _below(source: Source, base: Path) -> str:
    path = source.path.absolute()
    inside = path.is_relative_to(base)
    return str(replace(source, path=path.relative_to(base)) if inside else source)


def _scan(name: str, source: Source, rows: Sequence[Record], targets: tuple[Target, ...]) -> Scan:
    for what, values in (
        ("patients", {row.patient for row in rows if row.patient != row.name}),
        ("splits", {row.split for row in rows}),
        ("groups", {row.group for row in rows}),
    ):
        if len(values) > 1:
            raise CohortError(f"{source}: one scan with {what} {', '.join(sorted(values))}")
    patient = next((row.patient for row in rows if row.patient != row.name), name)
    return Scan(name, source, patient, rows[0].split, targets, rows[0].group)


def _targets(rows: Sequence[Record], column: str, kinds: Sequence[str]) -> tuple[Target, ...]:
    found = (
        Target(_kind(row, column), row.source.point, _diameter(row))
        for row in rows
        if row.source.point is not None and (not kinds or _kind(row, column) in kinds)
    )
    return tuple(sorted(found, key=repr))  # In whatever order the rows of a table come.


def _kind(record: Record, column: str) -> str:
    word = record.facts.get(column) if column else None
    return FINDING if word is None else str(word)


def _expect_kinds(marked: Sequence[Record], column: str) -> None:
    """Check that every mark tells its kind, and each kind is spelt in one way."""
    untold = [record for record in marked if column and record.facts.get(column) is None]
    if untold:
        raise CohortError(
            f"{untold[0].source}: a kind of each mark wanted in the column {column!r}, found none "
            f"in {len(untold)} of {len(marked)}"
        )
    spelt: dict[str, list[str]] = defaultdict(list)
    for kind in sorted({_kind(record, column) for record in marked}):
        spelt[" ".join(kind.split()).casefold()].append(kind)
    for several in spelt.values():
        if len(several) > 1:
            told = ", ".join(map(repr, several))
            raise CohortError(f"kinds differ only in spaces or case: {told}; mend them")


def _diameter(record: Record) -> float | None:
    size = record.facts.get(DIAMETER)
    if size is None:
        return None
    try:
        number = float(size)  # One word makes words of a whole column.
    except ValueError:
        number = 0.0
    if not 0 < number < np.inf:
        raise CohortError(
            f"{record.source}: a {DIAMETER} above 0 wanted, or nothing where it is not known, "
            f"found {size!r}"
        )
    return number
