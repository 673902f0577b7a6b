"""A data set is cleaned, element by element, as the standard's table says; nested ones too.

What the table does not name is judged by its kind: names of people and long texts go, dates are
dates wherever they stand, UIDs are replaced, bytes stay only where their meaning is known. Last,
whatever is kept is searched for the patient's own words.

Source: DICOM PS3.15, E.1.1 and E.3.
"""

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from medclf.core.remark import Remark
from medclf.curate.deidentify.dates import shift_date, shift_moment
from medclf.curate.deidentify.dummy import cap_age, dummy_value
from medclf.curate.deidentify.forms import is_formed, is_uid
from medclf.curate.deidentify.identity import Identity
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.private import is_safe
from medclf.curate.deidentify.profile import Action, find_rule
from medclf.curate.deidentify.words import clean_words

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

DATES = frozenset({"DA", "DT", "TM"})
WORDS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
ARRAYS = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
LOST = frozenset({"PN", "AE", "UR", "ST", "LT", "UT"})
"""Of these none is kept that the table does not name: they name people and places, or tell all."""

UNCLEAN = frozenset({"AE", "PN", "UI", "UR", *ARRAYS})
"""Of these no part can be kept: a network title, a name, a stamp of time in bytes."""

NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"})
KNOWN_ARRAYS = (
    "PixelData", "LookupTableData", "LUTData", "WaveformData", "ICCProfile", "PointIndexList",
    "CIELabValueList", "VectorGridData", "PaddingValue", "MinimumValue", "MaximumValue",
    "SpectroscopyData", "PointCoordinatesData", "SurfacePointsData", "OverlayData", "CurveData",
)  # fmt: skip
"""Endings of the names of arrays whose bytes are numbers."""

REGISTERED = ("1.2.840.10008.", "2.16.840.1.113883.6.")
"""UIDs below these name classes and vocabularies, not somebody's files."""

PUBLIC = frozenset(
    ("ACR", "BI", "DCM", "FMA", "I10", "I10P", "I9", "I9C", "ISO3166_1", "ISO639_1", "ISO639_2",
     "LN", "MDC", "NCIt", "RADLEX", "RFC3066", "RFC5646", "SCT", "SNM3", "SRT", "UCUM", "UMLS")
)  # fmt: skip
"""Vocabularies whose words are everybody's. A clinic's own codes may mean anything."""

DRAWN_OR_TOLD = {0x0040A730: "report", 0x00700001: "graphics kept"}
"""Sequences that the options keep, cleaned, and that a person must look at."""

BY_DATES: dict[str, Action] = {"shift": "C", "keep": "K", "remove": "X"}
"""What becomes of dates that the table does not name."""

DRAWN, ZONE = (0x50, 0x60), 0x00080201
"""Groups of curves and overlays; the zone of the times."""

STRUCTURAL = frozenset({0x00080005, 0x00080016, 0x00080060, 0x00280004})
"""Character set, class, modality and colour space: without them the rest cannot be read."""


