"""An alpha channel is left out where it hides nothing; what is partly transparent is refused."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.errors import ReadError


def without_alpha(values: NDArray[Any], where: str, most: int | None = None) -> NDArray[Any]:
    """Leave out the last channel, which is alpha.

    Args:
        values: (C, ...), whole numbers.
        where: Names the file in messages.
        most: The value of what hides nothing; the largest of the type where it is not given.

    Raises:
        ReadError: what lies behind shines through somewhere, or numbers are no whole ones.
    """
    if values.dtype.kind not in "ui":
        raise ReadError(f"{where}: an alpha channel of whole numbers wanted, found {values.dtype}")
    opaque = np.iinfo(values.dtype).max if most is None else most
    if (values[-1] != opaque).any():
        raise ReadError(f"{where}: partly transparent: what lies behind it is not known")
    return values[:-1]
