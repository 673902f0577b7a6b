"""What every reader refuses in the same words: what cannot be opened, and what is too large.

A pipe or a device among the files might never end, and is not opened. A header that claims an
enormous image is checked before anything is decoded, so that a small file (a decompression bomb)
cannot fill the memory.
"""

import errno
import stat
from io import BufferedReader
from math import prod
from pathlib import Path

from medclf.errors import ReadError

PIXELS = 200_000_000
"""The most pixels of one picture: a gigapixel slide is another job."""

_QUOTED = 40
_LONGEST, _LEAST_TOLD = 300, 150
"""Letters of a whole message, and of what it says behind a name that is long itself."""

VALUES = 2**30
"""The most values of one volume, all channels together."""


def one_line(problem: BaseException) -> str:
    """Say what a library said, on one line and not for ever.

    Example:
        >>> one_line(ValueError("bad     header"))
        'bad header'
    """
    text = " ".join(str(problem).split()) or type(problem).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"


def legible(message: str, where: str) -> str:
    r"""Bring a message to one line of printable letters, and to an end: it may quote a file.

    Args:
        message: Begins with `where`, mostly, of which no letter is left out.
        where: Names the file.

    Example:
        >>> legible("a.mha: found \0" + 900 * "x", "a.mha")[:19]
        'a.mha: found ?xxxxx'
    """
    start = len(where) if message.startswith(where) else 0
    plain = "".join(letter if letter.isprintable() else "?" for letter in message)
    most = max(_LONGEST, start + _LEAST_TOLD)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def quote(text: str) -> str:
    """Quote what a file says, on one line and not for ever.

    Example:
        >>> quote("a" + 90 * "b")
        "'abbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…'"
    """
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…")


def unreadable(where: object, problem: OSError) -> ReadError:
    """Make the error for a file that the system will not open."""
    return ReadError(f"{where}: cannot be read: {problem.strerror or one_line(problem)}")


def open_file(path: Path) -> BufferedReader:
    """Open a file to read its bytes.

    Raises:
        OSError: it cannot be opened, or is a pipe or a device, which might never end.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "a file wanted, found a pipe or a device")
    return path.open("rb")


def check_size(shape: tuple[int, ...], where: str) -> None:
    """Refuse an image that is empty or too large, by the shape that its header claims.

    Args:
        shape: (Y, X) of a picture, or any longer shape of a volume.
        where: Names the file in the message.

    Raises:
        ReadError: an axis has no length, a picture has more than `PIXELS` or a volume more than
            `VALUES`.
    """
    most = PIXELS if len(shape) == 2 else VALUES
    if min(shape) >= 1 and prod(shape) <= most:
        return
    size = " x ".join(str(n) for n in shape)
    if min(shape) < 1:
        raise ReadError(f"{where}: an image without pixels, {size}")
    raise ReadError(f"{where}: {size} pixels; at most {most:,} are read")
