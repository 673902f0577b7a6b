"""Which values become 0 and 1, by what the values of a modality mean.

A photograph's bits have a range, CT has a scale in Hounsfield units, and the values of MR have a
meaning only within one image: there the limits are percentiles of its foreground, or lie some
standard deviations from its mean. The foreground is what lies above a tenth of the way from the
least value to the 98th percentile, which leaves out air, however much of it is in view, and
hardly any tissue where there is none.

Source: Smith. Fast robust automated brain extraction. Human Brain Mapping 17, 2002, section
"Estimation of basic image and brain parameters" (the tenth; there from the 2nd percentile on).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.errors import ReadError

WIDEST = 16
"""Bits of a stored sample above which a "full range" means nothing."""

AIR = 0.1

DEVIATIONS = 3.0
"""Standard deviations from the mean that become 0 and 1."""


def full_limits(values: NDArray[Any], bits: int, where: str) -> tuple[float, float]:
    """Take the least and largest number that the stored bits can hold.

    Raises:
        ReadError: values are no whole numbers of at most 16 bits, or exceed the bits stated.
    """
    if values.dtype.kind not in "ui" or bits > WIDEST:
        raise ReadError(
            f'{where}: intensity "full" wants whole numbers of at most {WIDEST} bits, '
            f'found {values.dtype} of {bits}: use "range" or "percentile"'
        )
    half = 2 ** (bits - 1) if values.dtype.kind == "i" else 0
    low, high = float(-half), float(2**bits - 1 - half)
    if 8 * values.dtype.itemsize > bits and (values.min() < low or values.max() > high):
        raise ReadError(
            f"{where}: values from {low:g} to {high:g} wanted ({bits} bits), "
            f"found {values.min()} to {values.max()}"
        )
    return low, high


def window_limits(image: Image, window: tuple[float, float], where: str) -> tuple[float, float]:
    """Take the window, where the values can be Hounsfield units, or are SUV.

    Raises:
        ReadError: the file states another unit; or none, and a modality other than CT or whole
            numbers without sign, which cannot reach air at -1000 HU.
    """
    unit, dtype = image.unit, image.values.dtype
    if unit in ("HU", "SUV"):
        return window
    if unit or image.modality not in ("", "CT") or dtype.kind == "u":
        found = unit or " ".join(filter(None, (image.modality, f"{dtype} without a unit")))
        raise ReadError(f'{where}: intensity "window" wants Hounsfield units, found {found}')
    return window


def percentile_limits(
    values: NDArray[Any], percentiles: tuple[float, float]
) -> tuple[float, float]:
    """Take percentiles of the foreground; the least value instead of the lower one where both
    are one, as in a mask.

    Example:
        >>> percentile_limits(np.array([0.0] * 90 + [50.0] * 5 + [60.0] * 5), (0.0, 100.0))
        (50.0, 60.0)
    """
    front = foreground(values)
    low, high = (float(limit) for limit in np.percentile(front, percentiles))
    return (low, high) if low < high else (float(values.min()), high)


def zscore_limits(values: NDArray[Any]) -> tuple[float, float]:
    """Take the mean of the foreground less and plus `DEVIATIONS` of its standard deviations.

    Example:
        >>> zscore_limits(np.array([0.0, 0.0, 0.0, 90.0, 110.0]))
        (70.0, 130.0)
    """
    front = foreground(values)
    mean, deviation = float(front.mean(dtype=np.float64)), float(front.std(dtype=np.float64))
    return mean - DEVIATIONS * deviation, mean + DEVIATIONS * deviation


def foreground(values: NDArray[Any]) -> NDArray[Any]:
    """Take the values that are no air, in one row; all of them where none stands out."""
    dark, bright = float(values.min()), float(np.percentile(values, 98))
    front = values[values > dark + AIR * (bright - dark)]
    return front if front.size else values.reshape(-1)


def range_limits(values: NDArray[Any]) -> tuple[float, float]:
    """Take the least and the largest value."""
    return float(values.min()), float(values.max())
