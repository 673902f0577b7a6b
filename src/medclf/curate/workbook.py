"""One sheet of an Excel workbook as words, as the same table saved as CSV would have them.

A workbook keeps numbers without saying how many digits were typed, dates as days since 1900, and
of a formula the value that it had when the file was saved. So a whole number is written without
a point, a date as ISO 8601, and a formula that was never worked out is refused, since its cell
would pass for a missing one.

Source: ECMA-376, part 1, section 18.3 (worksheets); Excel's specifications: 15 digits of a number.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from medclf.errors import ReadError
from medclf.read.quiet import Quiet
from medclf.read.refuse import one_line

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

SUFFIX = ".xlsx"

LARGEST = 2**30
"""The most bytes that the parts of a workbook may unpack to."""

_quiet = Quiet("openpyxl")


def part_sheet(path: Path) -> tuple[Path, str]:
    """Part the name of a workbook from that of its sheet.

    Example:
        >>> part_sheet(Path("study/exams.xlsx!Follow-up"))[1], part_sheet(Path("exams.csv"))[1]
        ('Follow-up', '')
    """
    text = str(path)
    at = text.lower().rfind(f"{SUFFIX}!")
    if at < 0 or path.exists():
        return path, ""
    end = at + len(SUFFIX)
    return Path(text[:end]), text[end + 1 :]


def load_sheet(raw: bytes, where: str, sheet: str = "") -> tuple[list[str], list[list[str]]]:
    """Read the header and the rows of a sheet; "" where a cell is empty.

    Args:
        raw: The bytes of an .xlsx file.
        where: Names the file in messages.
        sheet: The sheet's name; the first that is not hidden where it is not given.

    Returns:
        Rows of one length. Empty rows, and columns without a name at the end, are left out.

    Raises:
        ReadError: it is no such workbook, or encrypted, or too large; there is no such sheet; or
            a formula in it was never worked out.
    """
    formulas = _check_parts(raw, where)
    rows = _rows(raw, where, sheet, values=True)
    if formulas:
        _check_formulas(rows, _rows(raw, where, sheet, values=False), where)
    words = [[_word(cell) for cell in row] for row in rows]
    words = [row for row in words if any(cell.strip() for cell in row)]
    if not words:
        raise ReadError(f"{where}: a table wanted, the sheet is empty")
    header = [name.strip() for name in words[0]]
    while header and not header[-1] and not any(row[len(header) - 1].strip() for row in words):
        header.pop()
    return header, [row[: len(header)] for row in words[1:]]


def _check_parts(raw: bytes, where: str) -> bool:
    """Look into the zip that a workbook is; tell whether a sheet of it holds formulas."""
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise ReadError(
            f"{where}: an Excel workbook (.xlsx) wanted, found one that is encrypted or of Excel "
            "97 (.xls): save it as .xlsx without a password"
        )
    try:
        with ZipFile(BytesIO(raw)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
            if unpacked > LARGEST:
                raise ReadError(
                    f"{where}: unpacks to {unpacked:,} bytes; at most {LARGEST:,} are read"
                )
            sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/")]
            texts = (parts.read(name) for name in sheets if name.endswith(".xml"))
            return any(b"<f>" in text or b"<f " in text for text in texts)
    except (BadZipFile, NotImplementedError, RuntimeError, ValueError) as problem:
        raise _no_workbook(where, problem) from problem


def _rows(raw: bytes, where: str, sheet: str, *, values: bool) -> list[list[Any]]:
    """Read the cells of a sheet, padded to one length: their values, or their formulas."""
    from openpyxl import load_workbook

    with _quiet:
        try:
            book = load_workbook(BytesIO(raw), read_only=True, data_only=values)
            rows = [list(row) for row in _choose(book.worksheets, sheet, where).values]
        except ReadError:
            raise
        except Exception as problem:  # openpyxl has no closed list of what damaged files raise.
            raise _no_workbook(where, problem) from problem
    width = max((len(row) for row in rows), default=0)
    return [row + [None] * (width - len(row)) for row in rows]


def _no_workbook(where: str, problem: Exception) -> ReadError:
    return ReadError(f"{where}: an Excel workbook (.xlsx) wanted: {one_line(problem)}")


def _choose(sheets: Sequence["Worksheet"], wanted: str, where: str) -> "Worksheet":
    shown = [one for one in sheets if one.sheet_state == "visible"]
    for one in sheets if wanted else shown:
        if wanted in ("", one.title):
            return one
    told = ", ".join(one.title for one in sheets) or "none"
    raise ReadError(f"{where}: the sheet {wanted!r} wanted, found {told}")


def _check_formulas(values: list[list[Any]], formulas: list[list[Any]], where: str) -> None:
    for line, (row, written) in enumerate(zip(values, formulas, strict=True), 1):
        for column, (value, text) in enumerate(zip(row, written, strict=True), 1):
            if value is None and text is not None:
                raise ReadError(
                    f"{where}: row {line}, column {column}: a value wanted, found the formula "
                    f"{one_line(ValueError(text))} that was never worked out: open the workbook "
                    "in Excel and save it, or paste values"
                )


def _word(cell: object) -> str:
    """Write a cell as CSV would hold it.

    Example:
        >>> [_word(cell) for cell in (None, 12.0, 0.1 + 0.2, True, date(2024, 1, 31))]
        ['', '12', '0.3', 'True', '2024-01-31']
    """
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
