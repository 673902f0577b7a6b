"""What is marked in an exam, by a point or by a mask, cut out of its image."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.record import Point, Source
from medclf.errors import ReadError, SettingError
from medclf.prepare.crop import box_at, box_of_mask, crop
from medclf.prepare.placement import Placement
from medclf.prepare.settings import Prepare


@dataclass(frozen=True, eq=False)
class Mark:
    """What is marked in an image.

    Args:
        point: Where what is judged lies.
        mask: An image of the same samples, above 0 where it lies.
    """

    point: Point | None = None
    mask: Image | None = None


UNMARKED = Mark()


def read_marked(
    source: Source, settings: Prepare, read: Callable[[Source], Image]
) -> tuple[Image, Mark]:
    """Read an image, and what of it is marked where the settings cut that out."""
    mask = source.mask if settings.crop == "mask" else None
    return read(source), Mark(source.point, None if mask is None else read(mask))


MARGIN = 0.1
"""Share of its edges by which a box around a mask is wider on each side."""


def cut_marked(
    image: Image, placement: Placement, point: Point | None, settings: Prepare, where: str
) -> tuple[Image, Placement]:
    """Cut out what lies around a point.

    Args:
        image: Still.
        placement: Its place in the image as it was read, in whose samples a point may be told.
        point: What is marked.
        settings: Tell how much is cut out: `size` samples at a distance of `spacing_mm`, or those
            of the file where that is empty.
        where: Names the file in messages.

    Returns:
        The part, and its place in the image.

    Raises:
        ReadError: no point is marked, it does not lie in the image, or the file does not tell
            where its samples lie, which a point in mm needs.
    """
    middle = find_point(image, placement, point, where)
    try:
        return crop(image, box_at(image, middle.tolist(), _reach(image, settings)))
    except SettingError as problem:
        raise ReadError(f"{where}: {problem}") from problem


def find_point(
    image: Image, placement: Placement, point: Point | None, where: str
) -> NDArray[np.float64]:
    """Tell which sample of an image a marked point is, in fractions: (axes,).

    Args:
        image: Still.
        placement: Its place in the image as it was read, in whose samples a point may be told.
        point: What is marked.
        where: Names the file in messages.

    Raises:
        ReadError: no point is marked, it has another number of axes, or the file does not tell
            where its samples lie, which a point in mm needs.
    """
    if point is None:
        raise ReadError(f"{where}: a marked point wanted, found none")
    at = np.array(point.at, np.float64)
    wanted = 3 if point.unit == "mm" else len(image.space)
    if len(at) != wanted:
        raise ReadError(f"{where}: a point of {wanted} numbers wanted, found {point}")
    try:
        return image.grid.from_mm(at) if point.unit == "mm" else placement.to_array(at)
    except SettingError as problem:
        raise ReadError(f"{where}: {problem}") from problem


def cut_masked(
    image: Image, placement: Placement, mask: Image | None, where: str
) -> tuple[Image, Placement]:
    """Cut out the box around a mask, a tenth wider on each side.

    Args:
        image: Still.
        placement: Its place in the image as it was read, whose samples the mask shares.
        mask: Above 0 where what is judged lies.
        where: Names the file in messages.

    Returns:
        The part, and its place in the image.

    Raises:
        ReadError: there is no mask, it is empty, or it has other samples than the image.
    """
    if mask is None:
        raise ReadError(f'{where}: a mask wanted by prepare.crop "mask", found none')
    shown = mask.still().values[0] > 0
    shape = tuple(shown.shape[axis] for axis in placement.order)
    if shape != image.space:
        raise ReadError(f"{where}: a mask of {image.space} samples wanted, found {shape}")
    turned = shown.transpose(placement.order)
    shown = np.flip(turned, tuple(axis for axis, step in enumerate(placement.step) if step < 0))
    try:
        box = box_of_mask(shown)
    except SettingError as problem:
        raise ReadError(f"{where}: {problem}") from problem
    edges = zip(box.start, box.stop, strict=True)
    wider = [round(MARGIN * (stop - start)) for start, stop in edges]
    return crop(image, box_of_mask(shown, wider))


def _reach(image: Image, settings: Prepare) -> list[float]:
    """Tell how many samples of an image are cut out along each axis."""
    if not settings.spacing_mm:
        return [float(n) for n in settings.size]
    found = image.grid.spacing_mm
    if found is None:
        raise SettingError(f"spacing wanted, to cut {settings.spacing_mm} mm, found none")
    wanted = zip(settings.size, settings.spacing_mm, found, strict=True)
    return [n * mm / have for n, mm, have in wanted]
