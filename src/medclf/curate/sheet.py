"""A sheet that names no files: its rows are joined to DICOM series by what their headers say.

A hospital's archive is exported as a tree of folders with names of its own, and the labels come in
a spreadsheet, by the number of the examination or of the patient. The finest of four keys that the
sheet has is used: the series, the study, the accession number, the patient. A row that names an
examination never means another one of its patient. A few stray matches are no key; and a
spreadsheet may have taken leading zeros from numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medclf.core.record import Source
from medclf.curate.cells import Table, tidy_cell
from medclf.curate.choice import UIDS, Choice
from medclf.curate.kinds import choose_images, expect_fit, part_pattern
from medclf.curate.problem import count, tell
from medclf.curate.rows import read_rows
from medclf.curate.series import by_key, free_name, tell_left_out
from medclf.curate.table import Columns, choose_sheet_roles, likely_keys
from medclf.curate.task import Worded
from medclf.curate.whose import of_patient, tell_contradicted, tell_several, write_patients
from medclf.curate.zeros import form_of, match, tell_padded
from medclf.errors import CohortError
from medclf.read.dicom.find import Found, Series, find_series

PATIENT = "(patient)"  # a column that a sheet gets, beside those of its images
KEYS = {
    "uid": "SeriesInstanceUID",
    "study": "StudyInstanceUID",
    "accession": "AccessionNumber",
    "patient": "PatientID",
}

ENOUGH = 0.5
"""A finer key is taken for all rows where it finds so many of those that the best one finds. Where
it finds fewer, but agrees with the best one, it is taken for the rows that have it."""


@dataclass(frozen=True)
class Join:
    """How rows are joined to series.

    Args:
        column: Whose cells say which.
        key: "uid", "study", "accession" or "patient".
        cells: That of each row; "" where it is empty.
        groups: The series by what their headers say.
        meant: What the headers say, by cell.
        doubtful: Cells that may mean several numbers of the headers.
    """

    column: str
    key: str
    cells: Sequence[str]
    groups: Mapping[str, Sequence[Series]]
    meant: Mapping[str, str]
    doubtful: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows that finds."""
        return sum(cell in self.meant for cell in self.cells)

    def series(self, row: int) -> Sequence[Series]:
        """What a row means."""
        cell = self.cells[row]
        return self.groups[self.meant[cell]] if cell in self.meant else ()


def read_export(table: Table, columns: Columns, images: Path, where: str) -> Worded:
    """Read a sheet, and the DICOM series in a folder or zip that its rows mean; as `read_sheet`."""
    return read_sheet(table, columns, find_series(images), where)


def read_sheet(table: Table, columns: Columns, found: Found, where: str) -> Worded:
    """Make records of the rows of a sheet and the series that they mean.

    Args:
        table: Columns of words.
        columns: What the person says of them.
        found: The series.
        where: The sheet, for messages.

    Raises:
        CohortError: no column names what is in the headers, or a row means more images than are
            named.
    """
    roles, notes = choose_sheet_roles(table, columns, where)
    joins, told_joins = _choose_joins(table, columns, found, where)
    patients = table.get(roles.patient, [None] * len(joins[0].cells))
    cells, exams, mixed = _find_series(joins, [tidy_cell(cell) for cell in patients])
    expect_fit(exams, columns.series, where)
    kinds = choose_images(exams, columns.series, where)
    chosen = kinds.images
    sources = _name_all(found)
    names = {source: name for name, source in sources.items()}
    paths = {image: f"({image})" for image in part_pattern(columns.series)}
    whole = dict(table)
    for image, column in paths.items():
        there = {cell: names[some[image].source] for cell, some in chosen.items() if image in some}
        whole[column] = [there.get(cell) for cell in cells]
    whose = roles.patient or ("" if columns.patient == "none" else PATIENT)
    headers = {cell: next(iter(some.values())).patient for cell, some in chosen.items()}
    theirs = [headers.get(cell, "") for cell in cells]
    if whose:
        own = whose == PATIENT
        whole[whose] = [one or None for one in theirs] if own else write_patients(patients, theirs)
    roles = replace(roles, paths=paths, patient=whose)
    rows = read_rows(whole, roles, sources.get, where, cells)
    notes += [
        *told_joins,
        *(note for join in joins for note in tell_padded(join.meant, join.doubtful)),
        *tell_contradicted(whole.get(whose, patients), theirs, by_key(found, "patient")),
        *_tell_mixed(mixed),
        *kinds.notes,
        *_tell_unused(found, chosen, {*cells} - {"", *exams, *mixed}),
        *tell_left_out(found.left_out),
    ]
    cell_of = {one.source: cell for cell, some in chosen.items() for one in some.values()}
    firsts = (next(iter(record.images.values())) for record in rows.records)
    called = tuple(cell_of[replace(source, point=None)] for source in firsts)
    return replace(rows, notes=(*notes, *rows.notes), series=kinds.kind, called=called)


