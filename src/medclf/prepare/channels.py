"""From the channels of a file to those that are wanted, where that loses nothing.

A grey image is often stored as RGB, and JPEG may then colour it by a rounding error; such colour
is averaged away. True colour is never turned to grey in silence.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.errors import ReadError

COLOUR_CAST = 2 / 255
"""Channels that differ by no more than this share of the range are called equal."""


def fit_channels(values: NDArray[Any], bits: int, wanted: int, where: str) -> NDArray[Any]:
    """Bring an image to the channels that are wanted.

    Args:
        values: (C, *space).
        bits: Significant bits of a stored sample, which tell the range of whole numbers.
        wanted: Channels: as many as there are; 1 where three equal ones are found; or 3 where one
            is found, which stays one here, since it is cheaper to repeat it when it is small.
        where: Names the file in messages.

    Returns:
        The same array, or one channel: the first where all are equal, else their mean.

    Raises:
        ReadError: any other number is found, or channels of true colour.
    """
    found = len(values)
    if found == wanted or (found, wanted) == (1, 3):
        return values
    if (found, wanted) != (3, 1):
        raise ReadError(f"{where}: {_count(wanted)} wanted, found {found}")
    flat = values.reshape(3, -1)  # One long row is compared faster than many short ones.
    if (flat[1:] == flat[0]).all():
        return values[:1]
    wide = np.result_type(values.dtype, np.float32)
    apart = values.max(0).astype(wide) - values.min(0)
    share = float(apart.max()) / _range(values, bits)
    if share > COLOUR_CAST:
        raise ReadError(
            f"{where}: 1 channel wanted, found 3 of colour: they differ by {share:.0%} of the range"
        )
    return np.asarray(values.mean(0, dtype=wide)[None])


def _range(values: NDArray[Any], bits: int) -> float:
    if values.dtype.kind in "ui" and bits <= 16:
        return float(2**bits - 1)
    return float(values.max()) - float(values.min())


def _count(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"
