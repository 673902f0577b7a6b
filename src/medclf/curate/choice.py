"""Columns of a table are known by their usual names, or named by the person.

Where two would do, the person is asked.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from medclf.curate.cells import Table
from medclf.curate.class_folders import SPLIT_WORDS
from medclf.errors import CohortError
from medclf.read.image import looks_like_image

PATHS = (
    "path file filename file_name filepath file_path image images image_path image_file image_name "
    "img img_path img_name kept_file scan scan_path dicom dicom_path nifti nifti_path",
    "image_id image_index image_uid img_id",
)
LABELS = ("label labels class target diagnosis dx finding findings finding_labels y",)
PATIENTS = ("patient patient_id patientid subject subject_id subjectid", "lesion_id lesionid")
SPLITS = ("split", "subset", "partition", "set", "phase")
EXAMS = ("exam exam_id study study_id accession accession_number studyinstanceuid",)
MASKS = ("mask mask_path mask_file", "segmentation seg seg_path segmentation_path")
VIEWS = ("view view_position viewposition", "projection")
SIDES = ("laterality side image_laterality imagelaterality breast_side",)
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


class Choice:
    """Chooses columns of one table by what the person says or by their usual names."""

    def __init__(self, table: Table, where: str) -> None:
        self.table, self.where, self.notes = table, where, list[str]()

    def named(self, role: str, name: str) -> str:
        if name in self.table:
            return name
        plain = [column for column in self.table if plain_name(column) == plain_name(name)]
        if len(plain) != 1:
            raise CohortError(
                f"{self.where}: the column {name!r} wanted for --{role}, found {self._all()}"
            )
        return plain[0]

    def one(self, role: str, given: str | None, usual: Sequence[str]) -> str:
        """Choose the column of a role; "" where there is none, which a label may not be."""
        if given is not None and (given in self.table or given not in ("", "none")):
            return self.named(role, given)
        found = [] if given is not None else usual_columns(self.table, usual)
        if role == "split":
            found = [c for c in found if plain_name(c) == "split" or _holds_splits(self.table[c])]
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

    def mask(self, given: str | None) -> str:
        """Choose the column of the masks; "" where there is none."""
        return self.one("mask", given, MASKS)

    def paths(self, given: str | tuple[str, ...] | None) -> dict[str, str]:
        """Choose the columns of images, by the name that the image gets."""
        if given is not None:
            names = (given,) if isinstance(given, str) else given
            return _image_names([self.named("path", name) for name in names])
        single, several = usual_columns(self.table, PATHS), several_columns(self.table)
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
            known = {plain_name(column): column for column in self.table}
            usual = next((names for names in POINTS if all(name in known for name in names)), ())
            found = tuple(known[name] for name in usual)
            if found:
                self.notes.append(f"The marked point is in {', '.join(found)}; else say --point.")
        in_mm = [
            plain_name(name).endswith("_mm") or plain_name(name).startswith("coord")
            for name in found
        ]
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
        else_say = "; or say by --images where DICOM files of its rows lie" * (role == "path")
        raise CohortError(
            f"{self.where}: no column is known to be the {role}: choose with --{role} among "
            f"{self._all()}{else_say}"
        )

    def _all(self) -> str:
        more = f" and {len(self.table) - SHOWN} more" if len(self.table) > SHOWN else ""
        return ", ".join(list(self.table)[:SHOWN]) + more


def plain_name(name: str) -> str:
    """Write the name of a column as usual names are written, without punctuation.

    Example:
        >>> plain_name("Accession No."), plain_name("Patient.ID")
        ('accession_no', 'patient_id')
    """
    plain = re.sub(r"[\s\-.:#]+", "_", name.strip().casefold())
    return plain if name.endswith("_") else plain.rstrip("_")


def usual_columns(table: Table, tiers: Sequence[str]) -> list[str]:
    """The columns that bear a usual name; later names count only where no earlier one is there."""
    for names in tiers:
        if found := [column for column in table if plain_name(column) in names.split()]:
            return found
    return []


def several_columns(table: Table) -> list[str]:
    """The columns such as image_lcc or path_t1 that mostly hold names of images."""
    usual = {name for names in PATHS for name in names.split()}
    chosen = [c for c in table if SEVERAL.fullmatch(plain_name(c)) and plain_name(c) not in usual]
    return [
        c for c in chosen if _images_in(table[c]) * 2 > sum(cell is not None for cell in table[c])
    ]


def _images_in(cells: Sequence[str | None]) -> int:
    return sum(looks_like_image(cell.strip()) for cell in cells if cell)


def _image_names(columns: Sequence[str]) -> dict[str, str]:
    """Name the images of an exam after their columns, without what these have in common."""
    if len(columns) == 1:
        return {"image": columns[0]}
    parts = [SEVERAL.fullmatch(plain_name(column)) for column in columns]
    short = [part[1] for part in parts if part]
    return dict(zip(short if len(set(short)) == len(columns) else columns, columns, strict=True))


def _holds_splits(cells: Sequence[str | None]) -> bool:
    texts = {cell.strip().casefold() for cell in cells if cell}
    return bool(texts) and texts <= set(SPLIT_WORDS)
