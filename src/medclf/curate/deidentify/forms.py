"""What a value of each kind may look like: one that does not cannot be kept.

A forged length makes one value swallow all that follows, names and all; a clerk types a name where
a time belongs. The limits are generous where scanners are careless, in lengths, and strict where a
kind leaves no room for words.

Source: DICOM PS3.5, table 6.2-1.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import DataElement

_CONTROL = r"\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f"
_LINE, _PAGE = rf"[^{_CONTROL}]{{0,256}}", rf"[^{_CONTROL}]{{0,40960}}"
_FORMS = {
    "AS": r"(\d{3}[DWMY])?",
    "CS": rf"[^{_CONTROL}]{{0,64}}",
    "DA": r"(\d{4}[.:/-]?\d{2}[.:/-]?\d{2})?",
    "DT": r"(\d{4,14}(\.\d{0,6})?([+-]\d{4})?)?",
    "LO": _LINE,
    "LT": _PAGE,
    "SH": _LINE,
    "ST": _PAGE,
    "TM": r"([\d:]{2,8}(\.\d{0,6})?)?",
    "UI": r"[\d.]{0,64}",
}
_PATTERNS = {vr: re.compile(form, re.ASCII) for vr, form in _FORMS.items()}


def is_formed(element: "DataElement") -> bool:
    """Tell whether every value of an element has a form of its kind; kinds of bytes always do."""
    pattern = _PATTERNS.get(element.VR)
    if pattern is None or element.value is None:
        return True
    many = element.value if element.VM > 1 else [element.value]
    return all(pattern.fullmatch(str(text).strip(" \0")) for text in many)


def is_uid(text: str) -> bool:
    """Tell whether a text is a UID.

    Example:
        >>> is_uid("1.2.840.10008.1.1"), is_uid("1.2.840.10008.1.1 DA 20190514")
        (True, False)
    """
    return bool(text) and _PATTERNS["UI"].fullmatch(text) is not None
