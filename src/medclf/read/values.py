"""The form in which every reader hands over its values."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def settle(values: NDArray[Any]) -> NDArray[Any]:
    """Bring values to native byte order, in one piece of memory that belongs to the caller.

    Whole numbers keep their type, fractions become float32, truth becomes 0 and 1. Nothing is
    copied that is in this form already.

    Example:
        >>> settle(np.array([[0.5]], ">f8")).dtype
        dtype('float32')
    """
    dtype = values.dtype.newbyteorder("=")
    if dtype.kind == "b":
        dtype = np.dtype(np.uint8)
    elif dtype.kind == "f":
        dtype = np.dtype(np.float32)
        with np.errstate(over="ignore"):  # What float32 cannot hold turns infinite, and is refused.
            values = np.asanyarray(values, dtype, order="C")
    settled = np.asanyarray(values, dtype, order="C")
    return settled if settled.flags.writeable else settled.copy()


def are_finite(values: NDArray[Any]) -> bool:
    """Tell whether all fractions are numbers; whole numbers always are.

    Their sum tells so in most cases, for half the cost of looking at each.
    """
    if values.dtype.kind != "f":
        return True
    with np.errstate(all="ignore"):
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())


def narrow(colours: NDArray[Any]) -> NDArray[Any]:
    """Bring colours of 16 bits back to the 8 from which a palette's writer stretched them.

    Example:
        >>> narrow(np.array([0, 32896, 65535], np.uint16)).tolist()
        [0, 128, 255]
    """
    if (colours % 257 == 0).all() or (colours % 256 == 0).all():
        return np.asarray(colours >> 8, np.uint8)
    return colours
