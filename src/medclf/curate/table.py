"""Which column of a table holds what: image, label, patient, split, exam.

Columns are known by their usual names, or named by the person; where two would do, we ask.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medclf.core.task import Kind
from medclf.curate.folder import SPLIT_WORDS
from medclf.errors import CohortError
from medclf.read.image import looks_like_image

Table = Mapping[str, Sequence[str | None]]

PATHS = (
    "path file filename file_name filepath file_path image images image_path image_file image_name "
    "img img_path img_name kept_file scan scan_path dicom dicom_path nifti nifti_path",
    "image_id image_index image_uid img_id",
)
LABELS = ("label labels class target diagnosis dx finding findings finding_labels y",)
PATIENTS = ("patient patient_id patientid subject subject_id subjectid", "lesion_id lesionid")
SPLITS = ("split", "subset", "partition", "set", "phase")
EXAMS = ("exam exam_id study study_id accession accession_number studyinstanceuid",)
VIEWS = ("view view_position viewposition", "projection")
UIDS = ("uid", "study")  # keys whose values are like nothing else, so that any column may hold them
KEYS = {
    "accession": "accession accession_number accessionnumber accession_no exam exam_id study "
    "study_id examination order_number",
    "patient": PATIENTS[0],
}
POINTS = (
    ("z_mm", "y_mm", "x_mm"),
    ("point_z_mm", "point_y_mm", "point_x_mm"),
    ("coordz", "coordy", "coordx"),  # LUNA16: mm of the patient
    ("point_z", "point_y", "point_x"),
    ("point_y", "point_x"),
)
SHOWN = 12
SEVERAL = re.compile(r"(?:image|img|path|file|scan)_(.+)")


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
            says which one of an exam is meant.
        slices: Take each DICOM file as an image of its own, rather than all of a series as one.
        point: The columns of the marked point, z first: in mm of the patient where their names
            end in "_mm", else in samples of the image; ("none",) where there is none.
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
        point: Columns of the marked point, z first.
        unit: Of those.
    """

    paths: Mapping[str, str]
    labels: tuple[str, ...]
    patient: str = ""
    split: str = ""
    exam: str = ""
    view: str = ""
    point: tuple[str, ...] = ()
    unit: Literal["mm", "samples"] = "samples"


def choose_roles(table: Table, columns: Columns, where: str) -> tuple[Roles, list[str]]:
    """Tell which column holds what, and note what was inferred.

    Raises:
        CohortError: a column that the person named is not there, two would do, or none names
            images or labels.
    """
    choose = _Choice(table, where)
    exam = choose.one("exam", columns.exam, EXAMS)
    roles = Roles(
        paths=choose.paths(columns.path),
        labels=choose.labels(columns.label),
        patient=choose.one("patient", columns.patient, PATIENTS),
        split=choose.one("split", columns.split, SPLITS),
        exam=exam,
        view=choose.one("view", columns.view, VIEWS) if exam else "",
        **choose.point(columns.point),
    )
    return roles, choose.notes


def choose_sheet_roles(table: Table, columns: Columns, where: str) -> tuple[Roles, list[str]]:
    """Do so for a table that names no images, each row of which is an exam.

    Raises:
        CohortError: a column that the person named is not there, two would do, or none names
            labels.
    """
    choose = _Choice(table, where)
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
    given = {columns.exam, columns.patient} - {None}
    return [c for c in table if c in given or _plain(c) in KEYS[key].split()]


def names_images(table: Table, columns: Columns) -> bool:
    """Tell whether a table has a column that names images."""
    given = (columns.path,) if isinstance(columns.path, str) else columns.path or ()
    named = {_plain(column) for column in table} & {_plain(name) for name in given}
    return bool(named or _usual(table, PATHS) or len(_several(table)) > 1)


def names_labels(table: Table, columns: Columns) -> bool:
    """Tell whether a table has a column of labels."""
    given = (columns.label,) if isinstance(columns.label, str) else columns.label or ()
    named = {_plain(column) for column in table} & {_plain(name) for name in given}
    return bool(named or _usual(table, LABELS))


