"""The table of exams under the same pseudonyms, so that it still joins the images.

A column is taken for what its cells are: patients, UIDs, accession numbers, dates, names of files
that went through. Those are replaced as in the images. Numbers and columns of a few words stay.
All else could hold free text or a name, and is left out, unless the person names it.

Source: DICOM PS3.15, E.3.4 and E.3.6, in their meaning.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from medclf.curate.cells import NUMBER, tidy_cell
from medclf.curate.choice import PATIENTS
from medclf.curate.deidentify.days import holds_days, move_days
from medclf.curate.deidentify.dummy import OLDEST_YEARS
from medclf.curate.deidentify.identity import SHORTEST, Identity
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.traces import FEWEST_DIGITS, Shown
from medclf.curate.zeros import match
from medclf.errors import CohortError

Columns = Mapping[str, Sequence[str | None]]

PEOPLE = re.compile(
    r"name|physician|doctor|arzt|operator|address|street|phone|mail|insur|birth|dob|geb|"
    r"comment|note|remark|mrn|ssn|zip|hospital|institution|station|serial|operator|reader|"
    r"(^|[\W_])patient(in|en|e|innen)?$|pr[eé]nom|apellido|cognome|nombre|adress|"
    r"stra(ss|ß)e|wohnort|versich|"
    r"(^|[\W_])(nom|nome|tel|tel[eé]fono?|fax|handy|plz)([\W_]|$)"
)
"""Names of columns that tell of people, however few words stand in them."""

WORDS, LONGEST, LONGEST_NUMBER = 30, 40, 6
"""The most different words of a column that stays, letters of a word, digits of a whole number."""

PHRASE, SHORTEST_NAME = 2, 4
"""The most words of what is told of one exam alone; least letters of a name that is looked for."""

ENOUGH, LONGEST_ID = 0.5, 16
"""The share of a column's cells that make it one of IDs; digits up to which zeros are tried."""

_PHONE = re.compile(
    r"(?:\+|\(|0)[\d\s()/.\-]{6,}|\d{3}[-. ]\d{4}|\d{3}[-. ]\d{3}[-. ]\d{4}|\d{3}-\d{2}-\d{4}"
)
_DIGITS_OF_A_PHONE = 7
_LONG_NUMBER = re.compile(rf"(?<![\d.])\d{{{LONGEST_NUMBER + 1},}}")
_UID = re.compile(r"\d+(\.\d+){5,}")
_AGE = re.compile(r"(^|_)age(_|$)|^age|alter")


@dataclass(frozen=True)
class Pseudonymised:
    """A table that may go out.

    Args:
        text: As CSV.
        columns: What became of each column: `patient`, `uid`, `accession`, `date`, `file`, `kept`,
            `age`, or why it was left out.
        rows: How many there are.
        joined: How many of them are of a patient of the images.
        padded: How many patients' IDs were found but for leading zeros.
    """

    text: str
    columns: dict[str, str]
    rows: int
    joined: int
    padded: int


def pseudonymise_table(
    table: Columns,
    key: Key,
    options: Options,
    shown: Shown,
    patient: str | None = None,
    keep: Sequence[str] = (),
    where: str = "the table",
) -> Pseudonymised:
    """Replace what tells who the patients are.

    Args:
        table: Its columns.
        key: That of the images.
        options: As for the images; of them `dates` counts, and `uids` under `retain`.
        shown: What is known of the images.
        patient: The column of the patient's ID; found by its usual name where not given.
        keep: Columns that stay as they are, whatever stands in them.
        where: The table, for messages.

    Raises:
        CohortError: a named column is not there, or none is known to be the patient.
    """
    for option, name in [*(("--keep-columns", n) for n in keep), ("--patient", patient)]:
        if name and name not in table:
            found = ", ".join(table)
            raise CohortError(f"{where}: the column {name!r} of {option} wanted, found {found}")
    owner = patient or _find_patient(table, where)
    cells = [tidy_cell(cell) for cell in table[owner]]
    meant = match_ids(set(cells), shown.patients, key.pseudonym)
    people = [meant.get(cell, cell) for cell in cells]
    work = _Work(key, options, shown, people, cells, _gather_names(table, owner))
    told, out = {}, {}
    for name, column in table.items():
        if name == owner:
            told[name], out[name] = "patient", [key.pseudonym(who) if who else "" for who in people]
        elif name in keep:
            told[name], out[name] = "kept", [cell or "" for cell in column]
        else:
            told[name], changed = work.replace(name, [tidy_cell(cell) for cell in column])
            if changed is not None:
                out[name] = changed
    text = StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    sheet.writerow(out)
    sheet.writerows(zip(*out.values(), strict=True))
    joined = sum(cell in meant for cell in cells)
    padded = sum(cell != number for cell, number in meant.items())
    return Pseudonymised(text.getvalue(), told, len(cells), joined, padded)


def match_ids(
    cells: Collection[str], known: Collection[str], name: Callable[[str], str]
) -> dict[str, str]:
    """Tell which number of the images each cell means, as it stands or but for leading zeros.

    Args:
        cells: Of the table.
        known: What stands for the numbers of the images.
        name: Makes that of a number.
    """
    forms = {form for cell in cells if cell for form in _pad(cell)}
    meant, _ = match({*cells} - {""}, {form for form in forms if name(form) in known})
    return meant


