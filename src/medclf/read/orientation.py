"""How a photograph was held: the EXIF orientation, read from its tag and undone.

A camera stores the sensor's rows as they are and notes in one of eight codes how they must be
turned. Only that tag is looked for; the rest of an EXIF block is often broken, and not needed.

Source: CIPA DC-008, Exif 2.32, section 4.6.4, tag 274; TIFF 6.0, section 2.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)

_TAG, _ENTRY, _SHORT = 274, 12, 3


def read_orientation(exif: bytes) -> int:
    """Read the code, 1 to 8; 1 (as stored) where the block states none or cannot be followed.

    Args:
        exif: A TIFF header and its first directory, with or without "Exif" before it.
    """
    block = exif.removeprefix(b"Exif\0\0")
    if block[:4] not in (b"II*\0", b"MM\0*"):
        return 1

    def number(start: int, length: int) -> int:
        return int.from_bytes(block[start : start + length], "little" if little else "big")

    little = block.startswith(b"II")

    directory = number(4, 4)
    for i in range(number(directory, 2)):
        entry = directory + 2 + i * _ENTRY
        if entry + _ENTRY > len(block):
            break
        if number(entry, 2) == _TAG and number(entry + 2, 2) == _SHORT:
            code = number(entry + 8, 2)
            return code if 1 <= code <= 8 else 1
    return 1


def turn_upright(values: NDArray[Value], code: int) -> NDArray[Value]:
    """Undo an orientation on the last two axes.

    Args:
        values: (..., Y, X) as stored.
        code: 1 to 8. 6 means that the camera stood on its right side: turn by 90° clockwise.

    Example:
        >>> turn_upright(np.array([[1, 2], [3, 4]]), 6).tolist()
        [[3, 1], [4, 2]]
    """
    if code >= 5:
        values = values.swapaxes(-1, -2)
    if code in (3, 4, 7, 8):
        values = values[..., ::-1, :]
    if code in (2, 3, 6, 7):
        values = values[..., ::-1]
    return values
