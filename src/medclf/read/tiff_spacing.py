"""Spacing that a TIFF states as a length: by ImageJ, or by OME's description.

Plain TIFF has dots per inch too, which programs fill in without thought: those are not
millimetres in a patient, and are not looked at.

Source: ImageJ, TiffEncoder and FileInfo (unit, spacing, XResolution); OME-XML 2016-06, Pixels.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tifffile import TiffFile

MM = {
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1.0),
    **dict.fromkeys(("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometer"), 0.001),
    **dict.fromkeys(("nm", "nanometer"), 1e-6),
    **dict.fromkeys(("cm", "centimeter"), 10.0),
    **dict.fromkeys(("m", "meter"), 1000.0),
    **dict.fromkeys(("inch", "in"), 25.4),
}
"""Millimetres by the names of lengths, in small letters."""

UNKNOWN = float("nan")

_X_RESOLUTION, _Y_RESOLUTION = 282, 283
_PIXELS = re.compile(r"<(?:\w+:)?Pixels\s[^>]*>")


def read_spacing(file: "TiffFile") -> tuple[float, float, float]:
    """Read the spacing along x, y and z in mm, NaN where it is not stated."""
    if file.is_ome and file.ome_metadata:
        return _ome(file.ome_metadata)
    if file.is_imagej and file.imagej_metadata:
        return _imagej(file, file.imagej_metadata)
    return (UNKNOWN, UNKNOWN, UNKNOWN)


def _ome(text: str) -> tuple[float, float, float]:
    found = _PIXELS.search(text)
    pixels = found[0] if found else ""

    def one(axis: str) -> float:
        size = re.search(rf'\sPhysicalSize{axis}="([^"]*)"', pixels)
        unit = re.search(rf'\sPhysicalSize{axis}Unit="([^"]*)"', pixels)
        return _length(size[1] if size else "", unit[1] if unit else "µm")

    return one("X"), one("Y"), one("Z")


def _imagej(file: "TiffFile", facts: dict[str, object]) -> tuple[float, float, float]:
    unit = str(facts.get("unit", ""))

    def across(tag: int) -> float:
        value = file.pages.first.tags.valueof(tag)
        if not isinstance(value, tuple) or len(value) != 2 or not value[0]:
            return UNKNOWN
        return _length(str(value[1] / value[0]), unit)

    return (
        across(_X_RESOLUTION),
        across(_Y_RESOLUTION),
        _length(str(facts.get("spacing", "")), unit),
    )


def _length(number: str, unit: str) -> float:
    """Turn a length to mm, or NaN where it is none.

    Example:
        >>> _length("0.5", "µm"), _length("3", "pixel")
        (0.0005, nan)
    """
    try:
        return float(number) * MM.get(unit.strip().lower(), UNKNOWN)
    except ValueError:
        return UNKNOWN
