"""Who the patient is, in the very words of the file, so that none of them is left anywhere in it.

The table says which attributes name people. What stood in those is looked for in everything that
is kept: a scanner's operator may have typed the name into a field that no table knows.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medclf.curate.deidentify.dates import spell_date

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

ALWAYS = frozenset(
    (
        "PatientID",
        "OtherPatientIDs",
        "PatientAddress",
        "PatientTelephoneNumbers",
        "MedicalRecordLocator",
        "MilitaryRank",
        "AccessionNumber",
        "StudyID",
        "AdmissionID",
        "ServiceEpisodeID",
        "RequestedProcedureID",
        "ScheduledProcedureStepID",
        "PerformedProcedureStepID",
        "FillerOrderNumberImagingServiceRequest",
        "PlacerOrderNumberImagingServiceRequest",
        "InsurancePlanIdentification",
        "IssuerOfPatientID",
        "ReferringPhysicianAddress",
        "ReferringPhysicianTelephoneNumbers",
        "CurrentPatientLocation",
        "PersonAddress",
        "PersonTelephoneNumbers",
        "ClinicalTrialSubjectID",
    )
)
"""Texts that tell who the patient is, or those about him, whatever the options are."""

BY_OPTION = {
    "institution": frozenset(
        (
            "InstitutionName",
            "InstitutionAddress",
            "InstitutionalDepartmentName",
        )
    ),
    "device": frozenset(
        (
            "DeviceSerialNumber",
            "StationName",
            "StationAETitle",
            "GantryID",
            "DetectorID",
            "PlateID",
        )
    ),
}
"""Texts that count unless the option of that name lets them stay."""

MEANINGLESS = frozenset(
    {"removed", "anonymous", "anonymized", "unknown", "none", *spell_date("19000101")}
)
"""What de-identified files say instead of a name or a date."""

SHORTEST = 3
_SEARCHED_IN_BYTES = 5
_PARTS = re.compile(r"[\s^=,;/\\()\[\].·\-_]+")
_WIDE = re.compile(r"[^\u0000-\u024f]")
_EVERYWHERE = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Identity:
    """The words that must not be left.

    Args:
        words: In lower case: parts of names, numbers, addresses, dates.
        encodings: In which the file may have written them.
    """

    words: frozenset[str] = frozenset()
    encodings: tuple[str, ...] = ()

    def stands_in(self, text: str) -> bool:
        """Tell whether any word stands in a text, as a word of its own.

        Example:
            >>> Identity(frozenset({"ander"})).stands_in("Anderson, pelvis")
            False
        """
        low = text.casefold()
        return any(word in low and _alone(word, low) for word in self.words)

    def stands_in_bytes(self, raw: bytes) -> bool:
        """Tell whether any word stands in bytes, in any encoding that it may have been written in.

        Words of fewer than five letters are left to `stands_in`: among bytes they come by chance.
        """
        low = raw.lower()
        return any(
            _alone_in_bytes(code, low)
            for word in self.words
            if len(word) >= _SEARCHED_IN_BYTES or _WIDE.search(word)
            for code in self._spell(word)
        )

    def _spell(self, word: str) -> Iterator[bytes]:
        for encoding in dict.fromkeys((*_EVERYWHERE, *self.encodings)):
            try:
                code = word.encode(encoding)
            except (UnicodeError, LookupError):
                continue
            if len(code) >= _SEARCHED_IN_BYTES:
                yield code.lower()


def gather_identity(dataset: "Dataset", retain: Iterable[str], dates: bool) -> Identity:
    """Collect the words of a data set that tell who the patient is, nested ones too.

    Args:
        dataset: As read.
        retain: Options whose texts may stay.
        dates: Whether dates count as well.
    """
    from pydicom.charset import convert_encodings

    named = ALWAYS.union(*(names for word, names in BY_OPTION.items() if word not in retain))
    words: set[str] = set()
    times: set[str] = set()
    for element in dataset.iterall():
        if element.VR == "PN":
            words.update(_name_parts(element))
        elif element.keyword in named:
            words.update(_text_parts(element))
        elif element.VR == "DA" and (dates or element.keyword == "PatientBirthDate"):
            words.update(form for text in _texts(element) for form in spell_date(text))
        elif element.VR == "TM":  # Some scanners number a study by the time at which it began.
            times.update(text[:6] for text in _texts(element))
    stated = dataset.get("SpecificCharacterSet") or "ISO_IR 6"
    encodings = tuple(dict.fromkeys(convert_encodings(stated)))
    return Identity(frozenset(words) - MEANINGLESS - times, encodings)


def _texts(element: "DataElement") -> list[str]:
    value = element.value
    many = value if element.VM > 1 else [value]
    return [str(text) for text in many if text is not None]


def _name_parts(element: "DataElement") -> Iterator[str]:
    for text in _texts(element):
        for part in _PARTS.split(text.casefold()):
            if len(part) >= SHORTEST or (part and _WIDE.search(part) and len(part) > 1):
                yield part


def _text_parts(element: "DataElement") -> Iterator[str]:
    """Take the whole text, and of several words those with digits: house numbers, telephones."""
    for text in _texts(element):
        low = " ".join(text.casefold().split())
        if len(low) >= SHORTEST:
            yield low
        for part in _PARTS.split(low):
            if len(part) >= _SEARCHED_IN_BYTES and any(c.isdigit() for c in part):
                yield part


def _alone(word: str, text: str) -> bool:
    return re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text) is not None


def _alone_in_bytes(code: bytes, raw: bytes) -> bool:
    letters = rb"[0-9a-z\x80-\xff]"
    pattern = rb"(?<!" + letters + rb")" + re.escape(code) + rb"(?!" + letters + rb")"
    return code in raw and re.search(pattern, raw) is not None
