"""Who the patient is, in the very words of the file, so that none of them is left anywhere in it.

The table says which attributes name people. What stood in those is looked for in everything that
is kept: a scanner's operator may have typed the name into a field that no table knows.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from unicodedata import normalize

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
LONG = 8
"""Letters of a word that is looked for within other words too: `Quastenflosser_2`, `CTQuasten…`."""

SEARCHED_IN_BYTES, SEARCHED_IN_PIXELS = 5, 8
"""Least bytes of a spelling that cannot come by chance."""

_PARTS = re.compile(r"[\s^=,;/\\()\[\].·\-_]+")
_WIDE = re.compile(r"[^\u0000-\u024f]")
_SOLID = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ufaff\uff00-\uffef]")
"""Scripts that put no space between words: Thai, Chinese, Japanese, Korean and their like."""

_EVERYWHERE = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Identity:
    """The words that must not be left.

    Args:
        words: Parts of names, numbers, addresses and dates, as the file writes them.
        encodings: In which the file may have written them.
    """

    words: frozenset[str] = frozenset()
    encodings: tuple[str, ...] = ()

    def stands_in(self, text: str) -> bool:
        """Tell whether any word stands in a text: a short one by itself, a long one anywhere.

        Example:
            >>> Identity(frozenset({"Ander"})).stands_in("Anderson, pelvis")
            False
            >>> Identity(frozenset({"Ander"})).stands_in("ANDER2_pelvis")
            True
        """
        low = folded(text)
        return any(word in low and _alone(word, low) for word in self._folded_words)

    @cached_property
    def _folded_words(self) -> frozenset[str]:
        return frozenset(map(folded, self.words))

    def stands_in_bytes(self, raw: bytes, shortest: int = SEARCHED_IN_BYTES) -> bool:
        """Tell whether any word stands in bytes, in any encoding that it may have been written in.

        Words of fewer than five letters are left to `stands_in`: among bytes they come by chance,
        as does what repeats one or two.

        Args:
            raw: The bytes.
            shortest: Least bytes of a spelling that is looked for.
        """
        low = raw.lower()
        return any(
            code in low and (not word.isascii() or _alone_in_bytes(word, code, low))
            for word in self.words
            if len(word) >= SEARCHED_IN_BYTES or _WIDE.search(word)
            for code in self._spell(word)
            if len(code) >= shortest and len(set(code)) > 2
        )

    def _spell(self, word: str) -> Iterator[bytes]:
        """Write a word in every encoding, and where it is not ASCII in small and in capitals."""
        cases = (word, word.lower(), word.upper(), word.capitalize(), word.casefold())
        shapes = cases if not word.isascii() else (word,)
        forms = {normalize(form, shape) for shape in shapes for form in ("NFC", "NFD")}
        for encoding in dict.fromkeys((*_EVERYWHERE, *self.encodings)):
            for form in forms:
                try:
                    code = form.encode(encoding)
                except (UnicodeError, LookupError):
                    continue
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
    said = {word for word in words if word.casefold() not in MEANINGLESS | times}
    return Identity(frozenset(said), encodings)


def _texts(element: "DataElement") -> list[str]:
    value = element.value
    many = value if element.VM > 1 else [value]
    return [str(text) for text in many if text is not None]


def _name_parts(element: "DataElement") -> Iterator[str]:
    for text in _texts(element):
        for part in _PARTS.split(text):
            if len(part) >= SHORTEST or (part and _WIDE.search(part) and len(part) > 1):
                yield part


def _text_parts(element: "DataElement") -> Iterator[str]:
    """Take the whole text, and of several words those with digits: house numbers, telephones."""
    for text in _texts(element):
        whole = " ".join(text.split())
        if len(whole) >= SHORTEST:
            yield whole
        for part in _PARTS.split(whole):
            if len(part) >= SEARCHED_IN_BYTES and any(c.isdigit() for c in part):
                yield part


def folded(text: str) -> str:
    """Make texts alike that differ in capitals, or in how accents are put together."""
    return normalize("NFC", normalize("NFC", text).casefold())


def _alone(word: str, text: str) -> bool:
    """Tell whether a word that stands in a text is not a piece of another word or number."""
    before, after = (_other(letter, len(word), r"[^\W\d_]") for letter in (word[0], word[-1]))
    pattern = f"(?<!{before})" + re.escape(word) + f"(?!{after})"
    return re.search(pattern, text) is not None


def _alone_in_bytes(word: str, code: bytes, raw: bytes) -> bool:
    """Tell the same of a word of ASCII letters in bytes."""
    before, after = (_other(letter, len(word), "[a-z]") for letter in (word[0], word[-1]))
    pattern = f"(?<!{before})".encode() + re.escape(code) + f"(?!{after})".encode()
    return re.search(pattern, raw) is not None


def _other(edge: str, length: int, letters: str) -> str:
    """Name what must not stand beside the edge of a word, as a pattern."""
    if edge.isdigit():
        return "[0-9]"
    inside = length >= LONG or _SOLID.match(edge) or not edge.isalpha()
    return "[^\\s\\S]" if inside else letters
