"""Read a cohort from whatever DATA is: a published data set, a table, or folders of images.

The forms are tried in an order written by hand: packed data sets, then tables, then a folder or a
zip, in which a table that names images wins over folders per class. A row of a table is an exam,
unless a column joins several rows or several columns hold images; rows without label or image are
left out and counted. No pixel is read, only headers of DICOM files where no column tells patients.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from medclf.core.cohort import Cohort
from medclf.core.record import Fact, Record, Source
from medclf.curate.cells import load_table, numbers_or_words, tidy_cell
from medclf.curate.folder import (
    SPLIT_WORDS,
    TABLES,
    Listing,
    find_beside,
    list_files,
    locate,
    read_class_folders,
)
from medclf.curate.problem import count
from medclf.curate.split import name_patients, read_headers
from medclf.curate.table import (
    Columns,
    Roles,
    Table,
    choose_roles,
    names_images,
)
from medclf.curate.task import Worded, Words, infer_task
from medclf.errors import CohortError, MedclfError, ReadError, SettingError
from medclf.read.archive import is_archive
from medclf.read.datasets.table import DATASETS

__all__ = ["Columns", "read_cohort"]

Images = Mapping[str, Source]

MARKS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
AS_FOUND = Columns()


def read_cohort(data: Path, columns: Columns = AS_FOUND) -> Cohort:
    """Read which exams DATA holds, whose they are, and what is decided about them.

    Args:
        data: A packed data set, a table, or a folder or zip with a folder per class or a table.
        columns: What the person says of it; the rest is inferred.

    Raises:
        CohortError: its parts contradict each other, or there is one class only.
        ReadError: it is absent or of no known form.
        SettingError: `columns` say what a data set of this form already says itself.
    """
    data = Path(data)
    if not data.exists():
        raise ReadError(f"{data}: a data set, a table, a folder or a zip wanted, nothing found")
    for dataset in DATASETS:
        if dataset.recognise(data):
            if columns != AS_FOUND:
                raise SettingError(f"{data}: this data set has no columns to choose or to name")
            return dataset.read_dataset(data)
    found = _know_patients(_read_form(data, columns), columns, data)
    names = columns.classes or found.classes or None
    kind = columns.kind or ("coexisting" if found.classes else None)
    try:
        task, labels, notes = infer_task(found.words, kind, names, tidy=columns.tidy_labels)
    except MedclfError as problem:
        raise type(problem)(f"{data}: {problem}") from problem
    records = (replace(r, label=label) for r, label in zip(found.records, labels, strict=True))
    return Cohort(tuple(records), task, data, (*found.notes, *notes))


def _read_form(data: Path, columns: Columns) -> Worded:
    if data.is_file() and data.name.lower().endswith(TABLES):
        return _read_table(Source(data), columns, None)
    if not (data.is_dir() or is_archive(data)):
        raise ReadError(
            f"{data}: a data set, a folder, a zip or a table ({', '.join(TABLES)}) wanted, "
            "found another file"
        )
    listing = list_files(data)
    chosen, notes = _table_of(listing, columns)
    if not listing.images and len(listing.archives) == 1 and columns.images is None:
        (packed,) = listing.archives.values()
        listing = list_files(packed.path)
        notes.append(f"The images are those in {packed.path.name}.")
    if chosen is not None:
        found = _read_table(chosen, columns, listing)
    elif listing.images:
        found = read_class_folders(listing)
    else:
        raise CohortError(f"{data}: images wanted, found {_what_else(data, listing)}")
    return replace(found, notes=(*notes, *found.notes))


def _what_else(data: Path, listing: Listing) -> str:
    """Say what a folder or zip without images holds; name the data sets in it."""
    files = sorted(data.iterdir()) if data.is_dir() else []
    packed = [file.name for file in files if any(d.recognise(file) for d in DATASETS)]
    if packed:
        return f"data sets: name one of {', '.join(packed)}"
    others = sum(listing.skipped.values()) + len(listing.tables) + len(listing.archives)
    return count(others, "other file") if others else "nothing"


def _table_of(listing: Listing, columns: Columns) -> tuple[Source | None, list[str]]:
    """Choose the one table, not deep below, that names images; note those that do not."""
    naming, unused = [], []
    for name, source in listing.tables.items():
        if name.count("/") > 1:
            continue
        if names_images(load_table(source), columns):
            naming.append(name)
        else:
            unused.append(f"The table {name} has no column that names images: not used.")
    if len(naming) > 1:
        raise CohortError(
            f"{listing.root}: one table that names images wanted, found {', '.join(naming[:3])}"
        )
    return (listing.tables[naming[0]] if naming else None), unused


def _read_table(source: Source, columns: Columns, listing: Listing | None) -> Worded:
    """Read a table whose files lie beside it, in the listing, or in `columns.images` alone."""
    table, where = load_table(source), str(source)
    roles, notes = choose_roles(table, columns, where)
    base = None if source.member else source.path.parent
    if columns.images is not None:
        listing = list_files(columns.images)
        base = columns.images if columns.images.is_dir() else None
    beside = source.member.rpartition("/")[0]

    def find(text: str) -> Source | None:
        found = None if base is None else find_beside(base, text)
        if found is not None or listing is None:
            return found
        return listing.images.get(f"{beside}/{text}") or listing.find(text)

    found = _read_rows(table, roles, find, where)
    return replace(found, notes=(*notes, *found.notes))


def _know_patients(found: Worded, columns: Columns, data: Path) -> Worded:
    """Learn the patients from paths or headers where no column tells them."""
    if columns.patient_pattern is not None:
        if columns.patient not in (None, "none"):
            raise SettingError("name the patient's column or a --patient-pattern, not both")
        records, notes = name_patients(found.records, columns.patient_pattern, data)
    elif columns.patient == "none" or any(r.patient != r.name for r in found.records):
        return found
    else:
        records, notes = read_headers(found.records)
    if all(record.patient == record.name for record in records):
        notes.append(
            "No patient is known: each exam counts as a patient of its own. Where a patient has "
            "several, name the column, or say --patient-pattern, or scores will be too good."
        )
    return replace(found, records=records, notes=(*found.notes, *notes))


def _read_rows(
    table: Table, roles: Roles, find: Callable[[str], Source | None], where: str
) -> Worded:
    """Make records of the rows.

    Args:
        table: Columns of words.
        roles: Which column holds what.
        find: Finds the file that a cell names.
        where: The table, for messages.

    Raises:
        CohortError: files are missing or named twice, or cells contradict each other.
    """
    words = _words(table, roles.labels, where)
    texts = [
        {image: cell.strip() for image, cell in zip(roles.paths, cells, strict=True) if cell}
        for cells in zip(*(table[column] for column in roles.paths.values()), strict=True)
    ]
    blind = sum(not some for some in texts)
    mute = sum(word is None for word, some in zip(words, texts, strict=True) if some)
    kept = [i for i, some in enumerate(texts) if some and words[i] is not None]
    if not kept:
        raise CohortError(f"{where}: no row has both an image and a label")
    notes = [
        f"Left out: {count(n, 'row')} without {what}."
        for n, what in ((blind, "an image"), (mute, "a label"))
        if n
    ]
    sources = locate([texts[i] for i in kept], find, where)
    exams: dict[str, list[int]] = defaultdict(list)
    for at, i in enumerate(kept):
        named = table[roles.exam][i] if roles.exam else None
        exams[tidy_cell(named) or next(iter(texts[i].values()))].append(at)
    cells = {name: [column[i] for i in kept] for name, column in table.items()}
    reader = _Exams(cells, roles, sources, [words[i] for i in kept], where)
    reader.single = not roles.view and len(exams) == len(kept)
    records = tuple(reader.record(name, rows) for name, rows in exams.items())
    if reader.differing:
        told = ", ".join(sorted(reader.differing))
        notes.append(f"Facts that differ within an exam count as missing: {told}.")
    alone = sum(record.patient == record.name for record in records)
    if roles.patient and alone:
        notes.append(f"{count(alone, 'exam')} without a patient: each counts as one of its own.")
    found = tuple(reader.words[rows[0]] for rows in exams.values())
    several = len(roles.labels) > 1
    return Worded(records, found, tuple(notes), roles.labels if several else ())


def _words(table: Table, labels: tuple[str, ...], where: str) -> list[Words]:
    """Read each row's label: a word as it stands, or the names of the columns that hold 1."""
    if len(labels) == 1:
        cells = table[labels[0]]
        whole = all(tidy_cell(cell) != cell for cell in cells if cell)
        return [tidy_cell(cell) if cell and whole else cell for cell in cells]
    marks: list[list[bool | None]] = []
    for name in labels:
        unknown = {cell for cell in table[name] if cell and cell.strip().lower() not in MARKS}
        if unknown:
            raise CohortError(
                f"{where}: 0 or 1 wanted in the column {name!r}, found {min(unknown)!r}"
            )
        marks.append([MARKS[cell.strip().lower()] if cell else None for cell in table[name]])
    return [
        None if None in row else tuple(n for n, mark in zip(labels, row, strict=True) if mark)
        for row in zip(*marks, strict=True)
    ]


