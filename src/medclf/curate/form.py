"""What DATA are where they are no published set: a table, or a folder or zip of images.

In a folder or a zip a table that names images wins over a sheet whose rows are joined to DICOM
files, and that over folders per class. Where a folder holds one zip and no image, the images are
those in the zip.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from medclf.core.record import Source
from medclf.curate.cells import Table, load_table
from medclf.curate.class_folders import read_class_folders
from medclf.curate.folder import TABLES, Listing, list_files
from medclf.curate.headers import may_be_dicom
from medclf.curate.problem import count, tell
from medclf.curate.rows import read_rows
from medclf.curate.seek import let_absent, seek_files
from medclf.curate.series import join_files
from medclf.curate.sheet import read_export
from medclf.curate.table import Columns, carry_over, choose_roles, names_images, tells_exams
from medclf.curate.task import Worded
from medclf.curate.workbook import part_sheet
from medclf.errors import CohortError, ReadError
from medclf.read.archive import is_archive
from medclf.read.datasets.table import DATASETS

Loaded = tuple[Source, Table]


def read_form(
    data: Path, columns: Columns, usual: Columns, absent: bool = False
) -> tuple[Worded, Columns]:
    """Read a table or a folder; tell what was said of its columns, and what holds from others."""
    book, sheet = part_sheet(data)
    if book.is_file() and book.name.lower().endswith(TABLES):
        loaded = Source(book), load_table(Source(book), sheet)
        columns = carry_over(columns, usual, [loaded[1]])
        return _read_table(loaded, columns, None, absent), columns
    if not (data.is_dir() or is_archive(data)):
        raise ReadError(
            f"{data}: a data set, a folder, a zip or a table ({', '.join(TABLES)}) wanted, "
            "found another file"
        )
    listing = list_files(data)
    tables, packed, notes = _load_tables(listing), dict[str, Loaded](), list[str]()
    if not listing.images and len(listing.archives) == 1 and not (columns.images or usual.images):
        (archive,) = listing.archives.values()
        listing = list_files(archive.path)
        packed = {f"{archive.path.name}/{n}": one for n, one in _load_tables(listing).items()}
        notes.append(f"The images are those in {archive.path.name}.")
    every = {**tables, **packed}
    columns = carry_over(columns, usual, [table for _, table in every.values()])
    naming = _naming(tables, columns, data) or _naming(packed, columns, data)
    sheet = "" if naming else _sheet_of(every, listing, columns, data)
    for name, (_, table) in every.items():
        if name != sheet and not names_images(table, columns):
            notes.append(f"The table {name} has no column that names images: not used.")
    if naming:
        found = _read_table(every[naming], columns, listing)
    elif sheet:
        source, table = every[sheet]
        found = read_export(table, columns, listing.root, str(source))
    elif listing.images:
        listing, joined = (listing, []) if columns.slices else join_files(listing)
        notes += joined
        found = read_class_folders(listing)
    else:
        raise CohortError(f"{data}: images wanted, found {_what_else(data, listing)}")
    return replace(found, notes=(*notes, *found.notes)), columns


def _what_else(data: Path, listing: Listing) -> str:
    """Say what a folder or zip without images holds; name the data sets in it."""
    files = sorted(data.iterdir()) if data.is_dir() else []
    packed = [file.name for file in files if any(d.recognise(file) for d in DATASETS)]
    if packed:
        return f"data sets: name one of {', '.join(packed)}"
    others = sum(listing.skipped.values()) + len(listing.tables) + len(listing.archives)
    return count(others, "other file") if others else "nothing"


def _load_tables(listing: Listing) -> dict[str, Loaded]:
    """Load the tables that do not lie deep below, each once."""
    found = {name: source for name, source in listing.tables.items() if name.count("/") <= 1}
    return {name: (source, load_table(source)) for name, source in found.items()}


def _naming(tables: Mapping[str, Loaded], columns: Columns, data: Path) -> str:
    """Choose the one table that names images; "" where none does."""
    found = [name for name, (_, table) in tables.items() if names_images(table, columns)]
    if len(found) > 1:
        raise CohortError(f"{data}: one table that names images wanted, found {tell(found)}")
    return found[0] if found else ""


def _sheet_of(tables: Mapping[str, Loaded], listing: Listing, columns: Columns, data: Path) -> str:
    """Choose the one table whose rows can be joined to DICOM series; "" where there is none."""
    if not any(may_be_dicom(source) for source in listing.images.values()):
        return ""
    found = [name for name, (_, table) in tables.items() if tells_exams(table, columns)]
    if len(found) > 1:
        raise CohortError(
            f"{data}: one table that tells of exams wanted, found {tell(found)}: name the one that "
            f"is meant instead of the folder, and the folder by --images"
        )
    return found[0] if found else ""


def _read_table(
    loaded: Loaded, columns: Columns, listing: Listing | None, absent: bool = False
) -> Worded:
    """Read a table whose files lie beside it, in the listing, or in `columns.images` alone."""
    source, table = loaded
    where = str(source)
    if columns.images is not None and not names_images(table, columns):
        return read_export(table, columns, columns.images, where)
    roles, notes = choose_roles(table, columns, where)
    find = seek_files(source, columns, listing)
    if absent:
        cells = (cell for column in roles.paths.values() for cell in table[column])
        find = let_absent(find, cells, source, columns)
    found = read_rows(table, roles, find, where)
    return replace(found, notes=(*notes, *found.notes))
