"""The files that the cells of a table name: beside the table, in a listing, or in a folder named.

A cell may name a folder, which then is the one volume whose DICOM files lie in it.
"""

from collections.abc import Callable, Iterable
from functools import cache

from medclf.core.record import Source
from medclf.curate.folder import Listing, find_beside, list_files
from medclf.curate.series import read_folder
from medclf.curate.table import Columns

Seek = Callable[[str], Source | None]


def seek_files(table: Source, columns: Columns, listing: Listing | None) -> Seek:
    """Make what finds the file that a cell names; `None` where it is missing.

    Args:
        table: Where the table is.
        columns: Where they say so, files lie in `images` alone.
        listing: What lies about the table, if that is known.
    """
    base = None if table.member else table.path.parent
    if columns.images is not None:
        listing = list_files(columns.images)
        base = columns.images if columns.images.is_dir() else None
    beside = table.member.rpartition("/")[0]

    @cache  # Many rows may mark points in one image, and a folder of DICOM files is long to read.
    def find(text: str) -> Source | None:
        found = None if base is None else find_beside(base, text)
        if found is None and base is not None and (base / text).is_dir():
            return read_folder(base / text, columns.series)
        if found is not None or listing is None:
            return found
        return listing.images.get(f"{beside}/{text}") or listing.find(text)

    return find


def let_absent(find: Seek, cells: Iterable[str | None], table: Source, columns: Columns) -> Seek:
    """Take a missing file as one that is there and cannot be read, where any other is there.

    Where none is, they lie elsewhere, and that is to be told.

    Args:
        find: As `seek_files` makes it.
        cells: Those that name files.
        table: Where the table is.
        columns: What the person says of it.
    """
    if not any(find(cell.strip()) for cell in cells if cell):
        return find
    base = columns.images or table.path.parent

    def expect(text: str) -> Source | None:
        if (found := find(text)) is not None or "\0" in text:
            return found
        return Source(base / text) if base.is_dir() else Source(base, text)

    return expect
