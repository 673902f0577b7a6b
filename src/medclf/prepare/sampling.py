"""How far apart the samples of a prepared image lie, measured in samples of the file's image.

The step along an axis is all that geometry needs: both images share their middle. Steps follow
from the size alone (stretch), from the longest side (letterbox), or from millimetres.
"""

from typing import Literal

from medclf.errors import ReadError

SHIFT = 0.01
"""Samples by which an image's ends may move before a step near 1 counts as other than 1: files
keep their spacing as float32 or as text, and interpolating for a rounding error would blur."""


def measure_steps(
    space: tuple[int, ...],
    found_mm: tuple[float, ...] | None,
    size: tuple[int, ...],
    wanted_mm: tuple[float, ...],
    fit: Literal["stretch", "letterbox"],
    where: str,
) -> tuple[float, ...]:
    """Measure the step along each axis.

    Args:
        space: Samples of the image, z first.
        found_mm: Their distance, `None` where the file does not say.
        size: Samples that are wanted.
        wanted_mm: Their distance; empty where only the size matters.
        fit: Without millimetres: "stretch" fills the size, "letterbox" keeps the true
            proportions (those of the pixels where the file states no distance).
        where: Names the file in messages.

    Raises:
        ReadError: millimetres are wanted and the file does not state its spacing.

    Example:
        >>> measure_steps((100, 50), None, (50, 50), (), "letterbox", "a.png")
        (2.0, 2.0)
    """
    if found_mm is not None and len(found_mm) != len(space):
        raise ReadError(f"{where}: {len(space)} spacings wanted, found {found_mm} mm")
    if wanted_mm:
        if found_mm is None:
            raise ReadError(
                f"{where}: spacing wanted, to resample to {wanted_mm} mm, found none in the file"
            )
        steps = [want / have for want, have in zip(wanted_mm, found_mm, strict=True)]
    elif fit == "letterbox":
        known = found_mm or (1.0,) * len(space)
        sides = zip(space, known, size, strict=True)
        longest = max(n * mm / out for n, mm, out in sides)
        steps = [longest / mm for mm in known]
    else:
        steps = [n / out for n, out in zip(space, size, strict=True)]
    return tuple(
        1.0 if abs(step - 1) * n < SHIFT else step for step, n in zip(steps, space, strict=True)
    )
