"""Rows of a table become exams: a row each, or several joined, with labels, facts and images.

A row is an exam, unless a column joins several rows or several columns hold images. Rows without
label or image are left out and counted; what the rows of an exam must agree on is held against
each other.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from medclf.core.record import Fact, Point, Record, Source
from medclf.curate.cells import Table, numbers_or_words, tidy_cell
from medclf.curate.class_folders import SPLIT_WORDS
from medclf.curate.folder import locate
from medclf.curate.problem import count
from medclf.curate.table import Roles
from medclf.curate.task import Worded, Words
from medclf.errors import CohortError

Images = Mapping[str, Source]

MARKS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}


def read_rows(
    table: Table,
    roles: Roles,
    find: Callable[[str], Source | None],
    where: str,
    names: Sequence[str] = (),
) -> Worded:
    """Make records of the rows.

    Args:
        table: Columns of words.
        roles: Which column holds what.
        find: Finds the file that a cell names.
        where: The table, for messages.
        names: What each row is called in messages, where not by the cells of its images.

    Returns:
        The records, with the patient "" where no column tells one, and their labels in words.

    Raises:
        CohortError: files are missing or named twice, or cells contradict each other.
    """
    words = _words(table, roles.labels, where)
    texts = [
        {image: cell.strip() for image, cell in zip(roles.paths, cells, strict=True) if cell}
        for cells in zip(*(table[column] for column in roles.paths.values()), strict=True)
    ]
    blind = [i for i, some in enumerate(texts) if not some]
    mute = sum(word is None for word, some in zip(words, texts, strict=True) if some)
    kept = [i for i, some in enumerate(texts) if some and words[i] is not None]
    if not kept:
        raise CohortError(f"{where}: no row has both an image and a label")
    notes = [
        f"Left out: {count(n, 'row')} without {what}."
        for n, what in ((len(blind), "an image"), (mute, "a label"))
        if n
    ]
    points = _points(table, roles, kept, where)
    called = [names[i] for i in kept] if names else ()
    sources = locate([texts[i] for i in kept], find, where, points, called)
    _add_masks(sources, table, roles, kept, find, where)
    exams: dict[str, list[int]] = defaultdict(list)
    for at, i in enumerate(kept):
        named = table[roles.exam][i] if roles.exam else None
        exams[tidy_cell(named) or _name(texts[i], sources[at])].append(at)
    cells = {name: [column[i] for i in kept] for name, column in table.items()}
    reader = _Exams(cells, roles, sources, [words[i] for i in kept], where)
    reader.single = not roles.view and len(exams) == len(kept)
    records = tuple(reader.record(name, rows) for name, rows in exams.items())
    if reader.differing:
        told = ", ".join(sorted(reader.differing))
        notes.append(f"Facts that differ within an exam count as missing: {told}.")
    if reader.doubled:
        notes.append(
            f"Several images of one view in an exam are numbered in the order of the rows: "
            f"{', '.join(sorted(reader.doubled))}."
        )
    found = tuple(reader.words[rows[0]] for rows in exams.values())
    several = len(roles.labels) > 1
    unseen = {
        name: place for name, place in _places(blind, table, roles, where) if name not in exams
    }
    classes = roles.labels if several else ()
    return Worded(records, found, tuple(notes), classes, tuple(unseen.items()))


def _places(
    rows: Sequence[int], table: Table, roles: Roles, where: str
) -> Iterator[tuple[str, str]]:
    """Name rows, by the exam where a column names it, and tell where they stand."""
    for row in rows:
        named = table[roles.exam][row] if roles.exam else None
        yield tidy_cell(named) or f"{where}: row {row + 2}", f"{where}: row {row + 2}"


def _words(table: Table, labels: tuple[str, ...], where: str) -> list[Words]:
    """Read each row's label: a word as it stands, or the names of the columns that hold 1.

    Where no column holds labels, none is wanted of any row.
    """
    if not labels:
        return [()] * len(next(iter(table.values()), ()))
    if len(labels) == 1:
        cells = table[labels[0]]
        whole = all(tidy_cell(cell) != cell for cell in cells if cell)
        return [tidy_cell(cell) if cell and whole else cell for cell in cells]
    marks: list[list[bool | None]] = []
    for name in labels:
        unknown = {cell for cell in table[name] if cell and cell.strip().lower() not in MARKS}
        if unknown:
            raise CohortError(
                f"{where}: 0 or 1 wanted in the column {name!r}, found {min(unknown)!r}"
            )
        marks.append([MARKS[cell.strip().lower()] if cell else None for cell in table[name]])
    return [
        None if None in row else tuple(n for n, mark in zip(labels, row, strict=True) if mark)
        for row in zip(*marks, strict=True)
    ]


def _points(table: Table, roles: Roles, rows: Sequence[int], where: str) -> Sequence[Point | None]:
    """Read the marked point of each row; `None` where the columns are empty."""
    found: list[Point | None] = []
    for row in rows:
        cells = [(table[name][row] or "").strip() for name in roles.point]
        try:
            at = tuple(float(cell) for cell in cells) if any(cells) else ()
            if not all(map(math.isfinite, at)):
                raise ValueError
        except ValueError as problem:
            raise CohortError(
                f"{where}: a marked point wanted in {', '.join(roles.point)}, row {row + 2} has "
                f"{', '.join(map(repr, cells))}"
            ) from problem
        found.append(Point(at, roles.unit) if at else None)
    return found


def _add_masks(
    sources: Sequence[dict[str, Source]],
    table: Table,
    roles: Roles,
    rows: Sequence[int],
    find: Callable[[str], Source | None],
    where: str,
) -> None:
    """Join each image to the mask that its row names."""
    for images, row in zip(sources, rows, strict=True):
        cell = (table[roles.mask][row] or "").strip() if roles.mask else ""
        if not cell:
            continue
        mask = find(cell)
        if mask is None:
            raise CohortError(f"{where}: row {row + 2}: the mask {cell} is missing")
        for name, source in images.items():
            images[name] = replace(source, mask=mask)


def _name(texts: Mapping[str, str], images: Images) -> str:
    """Name an exam by its first file, and by the place that is meant in it."""
    name, source = next(iter(texts.values())), next(iter(images.values()))
    return name if source.point is None else f"{name} at {source.point}"


class _Exams:
    """Joins the rows of an exam to one record."""

    def __init__(
        self,
        cells: Table,
        roles: Roles,
        sources: Sequence[Images],
        words: Sequence[Words],
        where: str,
    ) -> None:
        self.cells, self.roles, self.sources, self.words = cells, roles, sources, words
        self.where, self.single = where, True
        taken = {*roles.paths.values(), *roles.labels}
        taken |= {roles.patient, roles.split, roles.exam, roles.view, roles.mask, *roles.point}
        self.facts = {
            name: numbers_or_words(column) for name, column in cells.items() if name not in taken
        }
        self.differing: set[str] = set()
        self.doubled: set[str] = set()

    def record(self, name: str, rows: list[int]) -> Record:
        self._agree(name, "label", [self.words[i] for i in rows])
        patients = [
            tidy_cell(self.cells[self.roles.patient][i]) for i in rows if self.roles.patient
        ]
        self._agree(name, "patient", patients)
        splits = [self._split(i) for i in rows]
        self._agree(name, "split", splits)
        facts: dict[str, Fact] = {}
        for fact, column in self.facts.items():
            values = {column[i] for i in rows}
            if len(values) > 1:
                self.differing.add(fact)
            facts[fact] = values.pop() if len(values) == 1 else None
        patient = patients[0] if patients else ""
        return Record(name, self._images(rows), patient, None, splits[0], facts)

    def _agree(self, exam: str, what: str, found: Sequence[Words]) -> None:
        if len(set(found)) > 1:
            told = " and ".join(map(repr, dict.fromkeys(found)))
            raise CohortError(
                f"{self.where}: the exam {exam!r} has more than one {what}: {told}; where "
                f"{self.roles.exam!r} does not name exams, as where it counts the visits of each "
                "patient, say --exam none"
            )

    def _split(self, row: int) -> str:
        cell = (self.cells[self.roles.split][row] or "").strip() if self.roles.split else ""
        if cell and cell.casefold() not in SPLIT_WORDS:
            raise CohortError(
                f"{self.where}: train, val or test wanted in the column {self.roles.split!r}, "
                f"found {cell!r}"
            )
        return SPLIT_WORDS[cell.casefold()] if cell else ""

    def _images(self, rows: list[int]) -> Images:
        """Name the images of an exam by their column, by their view, or by number."""
        if self.single:
            return self.sources[rows[0]]
        images: dict[str, Source] = {}
        self._expect_one_side(rows)
        for number, i in enumerate(rows, 1):
            view = self.cells[self.roles.view][i] if self.roles.view else None
            for image, source in self.sources[i].items():
                name = image if len(self.sources[i]) > 1 else view or f"image_{number}"
                if name in images:
                    self.doubled.add(name)
                images[name if name not in images else f"{name}_{number}"] = source
        return images

    def _expect_one_side(self, rows: list[int]) -> None:
        """Refuse an exam with the same view of both sides, which would bear names by chance."""
        if not self.roles.side:
            return
        sides: dict[str, set[str]] = defaultdict(set)
        for i in rows:
            view, side = self.cells[self.roles.view][i], self.cells[self.roles.side][i]
            if view and side:
                sides[view].add(side.strip().casefold())
        if both := [view for view, found in sides.items() if len(found) > 1]:
            raise CohortError(
                f"{self.where}: one image of each view in an exam wanted, found {both[0]!r} of "
                f"several sides ({self.roles.side}): name by --view a column that tells both, as "
                "LCC, or say --view none"
            )
