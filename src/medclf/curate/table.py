"""Which column of a table holds what: image, label, patient, split, exam, mark."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from medclf.core.task import Kind
from medclf.curate.cells import Table
from medclf.curate.choice import (
    EXAMS,
    KEYS,
    LABELS,
    PATHS,
    PATIENTS,
    SIDES,
    SPLITS,
    UIDS,
    VIEWS,
    Choice,
    plain_name,
    several_columns,
    usual_columns,
)

NAMES = ("path", "label", "patient", "split", "exam", "view", "point", "mask")
"""Fields of `Columns` that name columns, or say "none"."""

NONE = ("none", ("none",))


@dataclass(frozen=True)
class Columns:
    """What the person says of the data. `None` means: infer it, and say so in a note.

    Args:
        path: The column that names the image, or several columns, one per image of the exam.
        label: The column of the class, or several columns of 0 and 1, one per finding; "none" where
            exams are read to be judged.
        patient: The column of the patient; "none" where there is none, in DICOM headers neither.
        split: The column that says train, val or test; "none" where there is none.
        exam: The column that joins several rows to one exam; "none" where each row is one.
        view: The column that names the images of an exam of several rows; "none" to number them.
        kind: Whether classes exclude each other, coexist or rank.
        classes: Their names in the order of the class numbers.
        images: A folder or a zip that holds the images that a table names.
        patient_pattern: A regular expression, searched in each image's path; its group `patient`,
            or else its first group that takes part, is the patient.
        tidy_labels: Merge labels that differ only in spaces or case.
        hold_out: A fact and the values of it that are the test split, as "site=north,south".
        group: A fact whose values, as sites, are not parted by splits and folds that are dealt.
        series: A regular expression, searched in modality and description of DICOM series, that
            says which one of an exam is meant; or several by name, as "t1=T1,flair=FLAIR", which
            are the images of an exam.
        slices: Take each DICOM file as an image of its own, rather than all of a series as one.
        point: The columns of the marked point, z first: in mm of the patient where their names
            end in "_mm", else in samples of the image; ("none",) where there is none.
        mask: The column of the file that is above 0 where what is judged lies; "none" where there
            is none.
    """

    path: str | tuple[str, ...] | None = None
    label: str | tuple[str, ...] | None = None
    patient: str | None = None
    split: str | None = None
    exam: str | None = None
    view: str | None = None
    kind: Kind | None = None
    classes: tuple[str, ...] | None = None
    images: Path | None = None
    patient_pattern: str | None = None
    tidy_labels: bool = False
    hold_out: str | None = None
    group: str | None = None
    series: str | None = None
    slices: bool = False
    point: tuple[str, ...] | None = None
    mask: str | None = None


@dataclass(frozen=True)
class Roles:
    """Which column holds what; "" where none does.

    Args:
        paths: Columns that name images, by the name that the image gets in the exam.
        labels: One column of classes, or several of 0 and 1, one per finding.
        patient: Whose the exam is.
        split: train, val or test.
        exam: Joins several rows to one exam.
        view: Names the images of an exam of several rows; else they are numbered.
        side: Left or right, by which images of one view are told apart.
        point: Columns of the marked point, z first.
        unit: Of those.
        mask: Column of the masks.
    """

    paths: Mapping[str, str]
    labels: tuple[str, ...]
    patient: str = ""
    split: str = ""
    exam: str = ""
    view: str = ""
    side: str = ""
    point: tuple[str, ...] = ()
    unit: Literal["mm", "samples"] = "samples"
    mask: str = ""


def choose_roles(table: Table, columns: Columns, where: str) -> tuple[Roles, list[str]]:
    """Tell which column holds what, and note what was inferred.

    Raises:
        CohortError: a column that the person named is not there, two would do, or none names
            images or labels.
    """
    choose = Choice(table, where)
    exam = choose.one("exam", columns.exam, EXAMS)
    view = choose.one("view", columns.view, VIEWS) if exam else ""
    sides = usual_columns(table, SIDES) if view else []
    roles = Roles(
        paths=choose.paths(columns.path),
        labels=choose.labels(columns.label),
        patient=choose.one("patient", columns.patient, PATIENTS),
        split=choose.one("split", columns.split, SPLITS),
        exam=exam,
        view=view,
        side=sides[0] if len(sides) == 1 else "",
        mask=choose.mask(columns.mask),
        **choose.point(columns.point),
    )
    return roles, choose.notes


def choose_sheet_roles(table: Table, columns: Columns, where: str) -> tuple[Roles, list[str]]:
    """Do so for a table that names no images, each row of which is an exam.

    Raises:
        CohortError: a column that the person named is not there, two would do, or none names
            labels.
    """
    choose = Choice(table, where)
    roles = Roles(
        paths={},
        labels=choose.labels(columns.label),
        patient=choose.one("patient", columns.patient, PATIENTS),
        split=choose.one("split", columns.split, SPLITS),
    )
    return roles, choose.notes


def likely_keys(table: Table, columns: Columns, key: str) -> list[str]:
    """List the columns that may say which exam a row speaks of.

    Args:
        key: "uid", "study", "accession" or "patient".
    """
    if key in UIDS:
        return list(table)
    return [c for c in table if c == columns.patient or plain_name(c) in KEYS[key].split()]


def names_images(table: Table, columns: Columns) -> bool:
    """Tell whether a table has a column that names images."""
    given = (columns.path,) if isinstance(columns.path, str) else columns.path or ()
    named = {plain_name(column) for column in table} & {plain_name(name) for name in given}
    return bool(named or usual_columns(table, PATHS) or len(several_columns(table)) > 1)


def tells_exams(table: Table, columns: Columns) -> bool:
    """Tell whether a table has a column of labels, or, where none is wanted, of what exams are."""
    if columns.label == "none":
        return any(likely_keys(table, columns, key) for key in KEYS)
    given = (columns.label,) if isinstance(columns.label, str) else columns.label or ()
    named = {plain_name(column) for column in table} & {plain_name(name) for name in given}
    return bool(named or usual_columns(table, LABELS))


def carry_over(columns: Columns, usual: Columns, tables: Iterable[Table]) -> Columns:
    """Fill in what was said of other data, where nothing is said of these.

    Args:
        columns: What is said of these.
        usual: What was said of others.
        tables: Those among these; a column is named only where they have it.

    Example:
        >>> told = Columns(label="finding", patient="number", tidy_labels=True)
        >>> found = carry_over(Columns(), told, [{"finding": ["cyst"], "dx": ["nodule"]}])
        >>> found.label, found.patient, found.tidy_labels
        ('finding', None, True)
    """
    there = {plain_name(name) for table in tables for name in table}
    said: dict[str, Any] = {}
    for name in (field.name for field in fields(Columns)):
        known = getattr(usual, name)
        if not getattr(columns, name) and known and (name not in NAMES or _fits(known, there)):
            said[name] = known
    # These pairs say the same in two ways, or contradict each other.
    for one, other in (("patient", "patient_pattern"), ("hold_out", "split")):
        if getattr(columns, one):
            said.pop(other, None)
        if getattr(columns, other):
            said.pop(one, None)
    return replace(columns, **said)


def tell_carried(columns: Columns, filled: Columns) -> list[str]:
    """Note what was filled in."""
    pairs = [(f.name, getattr(columns, f.name), getattr(filled, f.name)) for f in fields(Columns)]
    told = [_tell(name, after) for name, before, after in pairs if before != after]
    return [f"As was said of the run's data: {' '.join(told)}."] if told else []


def _fits(known: str | tuple[str, ...], there: set[str]) -> bool:
    """Tell whether all columns are there that were named."""
    names = {known} if isinstance(known, str) else set(known)
    return known in NONE or {plain_name(name) for name in names} <= there


def _tell(name: str, value: Any) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return flag
    return f"{flag} {','.join(value) if isinstance(value, tuple) else value}"
