"""Private elements that the standard knows to be safe: b-values, gradient directions, SUV factors.

`safe_private.csv` names them by who wrote them, group and element. All others are removed.

Source: DICOM PS3.15, E.3.10 and table E.3.10-1.
"""

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.tag import BaseTag


@cache
def load_safe() -> dict[tuple[str, int], frozenset[int]]:
    """Read the safe elements: low bytes by creator and group."""
    text = (files("medclf.curate.deidentify") / "safe_private.csv").read_text("utf-8")
    return {
        (row["creator"], int(row["group"], 16)): frozenset(
            int(element, 16) for element in row["elements"].split()
        )
        for row in csv.DictReader(text.splitlines())
    }


def is_safe(dataset: "Dataset", tag: "BaseTag", is_creator: bool) -> bool:
    """Tell whether a private element is listed, or a creator has any that is.

    Args:
        dataset: Which holds it.
        tag: Of the element.
        is_creator: Whether it is the element that names the creator of a block.
    """
    creator = dataset.get((tag.group, tag.element if is_creator else tag.element >> 8))
    if creator is None:
        return False
    listed = load_safe().get((str(creator.value).strip(" \0"), tag.group))
    return listed is not None and (is_creator or tag.element & 0xFF in listed)
