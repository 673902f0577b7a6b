"""Private elements that the standard knows to be safe: b-values, gradient directions, SUV factors.

`safe_private.csv` names them by who wrote them, group, kind of value and element: all lines of the
standard's table that hold plain values, numbers or short texts. Those that hold bytes, UIDs or
sequences are left out, since they cannot be looked through. All others are removed.

Source: DICOM PS3.15 2026d, E.3.10 and table E.3.10-1.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset


@cache
def load_safe() -> Mapping[tuple[str, int], Mapping[int, str]]:
    """Read the safe elements: the kind of value by low byte, by creator and group."""
    text = (files("medclf.curate.deidentify") / "safe_private.csv").read_text("utf-8")
    safe: dict[tuple[str, int], dict[int, str]] = {}
    for row in csv.DictReader(text.splitlines()):
        elements = safe.setdefault((row["creator"], int(row["group"], 16)), {})
        elements.update({int(element, 16): row["vr"] for element in row["elements"].split()})
    return safe


def is_safe(dataset: "Dataset", element: "DataElement") -> bool:
    """Tell whether a private element is listed, with its kind of value.

    Of an element that names the creator of a block: whether any of that creator's is.

    Args:
        dataset: Which holds it.
        element: The element.
    """
    tag = element.tag
    naming = tag.is_private_creator
    creator = dataset.get((tag.group, tag.element if naming else tag.element >> 8))
    if creator is None:
        return False
    listed = load_safe().get((str(creator.value).strip(" \0"), tag.group))
    return listed is not None and (naming or listed.get(tag.element & 0xFF) == element.VR)
