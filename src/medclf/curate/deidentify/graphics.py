"""Overlays are pictures in one bit: kept only where nothing in them looks like text.

Source: DICOM PS3.3, C.9.2 (overlay plane); PS3.15, E.3.3 (Clean Graphics Option).
"""

from typing import TYPE_CHECKING

import numpy as np

from medclf.core.remark import Remark
from medclf.curate.deidentify.burnt_text import find_text

if TYPE_CHECKING:
    from pydicom import Dataset

_FIRST, _LAST = 0x6000, 0x601E
_DATA, _WHITE = 0x3000, 255


def drop_written_overlays(dataset: "Dataset") -> tuple[Remark, ...]:
    """Remove every overlay in which text is found, or which cannot be searched.

    Returns:
        A remark of those that went.
    """
    groups = sorted({e.tag.group for e in dataset if _FIRST <= e.tag.group <= _LAST})
    gone = [group for group in groups if not _is_clear(dataset, group)]
    for group in gone:
        for tag in [e.tag for e in dataset if e.tag.group == group]:
            del dataset[tag]
    names = ", ".join(f"({group:04X},{_DATA:04X})" for group in gone)
    return (Remark("masked", f"overlays {names} removed"),) if gone else ()


def _is_clear(dataset: "Dataset", group: int) -> bool:
    try:
        planes = dataset.overlay_array(group)
    except Exception:  # pydicom has no closed list of what damaged overlays raise.
        return False
    frames = planes if planes.ndim == 3 else planes[None]
    return not any(find_text(np.asarray(f * _WHITE, np.uint8)) for f in frames)
