"""The window or the table by which a DICOM file wants to be shown, as a `Display`.

A file may name several views of itself; the first is taken, as viewers do. A table goes before a
window. Frames may have windows of their own.

Source: DICOM PS3.3, C.11.2 (VOI LUT), C.7.6.16.2.10 (frame VOI LUT).
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from medclf.core.display import CURVES, Display
from medclf.errors import SettingError
from medclf.read.dicom.grid import functional_group
from medclf.read.dicom.table import read_table

if TYPE_CHECKING:
    from pydicom import Dataset

_FRAME = "FrameVOILUTSequence"


def read_display(
    dataset: "Dataset", frames: int, signed: bool, mirror: float | None
) -> Display | None:
    """Read the first view.

    Args:
        dataset: The parsed file of a grey image.
        frames: How many it holds.
        signed: Whether values may be negative.
        mirror: As in `Display`.

    Returns:
        `None` where the file states no view, or one that is none: a window without width, or of
        a function that the standard does not know.
    """
    items = [functional_group(dataset, _FRAME, frame) for frame in range(frames)]
    try:
        tables = dataset.get("VOILUTSequence") or items[0].get("VOILUTSequence")
        if tables:
            table = read_table(tables[0], signed)
            shades = (table.entries / np.float32((1 << table.bits) - 1)).astype(np.float32)
            return Display(table=shades, first=float(table.first), mirror=mirror)
        windows = [_window(item) for item in items]
        curve = str(items[0].get("VOILUTFunction") or "LINEAR").strip().upper()
        known = next((name for name in CURVES if name == curve), None)
        if known is None or None in windows:
            return None
        pairs = [window for window in windows if window is not None]
        pairs = pairs[:1] if len(set(pairs)) == 1 else pairs
        centres, widths = (tuple(part) for part in zip(*pairs, strict=True))
        return Display(known, centres, widths, mirror=mirror)
    except (SettingError, ValueError, TypeError, AttributeError, KeyError):
        return None


def _window(item: "Dataset") -> tuple[float, float] | None:
    centre, width = _first(item.get("WindowCenter")), _first(item.get("WindowWidth"))
    return None if centre is None or width is None else (centre, width)


def _first(value: Any) -> float | None:
    """Take the first of one or several numbers."""
    if value is None or value == "":
        return None
    if not isinstance(value, str | int | float):
        value = value[0] if len(value) else None
    return None if value is None else float(value)
