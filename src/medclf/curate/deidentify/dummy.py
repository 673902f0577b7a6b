"""Values that mean nothing, yet are valid: what stands where an element must not be empty.

Source: DICOM PS3.5, table 6.2-1 (value representations); 45 CFR 164.514(b)(2)(i)(C) (ages over 89).
"""

import re
from typing import Any

REMOVED = "REMOVED"
OLDEST_YEARS = 89

_VALUES: dict[str, Any] = {
    "AE": REMOVED,
    "AS": "000Y",
    "CS": REMOVED,
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "LO": REMOVED,
    "LT": REMOVED,
    "PN": REMOVED,
    "SH": REMOVED,
    "ST": REMOVED,
    "TM": "000000",
    "UC": REMOVED,
    "UI": "2.25.0",
    "UR": "urn:removed",
    "UT": REMOVED,
    "AT": 0,
    "FD": 0.0,
    "FL": 0.0,
}
_AGE = re.compile(r"(\d{3})([DWMY])")


def dummy_value(vr: str) -> Any:
    r"""Make a value of a kind: a word, the year 1900, 0, zero bytes, or a sequence of one item.

    Example:
        >>> dummy_value("LO"), dummy_value("US"), dummy_value("OB")
        ('REMOVED', 0, b'\x00\x00')
    """
    from pydicom import Dataset

    if vr == "SQ":
        return [Dataset()]
    if vr.startswith("O") or vr == "UN":
        return bytes(8 if vr in ("OD", "OV") else 4 if vr in ("OF", "OL") else 2)
    return _VALUES.get(vr, 0)


def cap_age(text: str) -> str:
    """Write 090Y for every age over 89 years; "" for what is no age.

    Example:
        >>> cap_age("097Y"), cap_age("089Y"), cap_age("97 years")
        ('090Y', '089Y', '')
    """
    found = _AGE.fullmatch(text.strip(" \0"))
    if found is None:
        return ""
    old = found[2] == "Y" and int(found[1]) > OLDEST_YEARS
    return f"{OLDEST_YEARS + 1:03}Y" if old else found[0]
