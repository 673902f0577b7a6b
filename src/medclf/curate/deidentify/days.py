"""The days that stand in a column of a table, moved as those of the images or taken out.

One cell that looks like a day makes the column one of days. What can be read in one way only is
moved; all else of the column is blanked: `03/04/2019`, `03.04.19`, `May 2019`, and `unknown`, since
among days any word may be a day in a form that nobody thought of. A spreadsheet counts days from
1899: where a column is called by a date, its numbers of five digits are such days.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from medclf.curate.deidentify.key import Key
from medclf.curate.problem import count

DATED = re.compile(
    r"(?<!candi)(?<!vali)(?<!man)dat(e|um)|birth|geb|dob|naiss|fecha|nacim|nascita|untersuchungstag"
)
"""Names of columns whose large whole numbers are days as a spreadsheet counts them."""

FIRST, LAST, LARGE = 20_000, 60_000, 10_000
"""The day numbers that are read: October 1954 to April 2064. From what number on they are days."""

FORMS = {
    re.compile(r"\d{4}-\d{1,2}-\d{1,2}"): "%Y-%m-%d",
    re.compile(r"\d{4}/\d{1,2}/\d{1,2}"): "%Y/%m/%d",
    re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}"): "%Y.%m.%d",
    re.compile(r"\d{8}"): "%Y%m%d",
    re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"): "%d.%m.%Y",
}
"""Dates that can be read in one way only; 03/04/2019 cannot."""

_CLOCK = r"(?:T|,?\s+)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:[AaPp][Mm]|Z|[+-]\d{2}:?\d{2})?"
_TIMED = re.compile(rf"(\S+?)({_CLOCK})?")
_MONTH = (
    r"(?:jan|feb|fév|fev|m[aä]r|apr|avr|abr|ma[iy]|ju[nil]|aug|aoû|ago|sep|o[ck]t|out|nov|de[cz]|"
    r"déc|dic|ene|gen|mag|giu|lug|set|ott)[^\W\d_]*"
)
_LOOKS = re.compile(
    r"(?<![\w.])(?:"
    r"\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|'?\d{2})|"
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4}|\d{6})?|"
    r"(?:19|20)\d\d[/-](?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])[/-](?:19|20)\d\d|"
    rf"\d{{1,2}}[.\s/-]*{_MONTH}[.,\s/-]*\d{{2,4}}|{_MONTH}[.,\s/-]*\d{{1,2}}[.,\s/-]+\d{{4}}|"
    rf"{_MONTH}[.,\s/-]*(?:19|20)\d\d"
    rf")(?:{_CLOCK})?(?![\w]|[./-]\d)",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(\d+)(\.\d+)?")


def holds_days(name: str, filled: Sequence[str]) -> bool:
    """Tell whether a day stands in any cell of a column.

    Args:
        name: Of the column, in small letters.
        filled: Its cells that are not empty.

    Example:
        >>> holds_days("seen", ["unknown", "3. Mai 2019"]), holds_days("datum", ["43500"])
        (True, True)
        >>> holds_days("volume", ["43500"]), holds_days("grade", ["1.5", "2-3"])
        (False, False)
    """
    counted = DATED.search(name) is not None and any(map(_is_large, filled))
    return counted or any(_LOOKS.search(cell) for cell in filled)


def move_days(
    name: str, cells: Sequence[str], people: Sequence[str], key: Key, kept: bool
) -> tuple[str, list[str] | None]:
    """Move the days of a column by those of each row's patient; blank all that is none.

    Args:
        name: Of the column, in small letters.
        cells: Its cells.
        people: The patient of each.
        key: Tells by how many days.
        kept: Days stay as they are.

    Returns:
        What the column is, and its cells; `None` where no day can be moved.
    """
    counted = DATED.search(name) is not None
    if kept:
        out = [cell if _LOOKS.fullmatch(cell) or (counted and _is_large(cell)) else ""
               for cell in cells]  # fmt: skip
    else:
        days = [key.shift_days(who) for who in people]
        out = [_move(cell, by, counted) for cell, by in zip(cells, days, strict=True)]
    blank = sum(bool(cell) and not new for cell, new in zip(cells, out, strict=True))
    if not any(out):
        return "left out: dates that can be read in several ways", None
    return f"date, {count(blank, 'cell')} blanked" if blank else "date", out


def _is_large(cell: str) -> bool:
    found = _COUNTED.fullmatch(cell)
    return found is not None and int(found[1]) >= LARGE


def _move(cell: str, days: int, counted: bool) -> str:
    """Move one cell; "" where it cannot be read in one way only."""
    number = _COUNTED.fullmatch(cell)
    if counted and number and FIRST <= int(number[1]) <= LAST:
        return f"{int(number[1]) + days}{number[2] or ''}"
    timed = _TIMED.fullmatch(cell)
    if timed is None:
        return ""
    form = next((form for shape, form in FORMS.items() if shape.fullmatch(timed[1])), None)
    try:
        moved = None if form is None else datetime.strptime(timed[1], form) + timedelta(days)
    except (ValueError, OverflowError):
        return ""
    return "" if moved is None or form is None else moved.strftime(form) + (timed[2] or "")
