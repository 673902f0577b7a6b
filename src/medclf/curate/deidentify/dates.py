"""Dates of a patient, all moved by the same number of days; the time of the day stays.

Intervals between exams, and those between an injection and its scan, stay what they were. A date
that names only a year or a month is moved from its first day and told as roughly as before.

Source: DICOM PS3.15, E.3.6; PS3.5, table 6.2-1 (the forms of DA and DT).
"""

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})[.:/-]?(\d{2})[.:/-]?(\d{2})")
_MOMENT = re.compile(
    r"(\d{4})(\d{2})?(\d{2})?(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?"
)


def shift_date(text: str, days: int) -> str | None:
    """Move a DA value; `None` where it is no date.

    Example:
        >>> shift_date("20040131", -31), shift_date("2004.01.31", 1), shift_date("May", 1)
        ('20031231', '20040201', None)
    """
    found = _DATE.fullmatch(text.strip(" \0"))
    moved = _move(found.groups(), days) if found else None
    return None if moved is None else f"{moved:%Y%m%d}".rjust(8, "0")


def shift_moment(text: str, days: int) -> str | None:
    """Move a DT value; `None` where it is no date and time.

    Example:
        >>> shift_moment("20040131123000.5+0100", -31), shift_moment("2004", -400)
        ('20031231123000.5+0100', '2002')
    """
    found = _MOMENT.fullmatch(text.strip(" \0"))
    if found is None:
        return None
    year, month, day, clock, zone = found.groups()
    moved = _move((year, month or "01", day or "01"), days)
    if moved is None or (clock and not day):
        return None
    told = f"{moved:%Y%m%d}".rjust(8, "0")
    return told[: 4 + 2 * bool(month) + 2 * bool(day)] + (clock or "") + (zone or "")


def spell_date(text: str) -> tuple[str, ...]:
    """List the ways in which people write a date, to find it in free text.

    Example:
        >>> spell_date("20040131")[:3]
        ('20040131', '2004-01-31', '31.01.2004')
    """
    found = _DATE.fullmatch(text.strip(" \0"))
    if found is None:
        return ()
    y, m, d = found.groups()
    short = f"{int(d)}.{int(m)}.{y}", f"{int(m)}/{int(d)}/{y}"
    return (f"{y}{m}{d}", f"{y}-{m}-{d}", f"{d}.{m}.{y}", f"{m}/{d}/{y}", f"{d}/{m}/{y}", *short)


def _move(parts: tuple[str, ...], days: int) -> date | None:
    try:
        return date(*map(int, parts)) + timedelta(days)
    except (ValueError, OverflowError):
        return None
