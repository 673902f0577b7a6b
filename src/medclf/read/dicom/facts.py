"""What a DICOM file says of the patient and the exam, pixels aside: facts for splits and audits.

Source: DICOM PS3.3, C.7.1.1 (patient), C.7.5.1 (equipment), C.8 (the modalities' own modules).
"""

import hashlib
import re
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from medclf.core.record import Fact
from medclf.errors import ReadError
from medclf.read.quiet import PYDICOM

if TYPE_CHECKING:
    from pydicom import Dataset

WORDS = {
    "patient": "PatientID",
    "sex": "PatientSex",
    "modality": "Modality",
    "body_part": "BodyPartExamined",
    "view": "ViewPosition",
    "laterality": "ImageLaterality",
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "station": "StationName",
    "protocol": "ProtocolName",
    "kernel": "ConvolutionKernel",
    "burnt_in": "BurnedInAnnotation",
}
"""What a fact is called, and the element that holds it as a word."""

NUMBERS = {
    "kvp": "KVP",
    "field_strength_t": "MagneticFieldStrength",
    "slice_thickness_mm": "SliceThickness",
}
"""Likewise of numbers."""

_OTHERS = (
    *("PatientAge", "SpecificCharacterSet", "InstitutionName", "Laterality"),
    *("ViewCodeSequence", "FrameLaterality"),
)
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_GAUSS = 1000.0
"""No scanner for people has as many tesla; older files give gauss."""


def read_facts(raw: bytes | BinaryIO, where: str = "DICOM file") -> dict[str, Fact]:
    """Read the facts of a file.

    Args:
        raw: The file, open; or its bytes, or as many of the first as hold the header.
        where: Names the file in messages.

    Returns:
        The words and numbers of `WORDS` and `NUMBERS`; age_years; and site, eight letters that
        are the same for the same institution and do not tell which it is. `None` where an element
        is absent, empty, or not written by the rules.

    Raises:
        ReadError: it is not DICOM. The message never quotes what the file holds.
    """
    from pydicom import dcmread

    wanted = [*WORDS.values(), *NUMBERS.values(), *_OTHERS]
    try:
        with PYDICOM:
            file = BytesIO(raw) if isinstance(raw, bytes) else raw
            dataset = dcmread(file, stop_before_pixels=True, force=True, specific_tags=wanted)
            return facts_of(dataset)
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        kind = type(problem).__name__
        raise ReadError(f"{where}: the DICOM header cannot be read ({kind})") from problem


def facts_of(dataset: "Dataset") -> dict[str, Fact]:
    """Take the facts from a parsed header, as `read_facts` does from a file."""
    facts: dict[str, Fact] = {name: _word(dataset, key) for name, key in WORDS.items()}
    facts |= {name: _number(dataset, key) for name, key in NUMBERS.items()}
    facts["laterality"] = facts["laterality"] or _word(dataset, "Laterality")
    strength = facts["field_strength_t"]
    if isinstance(strength, float) and strength >= _GAUSS:
        facts["field_strength_t"] = strength / 10_000
    facts["age_years"] = _age_years(str(dataset.get("PatientAge") or ""))
    facts["site"] = hash_site(_word(dataset, "InstitutionName"))
    return facts


def hash_site(institution: str | None) -> str | None:
    """Give an institution eight letters in place of its name; `None` stays so.

    The name could be found by trying all institutions, so it is no protection against search; it
    keeps names out of tables, reports and logs.

    Example:
        >>> hash_site("General  Hospital") == hash_site("general hospital")
        True
    """
    if institution is None:
        return None
    plain = " ".join(institution.casefold().split())
    return hashlib.sha256(plain.encode()).hexdigest()[:8]


def _word(dataset: "Dataset", keyword: str) -> str | None:
    value = dataset.get(keyword)
    if value is None:
        return None
    if not isinstance(value, str):
        try:
            value = "\\".join(str(part) for part in value)
        except TypeError:
            value = str(value)
    return value.strip(" \0") or None


def _number(dataset: "Dataset", keyword: str) -> float | None:
    try:
        value = float(dataset.get(keyword))
    except (TypeError, ValueError):
        return None
    return value if abs(value) < float("inf") else None


def _age_years(text: str) -> float | None:
    found = re.fullmatch(r"\s*(\d{1,3})([DWMY])\s*", text)
    return int(found[1]) * _YEARS[found[2]] if found else None
