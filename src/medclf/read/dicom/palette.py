"""Palette colours: each stored number becomes red, green and blue.

A palette may be written entry by entry, or in segments: runs of entries, straight lines from the
entry before to a new one, and repetitions of earlier segments.

Source: DICOM PS3.3, C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9.2.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medclf.read.dicom.table import Table, is_little, make_table, read_descriptor
from medclf.read.values import narrow

if TYPE_CHECKING:
    from pydicom import Dataset

_COLOURS = ("Red", "Green", "Blue")
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


def apply_palette(stored: NDArray[Any], dataset: "Dataset") -> NDArray[Any]:
    """Look every stored number up in the file's own palette.

    Returns:
        (*stored.shape, 3), uint8 where the entries have or need no more than 8 bits, else uint16.

    Raises:
        ValueError: the palette is absent, cut short, or its segments contradict it.
    """
    signed = bool(dataset.get("PixelRepresentation"))
    tables = [_read_colour(dataset, colour, signed) for colour in _COLOURS]
    colours = np.stack([table.look_up(stored) for table in tables], axis=-1)
    return narrow(colours) if colours.dtype == np.uint16 else colours


def _read_colour(dataset: "Dataset", colour: str, signed: bool) -> Table:
    name = f"{colour}PaletteColorLookupTable"
    descriptor = read_descriptor(dataset.get(f"{name}Descriptor"), signed)
    data, little = dataset.get(f"{name}Data"), is_little(dataset)
    if data is None:
        segments = dataset.get(f"Segmented{name}Data")
        if segments is None:
            raise ValueError(f"there is no table for {colour.lower()}")
        data = expand_segments(segments, descriptor, little)
    return make_table(descriptor, data, little)


def expand_segments(
    segments: bytes, descriptor: tuple[int, int, int], little: bool = True
) -> list[int]:
    """Write the segments of a palette out entry by entry.

    Args:
        segments: Opcode, length and content of each segment, one after the other, in bytes or,
            where entries have more than 8 bits, in words.
        descriptor: Entries, of which there may not be more; first number; bits of an entry.
        little: Whether the file has the lesser byte of a word first.

    Raises:
        ValueError: a segment is cut short or of a kind that is none, or one of words repeats
            others, of which programs disagree whether their place is told in bytes or in words.

    Example:
        >>> expand_segments(bytes([0, 2, 5, 7, 1, 3, 1, 2, 1, 0, 0, 0, 0]), (7, 0, 8))
        [5, 7, 5, 3, 1, 5, 7]
    """
    most, wide = descriptor[0], descriptor[2] > 8
    kind = np.dtype("u1" if not wide else "<u2" if little else ">u2")
    numbers = np.frombuffer(segments, kind, len(segments) // kind.itemsize).tolist()
    entries: list[int] = []
    place = 0
    while place + 2 <= len(numbers):
        if numbers[place] == _INDIRECT and not wide:
            start = _byte_offset(numbers[place + 2 : place + 6], little)
            for _ in range(numbers[place + 1]):
                start = _append(numbers, start, entries, most)
            place += 6
        else:
            place = _append(numbers, place, entries, most)
    return entries


def _byte_offset(numbers: list[int], little: bool) -> int:
    """Read two words, the lesser first, each in the byte order of the file."""
    if len(numbers) < 4:
        raise ValueError("a segment of the palette is cut short")
    words = np.frombuffer(bytes(numbers), "<u2" if little else ">u2")
    return int(words[1]) << 16 | int(words[0])


def _append(numbers: list[int], place: int, entries: list[int], most: int) -> int:
    """Append one segment that holds its own entries, and return where the next one starts."""
    kind, length = numbers[place : place + 2] if place + 2 <= len(numbers) else (-1, 0)
    content = numbers[place + 2 :][: length if kind == _DISCRETE else 1]
    if kind == _DISCRETE and len(content) == length:
        entries.extend(content)
    elif kind == _LINEAR and content and entries and length:
        steps = np.linspace(entries[-1], content[0], length + 1)[1:]
        entries.extend(int(step) for step in np.rint(steps[: most + 1]))
    else:
        raise ValueError("a segment of the palette is cut short or of no known kind")
    if len(entries) > most:
        raise ValueError(f"the segments of the palette hold more than {most} entries")
    return place + 2 + len(content)
