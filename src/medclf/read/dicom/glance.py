"""A look at one file: the header of its DICOM image, or the reason why it holds none.

Only the elements that decide where an image belongs are read, and never its pixels.
"""

from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

from medclf.core.record import Source
from medclf.errors import MedclfError, ReadError
from medclf.read.archive import read_bytes
from medclf.read.dicom.header import COUNTS, ELEMENTS, MARKS, Header, describe
from medclf.read.quiet import PYDICOM
from medclf.read.refuse import legible, open_file, unreadable

NO_PICTURES = {
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.481.2": "a dose plan of radiotherapy",
}
"""Classes that hold pixels but no picture of a patient."""


@dataclass(frozen=True)
class LeftOut:
    """A file that is no DICOM image.

    Args:
        source: Where it is.
        reason: Why it is left out.
        series: SeriesInstanceUID of the series that it should be a part of; "" of no images.
    """

    source: Source
    reason: str
    series: str = ""


@dataclass(frozen=True, eq=False)
class Seen:
    """A header, and whose it is: patient, study, accession, series, description."""

    header: Header
    whose: tuple[str, ...]


def look(source: Source) -> Seen | LeftOut:
    """Read a header, or tell in one line of printable letters why the file is no image."""
    found = _look(source)
    if isinstance(found, LeftOut):
        return replace(found, reason=legible(found.reason, str(source)))
    return found


def _look(source: Source) -> Seen | LeftOut:
    try:
        if source.member:
            return _read(BytesIO(read_bytes(source)), source)
        with open_file(source.path) as file:
            return _read(file, source)
    except OSError as problem:
        return LeftOut(source, str(unreadable(source, problem)))
    except MedclfError as problem:
        return LeftOut(source, str(problem))


def _read(file: BinaryIO, source: Source) -> Seen | LeftOut:
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
    series = ""
    try:
        with PYDICOM:
            dataset = dcmread(file, stop_before_pixels=True, force=True, specific_tags=[*ELEMENTS])
            stated = dataset.file_meta.get("MediaStorageSOPClassUID")
            kind = UID(dataset.get("SOPClassUID") or stated or "")
            series = str(dataset.get("SeriesInstanceUID") or "")
            if kind in NO_PICTURES or not dataset.get("Rows"):
                held = NO_PICTURES.get(kind, kind.name or "of no stated class")
                damaged = "Image Storage" in held
                return LeftOut(source, f"holds no picture ({held})", series if damaged else "")
            header = describe(dataset, source)
            marks = {name: header.mark(name) for name in (*MARKS, *COUNTS)}
            names = ("PatientID", "StudyInstanceUID", "AccessionNumber")
            whose = [str(dataset.get(name) or "").strip(" \0") for name in names]
            description = str(dataset.get("SeriesDescription") or "").strip()
    except ReadError as problem:
        return LeftOut(source, str(problem), series)
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        reason = f"the DICOM header cannot be read ({type(problem).__name__})"
        return LeftOut(source, reason, series)
    known = {name: mark for name, mark in marks.items() if mark is not None}
    return Seen(replace(header, mark=known.get), (*whose, header.form.series, description))