class _Exams:
    """Joins the rows of an exam to one record."""

    def __init__(
        self,
        cells: Table,
        roles: Roles,
        sources: Sequence[Images],
        words: Sequence[Words],
        where: str,
    ) -> None:
        self.cells, self.roles, self.sources, self.words = cells, roles, sources, words
        self.where, self.single = where, True
        taken = {*roles.paths.values(), *roles.labels}
        taken |= {roles.patient, roles.split, roles.exam, roles.view}
        self.facts = {
            name: numbers_or_words(column) for name, column in cells.items() if name not in taken
        }
        self.differing: set[str] = set()

    def record(self, name: str, rows: list[int]) -> Record:
        self._agree(name, "label", [self.words[i] for i in rows])
        patients = [
            tidy_cell(self.cells[self.roles.patient][i]) for i in rows if self.roles.patient
        ]
        self._agree(name, "patient", patients)
        splits = [self._split(i) for i in rows]
        self._agree(name, "split", splits)
        facts: dict[str, Fact] = {}
        for fact, column in self.facts.items():
            values = {column[i] for i in rows}
            if len(values) > 1:
                self.differing.add(fact)
            facts[fact] = values.pop() if len(values) == 1 else None
        patient = (patients[0] if patients else "") or name
        return Record(name, self._images(rows), patient, None, splits[0], facts)

    def _agree(self, exam: str, what: str, found: Sequence[Words]) -> None:
        if len(set(found)) > 1:
            told = " and ".join(map(repr, dict.fromkeys(found)))
            raise CohortError(f"{self.where}: the exam {exam!r} has more than one {what}: {told}")

    def _split(self, row: int) -> str:
        cell = (self.cells[self.roles.split][row] or "").strip() if self.roles.split else ""
        if cell and cell.casefold() not in SPLIT_WORDS:
            raise CohortError(
                f"{self.where}: train, val or test wanted in the column {self.roles.split!r}, "
                f"found {cell!r}"
            )
        return SPLIT_WORDS[cell.casefold()] if cell else ""

    def _images(self, rows: list[int]) -> Images:
        """Name the images of an exam by their column, by their view, or by number."""
        if self.single:
            return self.sources[rows[0]]
        images: dict[str, Source] = {}
        for number, i in enumerate(rows, 1):
            view = self.cells[self.roles.view][i] if self.roles.view else None
            for image, source in self.sources[i].items():
                name = image if len(self.sources[i]) > 1 else view or f"image_{number}"
                images[name if name not in images else f"{name}_{number}"] = source
        return images
