"""The frames of one enhanced file in the order of their places, moments and marks.

Frames lie in a file in any order. Where they state their own places and do not lie evenly above
one another as they come, they are arranged as the files of a series are. Echoes, b-values and
other pictures of the same places follow each other as phases, since they lie in one file.

Source: DICOM PS3.3, C.7.6.16 (multi-frame functional groups) and C.7.6.17 (dimensions).
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.core.remark import Remark
from medclf.errors import ReadError
from medclf.read.dicom.arrange import Arrangement, Identical, arrange, finish
from medclf.read.dicom.header import Header, describe
from medclf.read.dicom.part import TURNED, Group, part, tell_groups
from medclf.read.dicom.stack import SAME_MM, Stack, normal_of

if TYPE_CHECKING:
    from pydicom import Dataset

SQUARE = 1e-4
"""Directions of a rectangular grid agree with the normal to this, in each cosine."""


def arrange_frames(image: Image, dataset: "Dataset", where: str) -> Image:
    """Bring the frames of an image into order.

    Args:
        image: Values (C, F, Y, X) as the file holds them, or (C, Y, X) of a single one.
        dataset: The parsed file.
        where: Names it in messages.

    Returns:
        The same image where its frames lie evenly, or state no places of their own; else values
        (C, Z, Y, X) from below along the normal, or (T, C, Z, Y, X) in phases.

    Raises:
        ReadError: frames are missing, or cannot be told apart, or are several images.
    """
    several = image.values.ndim == 4 and "PerFrameFunctionalGroupsSequence" in dataset
    if not several or _rectangular(image):
        return image
    sources = [Source(Path(where), index=frame) for frame in range(image.values.shape[1])]
    headers = [describe(dataset, source, frame) for frame, source in enumerate(sources)]
    if not all(header.placed for header in headers):
        return image
    values = image.values

    def identical(one: int, other: int) -> bool:
        return bool(np.array_equal(values[:, one], values[:, other]))

    groups = part(headers)
    found = [_arranged(headers, group, identical, where) for group in groups]
    whole = found[0] if len(found) == 1 else _joined(found, groups, where)
    ordered = np.moveaxis(values[:, whole.order], 1, 0)
    return finish(ordered, image, whole)


def _rectangular(image: Image) -> bool:
    """Tell whether the frames lie evenly along their normal as they come."""
    axes = image.grid.axes
    if axes is None or len(axes) != 3 or image.grid.spacing_mm is None:
        return False
    return bool(np.abs(np.abs(axes[0]) - np.abs(normal_of(axes[1:]))).max() <= SQUARE)


def _arranged(
    headers: Sequence[Header], group: Group, identical: Identical, where: str
) -> Arrangement:
    """Arrange one group, in the numbers of all frames."""
    members = np.array(group.members)

    def same(one: int, other: int) -> bool:
        return identical(int(members[one]), int(members[other]))

    found = arrange([headers[i] for i in members], same, where)
    return replace(found, order=members[found.order])


def _joined(found: Sequence[Arrangement], groups: Sequence[Group], where: str) -> Arrangement:
    """Make phases of groups that show the same places."""
    first = found[0]
    if any(not _same_places(first.stack, other.stack) for other in found[1:]):
        raise ReadError(f"{where}: frames of one image wanted, found {tell_groups(groups)}")
    phases = [
        ", ".join(filter(None, (group.name, phase)))
        for group, one in zip(groups, found, strict=True)
        for phase in one.phases or ("",)
    ]
    told = f"the file holds {len(groups)} images of the same places, taken as phases"
    remarks = dict.fromkeys([Remark("pictures", told), *(r for one in found for r in one.remarks)])
    order = np.concatenate([one.order for one in found])
    return Arrangement(order, tuple(phases), first.stack, tuple(remarks))


def _same_places(one: Stack, other: Stack) -> bool:
    if len(one.heights_mm) != len(other.heights_mm):
        return False
    heights = np.abs(one.heights_mm - other.heights_mm).max()
    origins = np.abs(np.asarray(one.grid.origin_mm) - np.asarray(other.grid.origin_mm)).max()
    turns = np.abs(np.asarray(one.grid.axes) - np.asarray(other.grid.axes)).max()
    return bool(heights <= SAME_MM and origins <= SAME_MM and turns <= TURNED)
