"""Memory that a thread uses again and again, for what is decoded and then copied anyway.

Fresh memory of some megabytes is given by the system page by page, each cleared first: that costs
more than decoding a JPEG of that size. So each thread keeps one piece between two files.
"""

from math import prod
from threading import local
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

KEPT = 64 * 2**20
"""The most bytes that a thread keeps."""

_own = local()


def scratch(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Give an array whose contents are undefined, and which the thread's next call overwrites."""
    wanted = prod(shape) * np.dtype(dtype).itemsize
    if wanted > KEPT:
        return np.empty(shape, dtype)
    kept: NDArray[np.uint8] | None = getattr(_own, "kept", None)
    if kept is None or kept.size < wanted:
        kept = _own.kept = np.empty(wanted, np.uint8)
    return kept[:wanted].view(dtype).reshape(shape)