class _Choice:
    """Chooses columns of one table by what the person says or by their usual names."""

    def __init__(self, table: Table, where: str) -> None:
        self.table, self.where, self.notes = table, where, list[str]()

    def named(self, role: str, name: str) -> str:
        if name in self.table:
            return name
        plain = [column for column in self.table if _plain(column) == _plain(name)]
        if len(plain) != 1:
            raise CohortError(
                f"{self.where}: the column {name!r} wanted for --{role}, found {self._all()}"
            )
        return plain[0]

    def one(self, role: str, given: str | None, usual: Sequence[str]) -> str:
        """Choose the column of a role; "" where there is none, which a label may not be."""
        if given is not None and (given in self.table or given not in ("", "none")):
            return self.named(role, given)
        found = [] if given is not None else _usual(self.table, usual)
        if role == "split":
            found = [c for c in found if _plain(c) == "split" or _holds_splits(self.table[c])]
        if not found and role != "label":
            return ""
        return self._only(role, found)

    def labels(self, given: str | tuple[str, ...] | None) -> tuple[str, ...]:
        """Choose the column of the class, or those of the findings."""
        if isinstance(given, tuple):
            return tuple(self.named("label", name) for name in given)
        if given == "none":
            return ()
        return (self.one("label", given, LABELS),)

    def paths(self, given: str | tuple[str, ...] | None) -> dict[str, str]:
        """Choose the columns of images, by the name that the image gets."""
        if given is not None:
            names = (given,) if isinstance(given, str) else given
            return _image_names([self.named("path", name) for name in names])
        single, several = _usual(self.table, PATHS), _several(self.table)
        likely = [column for column in single if _images_in(self.table[column])]
        if len(several) > 1 and not likely:
            self.notes.append(f"The images of an exam are those in {', '.join(several)}.")
            return _image_names(several)
        return {"image": self._only("path", [*likely, *several] or single)}

    def point(self, given: tuple[str, ...] | None) -> Mapping[str, Any]:
        """Choose the columns of the marked point, and tell their unit."""
        if given is not None:
            names = () if given in ((), ("none",)) else given
            found = tuple(self.named("point", name) for name in names)
        else:
            plain = {_plain(column): column for column in self.table}
            usual = next((set_ for set_ in POINTS if all(name in plain for name in set_)), ())
            found = tuple(plain[name] for name in usual)
            if found:
                self.notes.append(f"The marked point is in {', '.join(found)}; else say --point.")
        in_mm = [_plain(name).endswith("_mm") or _plain(name).startswith("coord") for name in found]
        if len(found) not in (0, 2, 3) or len(set(in_mm)) > 1:
            raise CohortError(
                f"{self.where}: 2 or 3 columns of one unit wanted for --point, found "
                f"{', '.join(found)}"
            )
        return {"point": found, "unit": "mm" if any(in_mm) else "samples"}

    def _only(self, role: str, found: list[str]) -> str:
        if len(found) == 1:
            self.notes.append(f"The column {found[0]!r} is read as the {role}; else say --{role}.")
            return found[0]
        if found:
            raise CohortError(
                f"{self.where}: {', '.join(found)} may each be the {role}: choose with --{role}"
            )
        raise CohortError(
            f"{self.where}: no column is known to be the {role}: choose with --{role} among "
            f"{self._all()}"
        )

    def _all(self) -> str:
        more = f" and {len(self.table) - SHOWN} more" if len(self.table) > SHOWN else ""
        return ", ".join(list(self.table)[:SHOWN]) + more


def _plain(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().casefold())


def _usual(table: Table, tiers: Sequence[str]) -> list[str]:
    """The columns that bear a usual name; later names count only where no earlier one is there."""
    for names in tiers:
        if found := [column for column in table if _plain(column) in names.split()]:
            return found
    return []


def _several(table: Table) -> list[str]:
    """The columns such as image_lcc or path_t1 that mostly hold names of images."""
    usual = {name for names in PATHS for name in names.split()}
    chosen = [c for c in table if SEVERAL.fullmatch(_plain(c)) and _plain(c) not in usual]
    return [
        c for c in chosen if _images_in(table[c]) * 2 > sum(cell is not None for cell in table[c])
    ]


def _images_in(cells: Sequence[str | None]) -> int:
    return sum(looks_like_image(cell.strip()) for cell in cells if cell)


def _image_names(columns: Sequence[str]) -> dict[str, str]:
    """Name the images of an exam after their columns, without what these have in common."""
    if len(columns) == 1:
        return {"image": columns[0]}
    parts = [SEVERAL.fullmatch(_plain(column)) for column in columns]
    short = [part[1] for part in parts if part]
    return dict(zip(short if len(set(short)) == len(columns) else columns, columns, strict=True))


def _holds_splits(cells: Sequence[str | None]) -> bool:
    texts = {cell.strip().casefold() for cell in cells if cell}
    return bool(texts) and texts <= set(SPLIT_WORDS)