def _choose_joins(
    table: Table, columns: Columns, found: Found, where: str
) -> tuple[list[Join], list[str]]:
    """Choose the keys to go by, the finest first; each serves the rows that have none before it.

    The last finds enough rows. Those before it find fewer, as where other exams of the same
    patients were exported, but do not contradict it, as stray matches do.
    """
    joins = []
    for key in KEYS:
        groups = by_key(found, key)
        for column in _key_columns(table, columns, key, where):
            cells = [tidy_cell(cell) for cell in table[column]]
            joins.append(Join(column, key, cells, groups, *match({*cells} - {""}, groups)))
    best = max(joins, key=lambda join: join.rows, default=None)
    if best is None or not best.rows:
        raise CohortError(
            f"{where}: a column wanted that names images, or what their DICOM headers say "
            f"({', '.join(KEYS.values())}), found {tell(table, most=8)}"
            f"{_tell_examples(found, joins)}{_tell_none(found)}"
        )
    each = [[join for join in joins if join.key == key] for key in KEYS]
    most = [max(some, key=lambda join: join.rows) for some in each if some]
    last = next(i for i, join in enumerate(most) if join.rows >= ENOUGH * best.rows)
    chosen = [*(join for join in most[:last] if _agree(join, best)), most[last]]
    return chosen, _tell_joins(chosen, joins)


def _key_columns(table: Table, columns: Columns, key: str, where: str) -> list[str]:
    """List the columns that may hold a key: the one of the exam where the person names it."""
    if columns.exam in (None, "none"):
        return likely_keys(table, columns, key)
    return [Choice(table, where).named("exam", columns.exam)]


def _agree(join: Join, best: Join) -> bool:
    """Tell whether two columns mean the same series in most of the rows where both mean some."""
    pairs = [(join.series(row), best.series(row)) for row in range(len(best.cells))]
    same = [any(one in other for one in some) for some, other in pairs if some and other]
    return join.column != best.column and 2 * sum(same) > len(same)


def _find_series(
    joins: Sequence[Join], patients: Sequence[str]
) -> tuple[list[str], dict[str, Sequence[Series]], list[str]]:
    """Name the exam of each row, by its first cell that is filled, and find its series.

    Where patients share the number of an exam, the one that the row names is meant.

    Returns:
        The exam of each row, the series of exams, and exams of whose patients nothing tells one.
    """
    names, exams, mixed = [], dict[str, Sequence[Series]](), dict[str, None]()
    for row in range(len(joins[0].cells)):
        join = next((join for join in joins if join.cells[row]), joins[0])
        cell, found = join.cells[row], join.series(row)
        name = cell if join is joins[0] else f"{join.column} {cell}"
        if tell_several(found):
            name = f"{name} of {patients[row]}" if patients[row] else name
            found = of_patient(found, patients[row])
            mixed |= {} if found else {name: None}
        names.append(name)
        if found:
            exams[name] = found
    return names, exams, list(mixed)


def _tell_mixed(mixed: Sequence[str]) -> list[str]:
    """Note exams that are left out because several patients have their number."""
    told = "1 exam is" if len(mixed) == 1 else f"{len(mixed):,} exams are"
    about = "several patients of the headers have its number, none of them named by its row"
    return [f"{told} left out: {about}: {tell(mixed)}."] if mixed else []


def _tell_joins(chosen: Sequence[Join], joins: Sequence[Join]) -> list[str]:
    """Note which columns rows are joined by, and which number of the exam is passed over."""
    told = [f"by the column {join.column!r}, which is their {KEYS[join.key]}." for join in chosen]
    notes = [f"Rows are joined to images {told[0]}"]
    notes += [f"Rows without it are joined {one}" for one in told[1:]]
    for join in joins if chosen[0].key == "patient" else ():
        filled = sum(map(bool, join.cells))
        if join.key == "accession" and join.column != chosen[0].column and filled:
            notes.append(
                f"The column {join.column!r} is not gone by: {join.rows:,} of "
                f"{count(filled, 'row')} have an AccessionNumber of the headers there. See that no "
                "patient had several exams, of which another was exported."
            )
    return notes


def _tell_examples(found: Found, joins: Sequence[Join]) -> str:
    """Tell how headers write the keys that people know, and how the sheet does."""
    told = []
    for key in (key for key in KEYS if key not in UIDS):
        for value in sorted(by_key(found, key))[:1]:
            told.append(f"; {KEYS[key]} is like {form_of(value)} in a header")
            for join in joins:
                cell = next(filter(None, join.cells), "")
                alike = f", {form_of(cell)} in the column {join.column!r}"
                told += [alike] if join.key == key else []
    return "".join(told)


def _tell_none(found: Found) -> str:
    """Tell why no DICOM image was found, where none was, as behind links that are not followed."""
    if found.series:
        return ""
    left_out = "".join(f". {note}" for note in tell_left_out(found.left_out))
    return f"; no DICOM image was found in {found.root}{left_out}"


def _name_all(found: Found) -> dict[str, Source]:
    """Name each image by its path below the folder, or by its series; a number parts equal names.

    Two series bear one name where patients share a SeriesInstanceUID, or where none is stated.
    """
    root = found.root.parent if found.root.is_file() else found.root  # That of a DICOMDIR.
    named: dict[str, Source] = {}
    for source in (series.source for series in found.series):
        inside = source.parts or source.member
        name = source.member if inside else source.path.relative_to(root).as_posix()
        named[free_name(name, named)] = source
    return named


def _tell_unused(
    found: Found, chosen: Mapping[str, Mapping[str, Series]], absent: set[str]
) -> list[str]:
    """Note which exams of rows have no image, and how many images no row."""
    notes = []
    if absent:
        notes.append(f"No image of {count(len(absent), 'row')}: {tell(sorted(absent))}.")
    used = {id(one) for some in chosen.values() for one in some.values()}
    if unused := len(found.series) - len(used):
        notes.append(f"Not used: {count(unused, 'series', 'series')} that no row means.")
    return notes