def _pad(cell: str) -> Iterator[str]:
    yield cell
    if cell.isdecimal():
        yield from (cell.zfill(digits) for digits in range(len(cell) + 1, LONGEST_ID + 1))


def _gather_names(table: Columns, owner: str) -> Identity:
    """Gather the words of the columns that tell of people, to find them in the others."""
    cells = {tidy_cell(c) for name, column in table.items() for c in column
             if name != owner and PEOPLE.search(name.casefold())}  # fmt: skip
    words = {word for cell in cells for word in re.findall(r"[^\W\d_]+", cell)}
    return Identity(frozenset(word for word in words if len(word) >= SHORTEST_NAME))


def _find_patient(table: Columns, where: str) -> str:
    usual = PATIENTS[0].split()
    found = [name for name in table if re.sub(r"[\s\-]+", "_", name.casefold()) in usual]
    if len(found) != 1:
        raise CohortError(
            f"{where}: the column of the patient wanted, found {', '.join(table)}: "
            "name it by --patient"
        )
    return found[0]


@dataclass(frozen=True)
class _Work:
    """What is known of the images and of the table while its columns are replaced.

    Args:
        key: That of the images.
        options: As for the images.
        shown: What is known of them.
        people: The patient's ID of each row, as the images write it.
        written: The same as the table writes it.
        names: Words of the columns that tell of people.
    """

    key: Key
    options: Options
    shown: Shown
    people: Sequence[str]
    written: Sequence[str]
    names: Identity

    def replace(self, name: str, cells: Sequence[str]) -> tuple[str, list[str] | None]:
        """Tell what a column is, and write it anew; `None` where it is left out."""
        plain, filled, places = name.casefold(), [c for c in cells if c], self.shown.places
        if _most(cell in places for cell in filled):
            return "file", [places.get(cell, "") for cell in cells]
        if any(map(_UID.fullmatch, filled)):
            return "uid", [self._uid(cell) for cell in cells]
        exams = match_ids(set(filled), self.shown.accessions, self.key.accession)
        known = _most(cell in exams and len(exams[cell]) >= SHORTEST for cell in filled)
        if known or "accession" in plain:
            meant = [exams.get(cell, cell) for cell in cells]
            return "accession", [self.key.accession(cell) if cell else "" for cell in meant]
        reason = "it tells of people" if PEOPLE.search(plain) else self._find_id(cells, filled)
        if reason:
            return f"left out: {reason}", None
        if holds_days(plain, filled):
            if self.options.dates == "remove":
                return "left out: a date", None
            return move_days(plain, cells, self.people, self.key, self.options.dates == "keep")
        if any(self.names.stands_in(c) or self.shown.names(c, self.key) for c in set(filled)):
            return "left out: a name stands in it", None
        return _keep(plain, cells, filled)

    def _uid(self, cell: str) -> str:
        """Replace a UID; what is none goes."""
        if not _UID.fullmatch(cell):
            return ""
        return cell if "uids" in self.options.retain else self.key.uid(cell)

    def _find_id(self, cells: Sequence[str], filled: Sequence[str]) -> str:
        """Tell why a column must go whose cells are a patient's numbers; "" where it may stay."""
        rows = [*zip(self.people, self.written, cells, strict=True)]
        if any(_holds(cell, who) or _holds(cell, other) for who, other, cell in rows):
            return "the patient's ID stands in it"
        if _most(cell in (who, other) for who, other, cell in rows if cell):
            return "the patient's ID stands in it"
        if any(self._is_patient(cell) for cell in {*filled}):
            return "a patient's ID stands in it"
        return "a telephone number stands in it" if any(map(_is_phone, filled)) else ""

    def _is_patient(self, cell: str) -> bool:
        """Tell whether a cell is the ID of any patient of the images; short ones come by chance."""
        least = FEWEST_DIGITS if NUMBER.fullmatch(cell) else SHORTEST
        return len(cell) >= least and self.key.pseudonym(cell) in self.shown.patients


def _most(hits: Iterable[bool]) -> bool:
    """Tell whether at least half of the cells are hits."""
    each = [*hits]
    return bool(each) and sum(each) >= ENOUGH * len(each)


def _is_phone(cell: str) -> bool:
    digits = sum(letter.isdigit() for letter in cell)
    return (
        digits >= _DIGITS_OF_A_PHONE
        and _PHONE.fullmatch(cell) is not None
        and NUMBER.fullmatch(cell) is None
    )


def _holds(cell: str, who: str) -> bool:
    """Tell whether an ID stands in a cell, as a word of its own; short ones come by chance."""
    pattern = rf"(?<![^\W_]){re.escape(who)}(?![^\W_])"
    return len(who) >= SHORTEST and re.search(pattern, cell, re.IGNORECASE) is not None


def _keep(plain: str, cells: Sequence[str], filled: Sequence[str]) -> tuple[str, list[str] | None]:
    """Keep numbers, and words if they are few; cap ages."""
    if all(NUMBER.fullmatch(cell) for cell in filled):
        if _AGE.search(plain):
            return "age", [_map_number(cell, lambda a: min(a, OLDEST_YEARS + 1)) for cell in cells]
        if any(len(cell.partition(".")[0]) > LONGEST_NUMBER for cell in filled):
            return "left out: long numbers", None
        return "kept", list(cells)
    if any(map(_LONG_NUMBER.search, filled)):
        return "left out: long numbers", None
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
