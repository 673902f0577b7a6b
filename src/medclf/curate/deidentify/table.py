"""The table of exams under the same pseudonyms, so that it still joins the images.

A column is taken for what its cells are: patients, UIDs, accession numbers, dates, names of files
that went through. Those are replaced as in the images. Numbers and columns of a few words stay.
All else could hold free text or a name, and is left out, unless the person names it.

Source: DICOM PS3.15, E.3.4 and E.3.6, in their meaning.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO

from medclf.curate.cells import NUMBER, tidy_cell
from medclf.curate.choice import PATIENTS
from medclf.curate.deidentify.dummy import OLDEST_YEARS
from medclf.curate.deidentify.identity import SHORTEST, Identity
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options
from medclf.errors import CohortError

Columns = Mapping[str, Sequence[str | None]]

PEOPLE = re.compile(
    r"name|physician|doctor|arzt|operator|address|street|phone|mail|insur|birth|dob|geb|"
    r"comment|note|remark|mrn|ssn|zip|hospital|institution|station|serial|operator|reader"
)
"""Names of columns that tell of people, however few words stand in them."""

DATE_FORMS = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
              "%Y-%m-%d %H:%M")  # fmt: skip
"""Dates that can be read in one way only; 03/04/2019 cannot."""

WORDS, LONGEST, LONGEST_NUMBER = 30, 40, 6
"""The most different words of a column that stays, letters of a word, digits of a whole number."""

PHRASE, SHORTEST_NAME = 2, 4
"""The most words of what is told of one exam alone; least letters of a name that is looked for."""

_UID = re.compile(r"\d+(\.\d+){5,}")
_AGE = re.compile(r"(^|_)age(_|$)|^age|alter")


@dataclass(frozen=True)
class Pseudonymised:
    """A table that may go out.

    Args:
        text: As CSV.
        columns: What became of each column: `patient`, `uid`, `accession`, `date`, `file`, `kept`,
            `age`, or why it was left out.
    """

    text: str
    columns: dict[str, str]


def pseudonymise_table(
    table: Columns,
    key: Key,
    options: Options,
    places: Mapping[str, str],
    patient: str | None = None,
    keep: Sequence[str] = (),
) -> Pseudonymised:
    """Replace what tells who the patients are.

    Args:
        table: Its columns.
        key: That of the images.
        options: As for the images; of them `dates` counts, and `uids` under `retain`.
        places: Where each file went, by its name in the given folder.
        patient: The column of the patient's ID; found by its usual name where not given.
        keep: Columns that stay as they are, whatever stands in them.

    Raises:
        CohortError: a named column is not there, or none is known to be the patient.
    """
    for name in (*keep, *([patient] if patient else [])):
        if name not in table:
            raise CohortError(f"the column {name!r} wanted, found {', '.join(table)}")
    owner = patient or _find_patient(table)
    people = [tidy_cell(cell) for cell in table[owner]]
    names = _gather_names(table)
    told, out = {}, {}
    for name, cells in table.items():
        if name == owner:
            told[name], out[name] = "patient", [key.pseudonym(who) if who else "" for who in people]
        elif name in keep:
            told[name], out[name] = "kept", [cell or "" for cell in cells]
        else:
            told[name], found = _replace(name, [tidy_cell(c) for c in cells], people, key, options,
                                         places, names)  # fmt: skip
            if found is not None:
                out[name] = found
    text = StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    sheet.writerow(out)
    sheet.writerows(zip(*out.values(), strict=True))
    return Pseudonymised(text.getvalue(), told)


def _gather_names(table: Columns) -> Identity:
    """Gather the words of the columns that tell of people, to find them in the others."""
    cells = {tidy_cell(c) for name, column in table.items() if PEOPLE.search(name.casefold())
             for c in column}  # fmt: skip
    words = {word for cell in cells for word in re.findall(r"[^\W\d_]+", cell)}
    return Identity(frozenset(word for word in words if len(word) >= SHORTEST_NAME))


def _find_patient(table: Columns) -> str:
    usual = PATIENTS[0].split()
    found = [name for name in table if re.sub(r"[\s\-]+", "_", name.casefold()) in usual]
    if len(found) != 1:
        raise CohortError(f"the column of the patient wanted: name one of {', '.join(table)}")
    return found[0]


def _replace(
    name: str,
    cells: Sequence[str],
    people: Sequence[str],
    key: Key,
    options: Options,
    places: Mapping[str, str],
    names: Identity,
) -> tuple[str, list[str] | None]:
    """Tell what a column is, and write it anew; `None` where it is left out."""
    plain, filled = name.casefold(), [cell for cell in cells if cell]
    if filled and sum(cell in places for cell in filled) * 2 > len(filled):
        return "file", [places.get(cell, "") for cell in cells]
    if filled and all(_UID.fullmatch(cell) for cell in filled):
        kept = "uids" in options.retain
        return "uid", [c if kept or not c else key.uid(c) for c in cells]
    if "accession" in plain:
        return "accession", [key.accession(cell) if cell else "" for cell in cells]
    if PEOPLE.search(plain):
        return "left out: it tells of people", None
    if any(_holds(cell, who) for who, cell in zip(people, cells, strict=True)):
        return "left out: the patient's ID stands in it", None
    form = _date_form(filled)
    if form is not None:
        return _dates(cells, people, key, options, form)
    if any(map(names.stands_in, set(filled))):
        return "left out: a name stands in it", None
    return _keep(plain, cells, filled)


def _holds(cell: str, who: str) -> bool:
    """Tell whether an ID stands in a cell, as a word of its own; short ones come by chance."""
    pattern = rf"(?<![^\W_]){re.escape(who)}(?![^\W_])"
    return len(who) >= SHORTEST and re.search(pattern, cell, re.IGNORECASE) is not None


def _date_form(filled: Sequence[str]) -> str | None:
    return next(
        (form for form in DATE_FORMS if filled and all(_day(c, form) for c in filled)), None
    )


def _day(cell: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(cell, form)
    except ValueError:
        return None


def _dates(
    cells: Sequence[str], people: Sequence[str], key: Key, options: Options, form: str
) -> tuple[str, list[str] | None]:
    if options.dates == "remove":
        return "left out: a date", None
    if options.dates == "keep":
        return "date", list(cells)

    def move(cell: str, who: str) -> str:
        day = _day(cell, form)
        return "" if day is None else (day + timedelta(key.shift_days(who))).strftime(form)

    return "date", [move(cell, who) for cell, who in zip(cells, people, strict=True)]


def _keep(plain: str, cells: Sequence[str], filled: Sequence[str]) -> tuple[str, list[str] | None]:
    """Keep numbers, and words if they are few; cap ages."""
    if all(NUMBER.fullmatch(cell) for cell in filled):
        if _AGE.search(plain):
            return "age", [_map_number(cell, lambda a: min(a, OLDEST_YEARS + 1)) for cell in cells]
        if any(len(cell.partition(".")[0]) > LONGEST_NUMBER for cell in filled):
            return "left out: long numbers", None
        return "kept", list(cells)
    words = Counter(filled)
    few = len(words) <= min(WORDS, max(2, len(filled) // 2)) and max(map(len, words)) <= LONGEST
    if not few or any(n == 1 and len(cell.split()) > PHRASE for cell, n in words.items()):
        return "left out: free text", None
    return "kept", list(cells)


def _map_number(cell: str, change: Callable[[float], float]) -> str:
    if not cell:
        return ""
    value = float(cell)
    changed = change(value)
    return cell if changed == value else f"{changed:g}"
