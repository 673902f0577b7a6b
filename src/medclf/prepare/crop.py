"""A part of an image, cut out along its axes: around a mask, around a point, or any box.

A box may reach beyond the image; what lies outside is filled with the image's least value, which
is air, or the black around a picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.errors import SettingError
from medclf.prepare.placement import Placement, moved


@dataclass(frozen=True)
class Box:
    """A box along the axes of an image.

    Args:
        start: Its first sample along each axis; may lie before the image.
        stop: The first sample behind it; may lie beyond the image.

    Raises:
        SettingError: the box is empty.
    """

    start: tuple[int, ...]
    stop: tuple[int, ...]

    def __post_init__(self) -> None:
        if any(first >= end for first, end in zip(self.start, self.stop, strict=True)):
            raise SettingError(f"a box wanted, found none from {self.start} to {self.stop}")


def crop(image: Image, box: Box) -> tuple[Image, Placement]:
    """Cut a box out of an image.

    Args:
        image: Still.
        box: With as many axes as the image's space.

    Returns:
        What lies in the box, and its place in the image. Values share memory with the image where
        the box lies inside it.
    """
    inside = [slice(max(0, first), max(0, end)) for first, end in _edges(box)]
    values = image.values[(slice(None), *inside)]
    lack = [
        (max(0, min(-first, end - first)), max(0, min(end - n, end - first)))
        for (first, end), n in zip(_edges(box), image.space, strict=True)
    ]
    if any(map(any, lack)):
        fill = image.values.min()
        values = np.pad(values, [(0, 0), *lack], constant_values=fill)
    placement = moved(box.start)
    return replace(image, values=values, grid=placement.grid(image.grid)), placement


def box_of_mask(mask: NDArray[np.bool_], margin: Sequence[int] = ()) -> Box:
    """Take the smallest box around a mask.

    Args:
        mask: (*space), true where something is.
        margin: Samples by which the box is wider on each side, for each axis.

    Raises:
        SettingError: the mask is empty.
    """
    axes = range(mask.ndim)
    shown = [np.flatnonzero(mask.any(tuple(a for a in axes if a != axis))) for axis in axes]
    if not shown[0].size:
        raise SettingError(f"a mask of something wanted, found an empty one of {mask.shape}")
    wider = margin or (0,) * mask.ndim
    return Box(
        tuple(int(where[0]) - more for where, more in zip(shown, wider, strict=True)),
        tuple(int(where[-1]) + 1 + more for where, more in zip(shown, wider, strict=True)),
    )


def box_at(image: Image, middle: Sequence[float], samples: Sequence[float]) -> Box:
    """Take the box of so many samples whose middle lies nearest to a place.

    Args:
        image: In which the place must lie.
        middle: In samples of the image.
        samples: Along each axis, rounded to whole ones.

    Raises:
        SettingError: the place is not in the image.
    """
    inside = zip(middle, image.space, strict=True)
    if not all(-0.5 <= at <= n - 0.5 for at, n in inside):
        told = ", ".join(f"{at:.1f}" for at in middle)
        raise SettingError(f"a point in the image wanted, found sample {told} of {image.space}")
    whole = [max(1, round(n)) for n in samples]
    start = [round(float(at) - (n - 1) / 2) for at, n in zip(middle, whole, strict=True)]
    return Box(tuple(start), tuple(at + n for at, n in zip(start, whole, strict=True)))


def _edges(box: Box) -> list[tuple[int, int]]:
    return list(zip(box.start, box.stop, strict=True))
