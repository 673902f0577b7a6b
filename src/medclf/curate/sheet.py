"""A sheet that names no files: its rows are joined to DICOM series by what their headers say.

A hospital's archive is exported as a tree of folders with names of its own, and the labels come in
a spreadsheet, by the number of the examination or of the patient. The finest of four keys that the
sheet has is used: the series, the study, the accession number, the patient.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from medclf.core.record import Source
from medclf.curate.cells import Table, tidy_cell
from medclf.curate.problem import count, tell
from medclf.curate.rows import read_rows
from medclf.curate.series import by_key, choose_series, tell_left_out
from medclf.curate.table import Columns, choose_sheet_roles, likely_keys
from medclf.curate.task import Worded
from medclf.errors import CohortError
from medclf.read.dicom.find import Found, Series

IMAGE, PATIENT = "(image)", "(patient)"  # columns that a sheet gets
KEYS = {
    "uid": "SeriesInstanceUID",
    "study": "StudyInstanceUID",
    "accession": "AccessionNumber",
    "patient": "PatientID",
}


def read_sheet(table: Table, columns: Columns, found: Found, where: str) -> Worded:
    """Make records of the rows of a sheet and the series that they mean.

    Args:
        table: Columns of words.
        columns: What the person says of them.
        found: The series.
        where: The sheet, for messages.

    Raises:
        CohortError: no column names what is in the headers, or a row means several images.
    """
    roles, notes = choose_sheet_roles(table, columns, where)
    column, key, groups = _choose_key(table, columns, found, where)
    cells = [tidy_cell(cell) or "" for cell in table[column]]
    exams = {cell: groups[cell] for cell in cells if cell in groups}
    chosen, told = choose_series(exams, columns.series, where)
    names = {cell: _name(one, found) for cell, one in chosen.items()}
    sources = {names[cell]: one.source for cell, one in chosen.items()}
    whole = {**table, IMAGE: [names.get(cell) for cell in cells]}
    if not roles.patient:
        whole[PATIENT] = [
            chosen[cell].patient or None if cell in chosen else None for cell in cells
        ]
    roles = replace(roles, paths={"image": IMAGE}, patient=roles.patient or PATIENT)
    rows = read_rows(whole, roles, sources.get, where)
    notes += [
        f"Rows are joined to images by the column {column!r}, which is their {KEYS[key]}.",
        *told,
        *_tell_unused(found, chosen, {cell for cell in cells if cell}),
        *tell_left_out(found.left_out),
    ]
    return replace(rows, notes=(*notes, *rows.notes))


def _choose_key(
    table: Table, columns: Columns, found: Found, where: str
) -> tuple[str, str, Mapping[str, Sequence[Series]]]:
    """Choose the finest key, and the column whose cells hold most of its values."""
    for key in KEYS:
        groups = by_key(found, key)
        shared = {
            name: sum((tidy_cell(cell) or "") in groups for cell in table[name])
            for name in likely_keys(table, columns, key)
        }
        best = max(shared, key=lambda name: shared[name], default="")
        if best and shared[best]:
            return best, key, groups
    raise CohortError(
        f"{where}: a column wanted that names images, or what their DICOM headers say "
        f"({', '.join(KEYS.values())}), found {tell(table, most=8)}"
    )


def _name(series: Series, found: Found) -> str:
    """Name an image by its path below the folder, or by its series."""
    source: Source = series.source
    if source.parts or source.member:
        return source.member
    return source.path.relative_to(found.root).as_posix()


def _tell_unused(found: Found, chosen: Mapping[str, Series], cells: set[str]) -> list[str]:
    """Note which rows have no image, and how many images no row."""
    notes = []
    if absent := sorted(cells - set(chosen)):
        notes.append(f"No image of {count(len(absent), 'row')}: {tell(absent)}.")
    if unused := len(found.series) - len({id(one) for one in chosen.values()}):
        notes.append(f"Not used: {count(unused, 'series', 'series')} that no row means.")
    return notes