class Cleaner:
    """Cleans the data sets of one file.

    Args:
        key: Where new UIDs come from.
        options: What stays and what is cleaned.
        days: By how many the dates move.
        identity: The words that must not be left.
    """

    def __init__(self, key: Key, options: Options, days: int, identity: Identity) -> None:
        self._key, self._options, self._days, self._identity = key, options, days, identity
        self.changed: Counter[str] = Counter()
        self._found: dict[str, Counter[str]] = defaultdict(Counter)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was met that a person must look at; values are never told."""
        return tuple(
            Remark(kind, ", ".join(f"{name} ({n})" if n > 1 else name for name, n in names.items()))
            for kind, names in self._found.items()
        )

    def clean(self, dataset: "Dataset") -> None:
        """Clean a data set in place."""
        for element in list(dataset):
            if element.tag.is_private:
                self._private(dataset, element)
            elif element.tag.group < 0x0008 or element.tag.element == 0:
                del dataset[element.tag]
            else:
                self._act(dataset, element, self._choose(element))

    def _private(self, dataset: "Dataset", element: "DataElement") -> None:
        """Keep what the standard lists as safe, if that is wanted."""
        if "private" not in self._options.retain or not is_safe(dataset, element):
            del dataset[element.tag]
            self.changed["removed"] += 1
        elif not element.tag.is_private_creator:
            self._found["private kept"][str(element.tag)] += 1
            self._search(dataset, element)

    def _choose(self, element: "DataElement") -> Action:
        """Choose what to do by the table, or else by the kind of value."""
        options, vr = self._options, element.VR
        rule = find_rule(element.tag)
        if rule is not None:
            return rule.action(options.columns, vr == "SQ")
        if not element.keyword:
            self._found["unknown removed"][str(element.tag)] += 1
            return "X"
        if element.tag in STRUCTURAL:
            return "K"
        if vr in DATES:
            return BY_DATES[options.dates]
        if vr == "UI":
            return "K" if "uids" in options.retain else "U"
        return "X" if _is_lost(element) else "K"

    def _act(self, dataset: "Dataset", element: "DataElement", action: Action) -> None:
        tag = element.tag
        if action == "D" and element.VR == "UI":
            action = "U"  # A new UID is a dummy too, and differs where they differed.
        if action == "X":
            del dataset[tag]
            self.changed["removed"] += 1
        elif action == "Z":
            element.value = [] if element.VR == "SQ" else None
            self.changed["emptied"] += 1
        elif action == "D":
            element.value = dummy_value(element.VR)
            self.changed["replaced"] += 1
        elif element.VR == "SQ":
            for item in element.value:
                self.clean(item)
            if action == "C" and tag in DRAWN_OR_TOLD:
                self._found[DRAWN_OR_TOLD[tag]][element.keyword] += 1
        elif action == "U":
            self._replace_uids(element)
        else:
            self._keep(dataset, element, cleaned=action == "C")

    def _replace_uids(self, element: "DataElement") -> None:
        if element.VR != "UI":
            element.value = dummy_value(element.VR)
        elif element.VM > 1:
            element.value = [self._new_uid(uid) for uid in element.value]
        elif element.value:
            element.value = self._new_uid(element.value)

    def _new_uid(self, uid: str) -> str:
        if uid.startswith(REGISTERED) and is_uid(uid):
            return uid
        self.changed["replaced"] += 1
        return self._key.uid(uid)

    def _keep(self, dataset: "Dataset", element: "DataElement", cleaned: bool) -> None:
        vr = element.VR
        if not is_formed(element):
            self._drop_misformed(dataset, element)
            return
        if element.keyword == "CodeMeaning" and not _is_public(dataset):
            element.value = clean_words(str(element.value or ""))
        if cleaned and (vr in DATES or element.tag == ZONE):
            self._shift(element)
        elif cleaned and vr in WORDS:
            self._clean_text(element)
        elif cleaned and vr in ARRAYS and element.tag.group >> 8 in DRAWN:
            self._found["graphics kept"][element.keyword] += 1
        elif cleaned and vr in UNCLEAN:
            element.value = None
            self.changed["emptied"] += 1
        if element.keyword in ("PatientAge", "SelectorASValue"):
            element.value = cap_age(str(element.value or "")) or None
        if element.tag not in STRUCTURAL:
            self._search(dataset, element)

    def _drop_misformed(self, dataset: "Dataset", element: "DataElement") -> None:
        """Empty a date in no form of dates, and remove what else has no form of its kind."""
        if element.VR in DATES:
            self._found["date removed"][element.keyword] += 1
            element.value = None
            return
        self._found["misformed removed"][element.keyword] += 1
        self.changed["removed"] += 1
        del dataset[element.tag]

    def _shift(self, element: "DataElement") -> None:
        if element.VR in ("TM", "SH") or not element.value:  # Times and their zone stay.
            return
        move = shift_date if element.VR == "DA" else shift_moment
        many = element.value if element.VM > 1 else [element.value]
        moved = [move(str(text), self._days) for text in many]
        if None in moved:
            self._found["date removed"][element.keyword] += 1
            element.value = None
        else:
            element.value = moved if element.VM > 1 else moved[0]
            self.changed["shifted"] += 1

    def _clean_text(self, element: "DataElement") -> None:
        many = element.value if element.VM > 1 else [element.value or ""]
        kept = [clean_words(str(text)) for text in many]
        element.value = kept if element.VM > 1 else kept[0] or None
        self.changed["cleaned"] += 1
        if any(kept):
            self._found["free text"][element.keyword] += 1

    def _search(self, dataset: "Dataset", element: "DataElement") -> None:
        """Remove what was to be kept, if the patient's words stand in it; a UID is replaced."""
        value = element.value
        if value is None or element.VR in NUMBERS | DATES:
            return
        if isinstance(value, bytes):
            pixels = element.keyword.endswith("PixelData")
            found = not pixels and self._identity.stands_in_bytes(value)
        else:
            many = value if element.VM > 1 else [value]
            found = any(self._identity.stands_in(str(text)) for text in many)
        if found:
            self._found["identity found"][element.keyword or str(element.tag)] += 1
            if element.VR == "UI":
                self._replace_uids(element)
                return
            self.changed["removed"] += 1
            del dataset[element.tag]


def _is_public(code: "Dataset") -> bool:
    """Tell whether a code is of a public vocabulary."""
    return str(code.get("CodingSchemeDesignator") or "").strip() in PUBLIC


def _is_lost(element: "DataElement") -> bool:
    """Tell by its kinds, stated and registered, that an element outside the table must go."""
    from pydicom.datadict import dictionary_VR

    vr, registered = element.VR, set(dictionary_VR(element.tag).split(" or "))
    if vr in ARRAYS:
        return vr == "UN" or not element.keyword.endswith(KNOWN_ARRAYS)
    strange = vr in WORDS and not registered & WORDS
    return strange or bool(LOST & {vr, *registered})
