"""What is taken out of a file and what may stay: the options of the confidentiality profile.

Without any, all that could tell who the patient is goes, dates of a patient are shifted together,
and text burnt into ultrasound and screen captures is masked. Each option is one that the standard
defines, and is written into every file that it touched.

Source: DICOM PS3.15, E.3 (the options); PS3.16, CID 7050 (their codes).
"""

from dataclasses import dataclass
from typing import Literal, get_args

from medclf.errors import SettingError

Retain = Literal["uids", "device", "institution", "patient", "private"]
Clean = Literal["pixels", "descriptors", "structured", "graphics"]
Dates = Literal["shift", "keep", "remove"]

BASIC = ("113100", "Basic Application Confidentiality Profile")
CODES = {
    "pixels": ("113101", "Clean Pixel Data Option"),
    "graphics": ("113103", "Clean Graphics Option"),
    "structured": ("113104", "Clean Structured Content Option"),
    "descriptors": ("113105", "Clean Descriptors Option"),
    "keep": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "shift": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "patient": ("113108", "Retain Patient Characteristics Option"),
    "device": ("113109", "Retain Device Identity Option"),
    "uids": ("113110", "Retain UIDs Option"),
    "private": ("113111", "Retain Safe Private Option"),
    "institution": ("113112", "Retain Institution Identity Option"),
}
"""What the standard calls each option, by our word for it."""

STAYS = {
    "uids": "UIDs stay. Those of many scanners hold the date and the time, and lead back to the "
    "archive.",
    "device": "Serial numbers and names of devices stay.",
    "institution": "Name and address of the institution stay.",
    "patient": "Age (090Y for all above 89), sex, size and weight stay: rare ones tell people "
    "apart.",
    "private": "Private elements that the standard lists as safe stay.",
    "descriptors": "Of free text the words of a fixed list and short numbers stay.",
    "structured": "Reports stay, without texts and names.",
    "graphics": "Overlays and drawings stay where no text was found in them.",
    "shift": "Dates are moved, by days of each patient's own, from one to eleven years back; times "
    "of the day stay. Whoever knows one true date of a patient knows all.",
    "keep": "Dates stay as they were, but for the date of birth.",
    "remove": "Dates and times are gone.",
}
"""What each option lets stay, for a person who decides whether the files may go out."""

UNMASKED = "Text that is burnt into pictures was looked for, and not masked."

_DATE_COLUMN = {"shift": "shifted_dates", "keep": "full_dates"}


@dataclass(frozen=True)
class Options:
    """How a file is de-identified.

    Args:
        retain: What stays beside the image: `uids`, `device` (serial numbers, station),
            `institution`, `patient` (age to 89, sex, size, weight), `private` (elements that the
            standard lists as safe).
        clean: What is cleaned instead of removed, or of kept: `pixels` (burnt-in text is masked),
            `descriptors` (of free text, known words stay), `structured` (reports), `graphics`
            (overlays and annotations without text).
        dates: `shift` all of a patient by one number of days, `keep` or `remove` them.
        others: Also take PNG, JPEG and NIfTI files, without what stands beside their pixels.

    Raises:
        SettingError: an option has another name.
    """

    retain: frozenset[str] = frozenset()
    clean: frozenset[str] = frozenset({"pixels"})
    dates: str = "shift"
    others: bool = False

    def __post_init__(self) -> None:
        _check("retain", self.retain, get_args(Retain))
        _check("clean", self.clean, get_args(Clean))
        _check("dates", {self.dates}, get_args(Dates))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the standard's table that these options bring in."""
        dates = _DATE_COLUMN.get(self.dates)
        return (*sorted(self.retain), *sorted(self.clean), *([dates] if dates else []))

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code and meaning of the profile and of each option, as a file states them."""
        words = {*self.retain, *self.clean, self.dates}
        return (BASIC, *(CODES[word] for word in CODES if word in words))

    @property
    def stays(self) -> tuple[str, ...]:
        """What these options let stay, in sentences."""
        words = {*self.retain, *self.clean, self.dates}
        told = tuple(STAYS[word] for word in STAYS if word in words)
        return told if "pixels" in self.clean else (*told, UNMASKED)


def _check(name: str, given: frozenset[str] | set[str], known: tuple[str, ...]) -> None:
    strange = sorted(given - set(known))
    if strange:
        raise SettingError(f"{name}: one of {', '.join(known)} wanted, found {strange[0]!r}")
