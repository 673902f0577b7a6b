"""Find the DICOM series in a folder tree, a zip, or the disc that a DICOMDIR describes.

Headers alone are read, in several threads. Files are grouped by patient, study and series, and
a series is parted where it holds more than one image. All else, from reports to hidden files, is
listed with the reason why it is no image. Links that lead out of the folder are not followed.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from medclf.core.record import Source
from medclf.core.remark import Remark
from medclf.errors import MedclfError, ReadError
from medclf.read.archive import is_archive, list_members, read_bytes
from medclf.read.dicom_header import COUNTS, ELEMENTS, MARKS, Header, describe
from medclf.read.dicomdir import NAME, read_dicomdir, resolve
from medclf.read.part import part
from medclf.read.quiet import Quiet
from medclf.read.refuse import open_file, unreadable

NO_PICTURES = {
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.481.2": "a dose plan of radiotherapy",
}
"""Classes that hold pixels but no picture of a patient."""

_PYDICOM = Quiet("pydicom")


@dataclass(frozen=True)
class Series:
    """One image, found by the headers of its files.

    Args:
        source: Its file, or its files as `parts`.
        patient: PatientID.
        study: StudyInstanceUID.
        accession: AccessionNumber.
        uid: SeriesInstanceUID; several images may share it.
        modality: The DICOM code.
        description: SeriesDescription.
        remarks: Why it was parted from others of its series.
    """

    source: Source
    patient: str
    study: str
    accession: str
    uid: str
    modality: str
    description: str
    remarks: tuple[Remark, ...] = ()

    @property
    def files(self) -> int:
        """How many files it lies in."""
        return len(self.source.parts) or 1


@dataclass(frozen=True)
class LeftOut:
    """A file that is no DICOM image.

    Args:
        source: Where it is.
        reason: Why it is left out.
    """

    source: Source
    reason: str


@dataclass(frozen=True)
class Found:
    """What was found.

    Args:
        root: Where was searched.
        series: All images, by patient, study and series.
        left_out: All other files, in order.
    """

    root: Path
    series: tuple[Series, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, eq=False)
class _Seen:
    """A header, and whose it is: patient, study, accession, series, description."""

    header: Header
    whose: tuple[str, ...]


def find_series(root: Path) -> Found:
    """Find every image in DICOM files.

    Args:
        root: A folder, a zip, or a DICOMDIR.

    Raises:
        ReadError: it is none of these, damaged, or names files outside of its folder.
    """
    seen: dict[tuple[str, ...], list[_Seen]] = {}
    left_out = []
    listed = list(_list_files(root))
    with ThreadPoolExecutor() as pool:
        looked = pool.map(_look, (file for file in listed if isinstance(file, Source)))
        for file in listed:
            found = next(looked) if isinstance(file, Source) else file
            if isinstance(found, LeftOut):
                left_out.append(found)
            else:
                seen.setdefault(_key(found), []).append(found)
    series = [one for key in sorted(seen) for one in _part_series(seen[key])]
    return Found(root, tuple(series), tuple(left_out))


def _list_files(root: Path) -> Iterator[Source | LeftOut]:
    if root.is_dir():
        yield from _walk(root)
    elif root.name.upper() == NAME and root.is_file():
        for name in read_dicomdir(root):
            path = resolve(root.parent, name)
            if path is None:
                yield LeftOut(Source(root.parent / name), "named by the DICOMDIR, but absent")
            else:
                yield _inside(path, root.parent.resolve())
    elif root.is_file() and is_archive(root):
        yield from (Source(root, name) for name in list_members(root))
    else:
        raise ReadError(f"{root}: a folder, a zip or a DICOMDIR of DICOM files wanted")


def _walk(root: Path) -> Iterator[Source | LeftOut]:
    real = root.resolve()
    for folder, below, files in os.walk(root):
        here = Path(folder)
        for name in sorted(below):
            hidden = name.startswith(".")
            if hidden or (here / name).is_symlink():
                reason = "hidden" if hidden else "a link to a folder, which is not followed"
                yield LeftOut(Source(here / name), reason)
                below.remove(name)
        below.sort()
        for name in sorted(files):
            if name.startswith("."):
                yield LeftOut(Source(here / name), "hidden")
            else:
                yield _inside(here / name, real)


def _inside(path: Path, real: Path) -> Source | LeftOut:
    if path.is_symlink() and not path.resolve().is_relative_to(real):
        return LeftOut(Source(path), "a link that leaves the folder")
    return Source(path)


def _look(source: Source) -> _Seen | LeftOut:
    """Read a header, or tell why the file is no image."""
    try:
        if source.member:
            return _read(BytesIO(read_bytes(source)), source)
        with open_file(source.path) as file:
            return _read(file, source)
    except OSError as problem:
        return LeftOut(source, str(unreadable(source, problem)))
    except MedclfError as problem:
        return LeftOut(source, str(problem))


def _read(file: BinaryIO, source: Source) -> _Seen | LeftOut:
    from pydicom import dcmread
    from pydicom.uid import UID

    head = file.read(132)
    if not head:
        return LeftOut(source, "the file is empty")
    signed = head[128:] == b"DICM"
    named = (source.member or source.path.name).lower().endswith((".dcm", ".dicom", ".ima"))
    if not (signed or named):
        return LeftOut(source, "no DICOM file")
    file.seek(0)
    try:
        with _PYDICOM:
            dataset = dcmread(file, stop_before_pixels=True, force=True, specific_tags=[*ELEMENTS])
            stated = dataset.file_meta.get("MediaStorageSOPClassUID")
            kind = UID(dataset.get("SOPClassUID") or stated or "")
            if kind in NO_PICTURES or not dataset.get("Rows"):
                held = NO_PICTURES.get(kind, kind.name or "of no stated class")
                return LeftOut(source, f"holds no picture ({held})")
            header = describe(dataset, source)
            marks = {name: header.mark(name) for name in (*MARKS, *COUNTS)}
            names = ("PatientID", "StudyInstanceUID", "AccessionNumber")
            whose = [str(dataset.get(name) or "").strip(" \0") for name in names]
            description = str(dataset.get("SeriesDescription") or "").strip()
    except ReadError as problem:
        return LeftOut(source, str(problem))
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        return LeftOut(source, f"the DICOM header cannot be read ({type(problem).__name__})")
    known = {name: mark for name, mark in marks.items() if mark is not None}
    return _Seen(replace(header, mark=known.get), (*whose, header.form.series, description))


def _key(seen: _Seen) -> tuple[str, ...]:
    """Group by patient, study and series; a file that names no series stands by its folder."""
    patient, study, _, series, _ = seen.whose
    source = seen.header.source
    folder = "" if series else f"{source.path.parent}/{source.member.rpartition('/')[0]}"
    return patient, study, series, folder


def _part_series(seen: Sequence[_Seen]) -> Iterator[Series]:
    """Part the files of one series into images, and say why."""
    headers = [one.header for one in seen]
    groups = part(headers)
    for group in groups:
        files = sorted(headers[i].source for i in group.members)
        first = seen[group.members[0]]
        patient, study, accession, uid, description = first.whose
        name = ", ".join(filter(None, (uid or "no series", group.name)))
        remarks: tuple[Remark, ...] = ()
        if len(groups) > 1:
            told = f"the series holds {len(groups)} images; this is {group.name}"
            remarks = (Remark("parted", told),)
        modality = first.header.form.modality
        source = _join(files, name)
        yield Series(source, patient, study, accession, uid, modality, description, remarks)


def _join(files: Sequence[Source], name: str) -> Source:
    """Make one source of the files of an image: in their archive, or the folder that holds all."""
    if len(files) == 1:
        return files[0]
    if files[0].member:
        return Source(files[0].path, name, parts=tuple(files))
    folder = os.path.commonpath([file.path.parent for file in files])
    return Source(Path(folder), name, parts=tuple(files))
