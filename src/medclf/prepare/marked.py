"""What lies around the marked point of an exam, cut out of its image."""

import numpy as np

from medclf.core.image import Image
from medclf.core.record import Point
from medclf.errors import ReadError, SettingError
from medclf.prepare.crop import box_at, crop
from medclf.prepare.placement import Placement
from medclf.prepare.settings import Prepare


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
    if point is None:
        raise ReadError(f'{where}: a marked point wanted by prepare.crop "point", found none')
    at = np.array(point.at, np.float64)
    wanted = 3 if point.unit == "mm" else len(image.space)
    if len(at) != wanted:
        raise ReadError(f"{where}: a point of {wanted} numbers wanted, found {point}")
    try:
        middle = image.grid.from_mm(at) if point.unit == "mm" else placement.to_array(at)
        return crop(image, box_at(image, middle.tolist(), _reach(image, settings)))
    except SettingError as problem:
        raise ReadError(f"{where}: {problem}") from problem


def _reach(image: Image, settings: Prepare) -> list[float]:
    """Tell how many samples of an image are cut out along each axis."""
    if not settings.spacing_mm:
        return [float(n) for n in settings.size]
    found = image.grid.spacing_mm
    if found is None:
        raise SettingError(f"spacing wanted, to cut {settings.spacing_mm} mm, found none")
    wanted = zip(settings.size, settings.spacing_mm, found, strict=True)
    return [n * mm / have for n, mm, have in wanted]
