"""Read a cohort from whatever DATA is: a published data set, a table, or folders of images.

The forms are tried in an order written by hand: lists of data sets, packed data sets, tables, then
a folder or a zip, in which a table that names images wins over folders per class. A row of a table
is an exam, unless a column joins several rows or several columns hold images; rows without label or
image are left out and counted. No pixel is read, only headers of DICOM files: they tell which files
are one volume, which exam a row means that names no file, and whose it is where no column does.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.curate.cells import Table, load_table
from medclf.curate.folder import (
    TABLES,
    Listing,
    list_files,
    read_class_folders,
)
from medclf.curate.hold import bind_groups, hold_out
from medclf.curate.joined import SUFFIX, read_sets
from medclf.curate.problem import count
from medclf.curate.rows import read_rows
from medclf.curate.seek import let_absent, seek_files
from medclf.curate.series import join_files
from medclf.curate.sheet import read_export
from medclf.curate.split import may_be_dicom, name_patients, read_headers
from medclf.curate.table import (
    Columns,
    carry_over,
    choose_roles,
    names_images,
    names_labels,
    tell_carried,
)
from medclf.curate.task import Worded, infer_task
from medclf.curate.workbook import part_sheet
from medclf.errors import CohortError, MedclfError, ReadError, SettingError
from medclf.read.archive import is_archive
from medclf.read.datasets.table import DATASETS

__all__ = ["Columns", "read_cohort"]

AS_FOUND = Columns()

NOT_OF_MARKS = ("exam", "view", "kind", "classes", "tidy_labels", "slices", "mask")
"""What may be said of exams that are classified, and means nothing where places are marked."""

Loaded = tuple[Source, Table]


def read_cohort(data: Path, columns: Columns = AS_FOUND, usual: Columns = AS_FOUND) -> Cohort:
    """Read which exams DATA holds, whose they are, and what is decided about them.

    Args:
        data: A packed data set, a table, a folder or zip with a folder per class or a table, or a
            TOML file that names several of these.
        columns: What the person says of it; the rest is inferred.
        usual: What was said of data like these; it holds where `columns` say nothing, as far as
            the data are a table or images that it fits.

    Raises:
        CohortError: its parts contradict each other, or there is one class only.
        ReadError: it is absent or of no known form.
        SettingError: `columns` say what a data set of this form already says itself.
    """
    data = Path(data)
    if not part_sheet(data)[0].exists():
        raise ReadError(f"{data}: a data set, a table, a folder or a zip wanted, nothing found")
    if data.is_file() and data.suffix.lower() == SUFFIX:
        return read_sets(data, columns, read_cohort)
    for dataset in DATASETS:
        if dataset.recognise(data):
            if columns != AS_FOUND:
                raise SettingError(f"{data}: this data set has no columns to choose or to name")
            return dataset.read_dataset(data)
    worded, filled = _read_form(data, columns, usual)
    if columns.patient_pattern is None:
        filled = _keep_pattern(worded, filled, data)
    told, columns = tell_carried(columns, filled), filled
    found = _bind(worded, columns, data)
    names = columns.classes or found.classes or None
    kind = columns.kind or ("coexisting" if found.classes else None)
    try:
        task, labels, notes = infer_task(found.words, kind, names, tidy=columns.tidy_labels)
    except MedclfError as problem:
        raise type(problem)(f"{data}: {problem}") from problem
    records = (replace(r, label=label) for r, label in zip(found.records, labels, strict=True))
    return Cohort(tuple(records), task, data, (*told, *found.notes, *notes))


def read_exams(
    data: Path, columns: Columns = AS_FOUND, usual: Columns = AS_FOUND, absent: bool = False
) -> tuple[Record, ...]:
    """Read exams without their labels, as they come to be judged, with facts of DICOM headers.

    Args:
        data: A table, or a folder or zip with one.
        columns: What the person says of it.
        usual: As `read_cohort` takes it.
        absent: Let files be missing where others of the table are there; reading tells of them.

    Raises:
        CohortError: its parts contradict each other.
        ReadError: it is absent or of no known form.
    """
    if not part_sheet(data)[0].exists():
        raise ReadError(f"{data}: a table of exams wanted, nothing found")
    found, _ = _read_form(data, replace(columns, label="none"), usual, absent)
    return read_headers(found.records, patients=False)[0]


def read_marks(data: Path, columns: Columns = AS_FOUND) -> Worded:
    """Read what is marked in scans: a record for each row, whose facts tell what it marks.

    Args:
        data: A table, or a folder or zip with one.
        columns: What the person says of it.

    Returns:
        Records with their patients, in splits and groups as `columns` say, and notes.

    Raises:
        CohortError: its parts contradict each other.
        ReadError: it is absent or of no known form.
        SettingError: something is said that marks do not have.
    """
    if not part_sheet(data)[0].exists():
        raise ReadError(f"{data}: a table of marks wanted, nothing found")
    said = {name: getattr(columns, name) for name in NOT_OF_MARKS}
    if named := [n for n in said if said[n] not in (getattr(AS_FOUND, n), "none")]:
        told = ", ".join(f"--{name.replace('_', '-')}" for name in named)
        raise SettingError(
            f"{data}: a table of marks wanted, a row for each, which have no {told}; to say are "
            "the columns of image, place, label, patient and split"
        )
    columns = replace(columns, label="none", exam="none", mask="none")
    return _bind(_read_form(data, columns, AS_FOUND)[0], columns, data)


def _bind(found: Worded, columns: Columns, data: Path) -> Worded:
    """Learn whose exams are, which are held out, and which stay together."""
    known = _know_patients(found, columns, data)
    return bind_groups(hold_out(known, columns.hold_out, data), columns.group, data)


def _read_form(
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
    tables = _load_tables(listing)
    columns = carry_over(columns, usual, [table for _, table in tables.values()])
    chosen, notes = _table_of(tables, columns, data)
    if not listing.images and len(listing.archives) == 1 and columns.images is None:
        (packed,) = listing.archives.values()
        listing = list_files(packed.path)
        tables = _load_tables(listing)
        notes.append(f"The images are those in {packed.path.name}.")
    rows = None if chosen is not None else _sheet_of(tables, listing, columns)
    if chosen is not None:
        found = _read_table(chosen, columns, listing)
    elif rows is not None:
        notes = []
        found = read_export(rows[1], columns, data, str(rows[0]))
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


def _table_of(
    tables: Mapping[str, Loaded], columns: Columns, data: Path
) -> tuple[Loaded | None, list[str]]:
    """Choose the one table that names images; note those that do not."""
    naming, unused = [], []
    for name, (_, table) in tables.items():
        if names_images(table, columns):
            naming.append(name)
        else:
            unused.append(f"The table {name} has no column that names images: not used.")
    if len(naming) > 1:
        raise CohortError(
            f"{data}: one table that names images wanted, found {', '.join(naming[:3])}"
        )
    return (tables[naming[0]] if naming else None), unused


def _sheet_of(tables: Mapping[str, Loaded], listing: Listing, columns: Columns) -> Loaded | None:
    """Choose the one table whose rows can be joined to DICOM series, if any."""
    found = [loaded for loaded in tables.values() if names_labels(loaded[1], columns)]
    some = any(may_be_dicom(source) for source in listing.images.values())
    return found[0] if some and len(found) == 1 else None


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


def _keep_pattern(found: Worded, columns: Columns, data: Path) -> Columns:
    """Keep a pattern of other data only where nothing here tells patients, and it finds some."""
    if columns.patient_pattern is None:
        return columns
    fits = all(record.patient == record.name for record in found.records)
    try:
        name_patients(found.records, columns.patient_pattern, data)
    except CohortError:
        fits = False
    return columns if fits else replace(columns, patient_pattern=None)


def _know_patients(found: Worded, columns: Columns, data: Path) -> Worded:
    """Learn the patients from paths or headers where no column tells them; facts from headers."""
    told = columns.patient == "none" or any(r.patient != r.name for r in found.records)
    if columns.patient_pattern is None:
        records, notes = read_headers(found.records, patients=not told)
        if told:
            return replace(found, records=records, notes=(*found.notes, *notes))
    elif columns.patient not in (None, "none"):
        raise SettingError("name the patient's column or a --patient-pattern, not both")
    else:
        records, notes = name_patients(found.records, columns.patient_pattern, data)
        records, headers = read_headers(records, patients=False)
        notes += headers
    if all(record.patient == record.name for record in records):
        notes.append(
            "No patient is known: each exam counts as a patient of its own. Where a patient has "
            "several, name the column, or say --patient-pattern, or scores will be too good."
        )
    return replace(found, records=records, notes=(*found.notes, *notes))
