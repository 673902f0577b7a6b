"""Read a cohort from whatever DATA is: a published data set, a table, or folders of images.

The forms are tried in an order written by hand: lists of data sets, packed data sets, tables, then
a folder or a zip, in which a table that names images wins over folders per class. A row of a table
is an exam, unless a column joins several rows or several columns hold images; rows without label or
image are left out and counted. No pixel is read, only headers of DICOM files: they tell which files
are one volume, which exam a row means that names no file, and whose it is where no column does.
"""

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.curate.form import read_form
from medclf.curate.headers import read_headers
from medclf.curate.hold import bind_groups, hold_out
from medclf.curate.joined import SUFFIX, read_sets
from medclf.curate.problem import count
from medclf.curate.split import name_patients
from medclf.curate.table import Columns, tell_carried
from medclf.curate.task import Worded, infer_task
from medclf.curate.workbook import part_sheet
from medclf.errors import CohortError, MedclfError, ReadError, SettingError
from medclf.read.datasets.table import DATASETS

__all__ = ["Columns", "read_cohort"]

AS_FOUND = Columns()

NOT_OF_MARKS = ("exam", "view", "kind", "classes", "tidy_labels", "slices", "mask")
"""What may be said of exams that are classified, and means nothing where places are marked."""


def read_cohort(
    data: Path,
    columns: Columns = AS_FOUND,
    usual: Columns = AS_FOUND,
    like: Task | None = None,
) -> Cohort:
    """Read which exams DATA holds, whose they are, and what is decided about them.

    Args:
        data: A packed data set, a table, a folder or zip with a folder per class or a table, or a
            TOML file that names several of these.
        columns: What the person says of it; the rest is inferred.
        usual: What was said of data like these; it holds where `columns` say nothing, as far as
            the data are a table or images that it fits.
        like: Its classes, of which there may be fewer here, and how they relate hold likewise.

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
    worded, filled = read_form(data, columns, usual)
    if columns.patient_pattern is None:
        filled = _keep_pattern(worded, filled, data)
    told, columns = tell_carried(columns, filled), filled
    found = _bind(worded, columns, data)
    names = columns.classes or (like.classes if like else found.classes) or None
    kind = columns.kind or (like.kind if like else "coexisting" if found.classes else None)
    try:
        task, labels, notes = infer_task(found.words, kind, names, tidy=columns.tidy_labels)
    except MedclfError as problem:
        raise type(problem)(f"{data}: {problem}") from problem
    records = (replace(r, label=label) for r, label in zip(found.records, labels, strict=True))
    told = [*told, *found.notes, *notes]
    return Cohort(tuple(records), task, data, tuple(told), asdict(columns), found.series)


def read_unlabelled(
    data: Path, columns: Columns = AS_FOUND, usual: Columns = AS_FOUND, absent: bool = False
) -> Worded:
    """Read exams without their labels, as they come to be judged, with facts of DICOM headers.

    Args:
        data: A table, or a folder or zip with one.
        columns: What the person says of it.
        usual: As `read_cohort` takes it.
        absent: Let files be missing where others of the table are there; reading tells of them.

    Returns:
        Records, what was inferred, and which exams have no image. Exams of a sheet that names no
        files are called as it calls them, for answers go back to it.

    Raises:
        CohortError: its parts contradict each other.
        ReadError: it is absent or of no known form.
    """
    if not part_sheet(data)[0].exists():
        raise ReadError(f"{data}: a table of exams wanted, nothing found")
    found, _ = read_form(data, replace(columns, label="none"), usual, absent)
    records = _own_patients(read_headers(found.records, patients=False)[0])
    if found.called:
        named = zip(records, found.called, strict=True)
        records = tuple(replace(record, name=name) for record, name in named)
    return replace(found, records=records)


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
    return _bind(read_form(data, columns, AS_FOUND)[0], columns, data)


def _bind(found: Worded, columns: Columns, data: Path) -> Worded:
    """Learn whose exams are, which are held out, and which stay together."""
    known = _know_patients(found, columns, data)
    return bind_groups(hold_out(known, columns.hold_out, data), columns.group, data)


def _keep_pattern(found: Worded, columns: Columns, data: Path) -> Columns:
    """Keep a pattern of other data only where nothing here tells patients, and it finds some."""
    if columns.patient_pattern is None:
        return columns
    fits = not any(record.patient for record in found.records)
    try:
        name_patients(found.records, columns.patient_pattern, data)
    except CohortError:
        fits = False
    return columns if fits else replace(columns, patient_pattern=None)


def _know_patients(found: Worded, columns: Columns, data: Path) -> Worded:
    """Learn the patients from paths or headers where no column tells them; facts from headers."""
    told = columns.patient == "none" or any(record.patient for record in found.records)
    if columns.patient_pattern is None:
        records, notes = read_headers(found.records, patients=not told)
    elif columns.patient not in (None, "none"):
        raise SettingError("name the patient's column or a --patient-pattern, not both")
    else:
        records, notes = name_patients(found.records, columns.patient_pattern, data)
        records, headers = read_headers(records, patients=False)
        notes += headers
    unknown = sum(not record.patient for record in records)
    if unknown == len(records) and columns.patient != "none":
        notes.append(
            "No patient is known: each exam counts as a patient of its own. Where a patient has "
            "several, name the column, or say --patient-pattern, or scores will be too good."
        )
    elif unknown and unknown < len(records):
        notes.append(f"{count(unknown, 'exam')} without a patient: each counts as one of its own.")
    return replace(found, records=_own_patients(records), notes=(*found.notes, *notes))


def _own_patients(records: Iterable[Record]) -> tuple[Record, ...]:
    """Count exams whose patient nothing tells as patients of their own."""
    return tuple(replace(record, patient=record.patient or record.name) for record in records)
