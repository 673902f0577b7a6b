"""The values of an image brought to one scale, as the settings say, before anything is mixed.

Values beyond the limits are clipped first, so that metal does not outshine its surroundings.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.prepare.channels import fit_channels
from medclf.prepare.landmarks import landmarks_of, move_values
from medclf.prepare.normalise import (
    full_limits,
    percentile_limits,
    range_limits,
    window_limits,
    zscore_limits,
)
from medclf.prepare.settings import Prepare

HUGE = 1e38
"""A span of values that float32 cannot hold."""

CLIPPED = ("percentile", "zscore", "window")


def scale_values(
    image: Image, settings: Prepare, where: str, site: str = ""
) -> tuple[NDArray[Any], float]:
    """Bring an image to the channels and the scale that are wanted.

    Args:
        image: Still.
        settings: What is wanted.
        where: Names the file in messages.
        site: Hospital or scanner, where the settings go by it.

    Returns:
        Values (C, *space) from 0, and the value that stands for 1. Grey stays one channel also
        where three are wanted. Whole numbers that need no change are given back as they are.

    Raises:
        ReadError: other channels, colour where grey is wanted, values that do not fit
            `intensity`, or an unknown site.
    """
    several = settings.intensity == "window" and len(settings.windows) > 1
    wanted = 1 if several else settings.channels
    if settings.intensity == "landmarks":
        found = landmarks_of(image.values, settings, site, where)
        values = fit_channels(image.values, image.bits, wanted, where)
        return move_values(values, found, settings.landmarks), 1.0
    limits = _limits(image, settings, where)
    values = fit_channels(image.values, image.bits, wanted, where)
    if several:
        return np.concatenate([_to_unit(values, *pair) for pair in limits]), 1.0
    ((low, high),) = limits
    if low != 0 or settings.intensity in CLIPPED or values.dtype.kind == "f":
        return _to_unit(values, low, high), 1.0
    return values, high


def store_as(values: NDArray[Any], top: float, dtype: str) -> NDArray[Any]:
    """Turn 0 … top into 0 … 255 or 0 … 1."""
    if dtype == "float16":
        return (values * np.float32(1 / max(top, 1))).astype(np.float16)
    if values.dtype == np.uint8 and top == 255:
        return values
    if top != 255:
        values = values * np.float32(255 / max(top, 1))
    return np.asarray(np.rint(values), np.uint8)


def _limits(image: Image, settings: Prepare, where: str) -> list[tuple[float, float]]:
    if settings.intensity == "full":
        return [full_limits(image.values, image.bits, where)]
    if settings.intensity == "window":
        return [window_limits(image, window, where) for window in settings.windows]
    if settings.intensity == "voi":
        return [(0.0, 1.0)]
    if settings.intensity == "percentile":
        return [percentile_limits(image.values, settings.percentiles)]
    if settings.intensity == "zscore":
        return [zscore_limits(image.values)]
    return [range_limits(image.values)]


def _to_unit(values: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    """Clip values to the limits and bring these to 0 and 1; an image of one value is 0."""
    if high <= low:
        return np.zeros(values.shape, np.float32)
    wide = np.result_type(values.dtype, np.float32 if high - low < HUGE else np.float64)
    unit = np.clip(values.astype(wide), low, high)
    unit -= low
    unit /= high - low
    return np.asarray(unit, np.float32)
