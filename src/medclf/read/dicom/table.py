"""Tables of DICOM: each stored number becomes the entry that stands at its place.

One rule for all of them, be it a modality's, a window's or a palette's: a descriptor says how many
entries there are, which number the first belongs to, and how many bits an entry has. Numbers before
the first take the first entry, numbers behind the last the last. An entry of 8 bits may lie in a
byte or in a word; writers disagree.

Source: DICOM PS3.3, C.11.1.1.1, C.11.2.1.1, C.7.6.3.1.5.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom import Dataset

_FULL = 2**16


@dataclass(frozen=True)
class Table:
    """Entries, and the number to which the first belongs.

    Args:
        entries: (N,) whole numbers without sign.
        first: The stored number of the first entry.
        bits: Significant bits of an entry.
    """

    entries: NDArray[Any]
    first: int
    bits: int

    def look_up(self, values: NDArray[Any]) -> NDArray[Any]:
        """Replace every value by its entry; fractions go to the nearest.

        Example:
            >>> table = Table(np.array([10, 20, 30], np.uint8), first=-1, bits=8)
            >>> table.look_up(np.array([-7, -1, 0, 1, 900])).tolist()
            [10, 10, 20, 30, 30]
        """
        whole = np.rint(values) if values.dtype.kind == "f" else values
        last = self.first + len(self.entries) - 1
        low, high = _within(whole.dtype, self.first), _within(whole.dtype, last)
        places = np.clip(whole, low, high).astype(np.int64) - self.first
        return np.asarray(self.entries[np.clip(places, 0, len(self.entries) - 1)])


def _within(dtype: "np.dtype[Any]", limit: int) -> int:
    """Bring a limit into the range of a type of whole numbers."""
    if dtype.kind == "f":
        return limit
    info = np.iinfo(dtype)
    return int(min(max(limit, info.min), info.max))


def read_table(item: "Dataset", signed: bool) -> Table:
    """Read a modality's or a window's table.

    Args:
        item: Holds LUTDescriptor and LUTData.
        signed: Whether the numbers looked up may be negative; the first is then so as well, even
            where it was written without its sign.

    Raises:
        ValueError: there are fewer entries than the descriptor says, or of a depth that is none.
    """
    descriptor = read_descriptor(item.LUTDescriptor, signed)
    return make_table(descriptor, item["LUTData"].value, is_little(item))


def read_descriptor(written: Any, signed: bool) -> tuple[int, int, int]:
    """Read (entries, first number, bits); 0 entries stand for 65536.

    Example:
        >>> read_descriptor([0, 64512, 12], signed=True)
        (65536, -1024, 12)
    """
    if written is None or isinstance(written, bytes) or len(written) != 3:
        raise ValueError("the descriptor of a table wants 3 numbers")
    count, first, bits = (int(number) for number in written)
    if not 1 <= bits <= 16:
        raise ValueError(f"entries of 1 to 16 bits wanted in a table, found {bits}")
    return count % _FULL or _FULL, first - _FULL if signed and first >= _FULL // 2 else first, bits


def make_table(descriptor: tuple[int, int, int], data: Any, little: bool) -> Table:
    """Make a table of its data: bytes, or numbers that pydicom has parsed already.

    Raises:
        ValueError: there are fewer entries than the descriptor says.
    """
    count, first, bits = descriptor
    if isinstance(data, bytes | bytearray):
        wide = len(data) >= 2 * count
        entries = np.frombuffer(data, f"{'<' if little else '>'}u2" if wide else np.uint8)
    else:
        entries = np.atleast_1d(np.asarray(data)).astype(np.int64) % _FULL
    if len(entries) < count:
        raise ValueError(f"{count} entries wanted in a table, found {len(entries)}")
    return Table(entries[:count].astype(np.uint8 if bits <= 8 else np.uint16), first, bits)


def is_little(item: "Dataset") -> bool:
    """Tell the byte order of the file that an item was read from."""
    return item.original_encoding[1] is not False
