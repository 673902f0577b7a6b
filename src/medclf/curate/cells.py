"""The cells of a table as words, whether it is CSV, TSV, Parquet or Excel.

Words stay as they stand in the file, so that nothing is merged or taken for a number unseen.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from medclf.core.record import Fact, Source
from medclf.curate.workbook import SUFFIX, load_sheet
from medclf.errors import ReadError
from medclf.read.archive import read_bytes

Table = Mapping[str, Sequence[str | None]]
"""Columns of words by their names; `None` where a cell is empty."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
SEPARATOR = re.compile(r'"?sep=([,;\t|])"?[ ,;]*\r?\n', re.IGNORECASE)
MISSING = {"", "na", "n/a", "#n/a", "nan", "null", "<na>"}


def load_table(source: Source, sheet: str = "") -> dict[str, list[str | None]]:
    """Read the columns of a CSV, TSV, Parquet or Excel file as words; `None` where one is missing.

    An empty column without a name is left out, as spreadsheets leave some at the end; another one
    without a name, as that of row numbers, is called by its place.

    Args:
        source: The file.
        sheet: Of an Excel workbook; its first where it is not given.

    Raises:
        ReadError: no such table, not in UTF-8, or rows of another length than the header.
    """
    raw = read_bytes(source)
    if not raw.strip():
        raise ReadError(f"{source}: a table wanted, the file is empty")
    name = source.member or source.path.name
    if name.lower().endswith(SUFFIX):
        header, rows = load_sheet(raw, str(source), sheet)
    else:
        load = _load_parquet if name.lower().endswith(".parquet") else _load_csv
        header, rows = load(raw, source)
    kept = [i for i, name in enumerate(header) if name or any(row[i].strip() for row in rows)]
    rows = [[row[i] for i in kept] for row in rows] if len(kept) < len(header) else rows
    header = [header[i] or f"column {i + 1}" for i in kept]
    twice = [name for name, n in Counter(header).items() if n > 1]
    if twice:
        raise ReadError(f"{source}: column names must differ, {twice[0]!r} stands there twice")
    if not rows:
        raise ReadError(f"{source}: rows wanted, none found below the header")
    return {
        name: [None if cell.strip().casefold() in MISSING else cell for cell in cells]
        for name, cells in zip(header, zip(*rows, strict=True), strict=True)
    }


def _load_csv(raw: bytes, source: Source) -> tuple[list[str], list[list[str]]]:
    """Part columns by what a line "sep=;" says, as Excel takes it, before all others.

    Else by the commonest of tab, semicolon and comma in the first line.
    """
    try:
        text = raw.decode("utf-8-sig")
        if said := SEPARATOR.match(text):
            text = text[said.end() :]
        first = text.partition("\n")[0]
        delimiter = said[1] if said else max(",;\t", key=first.count)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = [name.strip() for name in next(lines, [])]
        rows: list[list[str]] = []
        for row in lines:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise ReadError(
                    f"{source}: {len(header)} columns wanted, {len(row)} found in line "
                    f"{lines.line_num + bool(said)}"
                )
            rows.append(row)
    except UnicodeDecodeError as problem:
        raise ReadError(f"{source}: text in UTF-8 wanted, found {_what(raw, problem)}") from problem
    except csv.Error as problem:
        raise ReadError(f"{source}: a table wanted: {problem}") from problem
    return header, rows


def _what(raw: bytes, problem: UnicodeDecodeError) -> str:
    """Tell what stands where text in UTF-8 should."""
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "an Excel workbook or an archive: name it .xlsx, or save the sheet as CSV"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16: save it as UTF-8"
    line = 1 + raw[: problem.start].count(b"\n")
    return f"the byte 0x{raw[problem.start]:02x} in line {line}: save it as UTF-8"


def _load_parquet(raw: bytes, source: Source) -> tuple[list[str], list[list[str]]]:
    from pandas import read_parquet
    from pyarrow import ArrowException

    try:
        frame = read_parquet(io.BytesIO(raw))
    except (ArrowException, ValueError, OSError) as problem:
        raise ReadError(f"{source}: a Parquet table wanted: {problem}") from problem
    words = frame.astype("string").fillna("")
    return [str(name).strip() for name in words], words.to_numpy(dtype=object).tolist()


def tidy_cell(cell: str | None) -> str:
    """Strip a cell, and write 12.0 as 12, which is how whole numbers look beside missing ones.

    Example:
        >>> tidy_cell(" 12.0"), tidy_cell(None)
        ('12', '')
    """
    text = (cell or "").strip()
    return text.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", text) else text


def numbers_or_words(column: Sequence[str | None]) -> list[Fact]:
    """Read a column as numbers where all of it are numbers, otherwise as words."""
    texts = [None if cell is None else cell.strip() for cell in column]
    if all(NUMBER.fullmatch(text) for text in texts if text is not None):
        return [None if text is None else float(text) for text in texts]
    return list(texts)
