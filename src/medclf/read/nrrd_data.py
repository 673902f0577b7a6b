"""The data of an NRRD: in its own file or others, raw, packed, or written as text.

Lines are skipped before anything is unpacked, bytes after it.

Source: Teem, Definition of NRRD File Format, sections 3 and 5.
"""

from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.beside import number_names, read_beside
from medclf.read.inflate import bunzip, inflate
from medclf.read.refuse import check_size
from medclf.read.tags import Tags
from medclf.read.volume import Bytes, parse_numbers, view_values

NAMES = {
    "i1": "signed char;int8;int8_t",
    "u1": "uchar;unsigned char;uint8;uint8_t",
    "i2": "short;short int;signed short;signed short int;int16;int16_t",
    "u2": "ushort;unsigned short;unsigned short int;uint16;uint16_t",
    "i4": "int;signed int;int32;int32_t",
    "u4": "uint;unsigned int;uint32;uint32_t",
    "i8": "longlong;long long;long long int;signed long long;signed long long int;int64;int64_t",
    "u8": "ulonglong;unsigned long long;unsigned long long int;uint64;uint64_t",
    "f4": "float",
    "f8": "double",
}
TYPES = {name: dtype for dtype, names in NAMES.items() for name in names.split(";")}
"""NumPy's types by the names that NRRD has for them."""

ENDIANS: dict[str, Literal["<", ">"]] = {"little": "<", "big": ">"}
TEXT = ("txt", "text", "ascii")
ENCODINGS = ("raw", "gz", "gzip", "bz2", "bzip2", "hex", *TEXT)

MOST_SKIPPED = 2**20
"""Bytes of another program's header that may be skipped."""


def read_data(tags: Tags, sizes: tuple[int, ...], rest: bytes, source: Source) -> NDArray[Any]:
    """Read the values, the last axis of the file first.

    Args:
        tags: The fields, by names in small letters without spaces.
        sizes: Samples along each axis, fastest first.
        rest: What stands behind the header.
        source: Where the header is.

    Raises:
        ReadError: a file cannot be read, or holds another number of values than the sizes tell.
    """
    dtype, encoding = _dtype(tags), tags.need("encoding").lower()
    if encoding not in ENCODINGS:
        raise ReadError(
            f"{tags.where}: an encoding of {', '.join(ENCODINGS)} wanted, found {encoding}"
        )
    check_size(sizes if len(sizes) > 2 else (1, *sizes), tags.where)
    bytes_wanted = prod(sizes) * dtype.itemsize
    names = data_names(tags, rest, sizes)
    parts = [read_beside(source, name) for name in names] or [rest]
    size = bytes_wanted // len(parts)
    whole = [_decode(tags, encoding, part, size, dtype) for part in parts]
    native = dtype.newbyteorder("=") if encoding in TEXT else dtype
    data = whole[0] if len(whole) == 1 else b"".join(whole)
    return view_values(data, native, sizes[::-1], tags.where)


def _dtype(tags: Tags) -> np.dtype[Any]:
    kind = tags.need("type").lower()
    if kind not in TYPES:
        raise ReadError(f"{tags.where}: a type of numbers wanted, found {kind}")
    dtype = np.dtype(TYPES[kind])
    if dtype.itemsize == 1 or tags.find("encoding").lower() in TEXT:
        return dtype
    endian = tags.need("endian").lower()
    if endian not in ENDIANS:
        raise ReadError(f"{tags.where}: endian little or big wanted, found {endian}")
    return dtype.newbyteorder(ENDIANS[endian])


def data_names(tags: Tags, rest: bytes, sizes: tuple[int, ...]) -> list[str]:
    """List the files of the data: none, one, one a line (LIST), or numbered by a pattern."""
    named = tags.find("datafile")
    if not named:
        return []
    if named.split()[0].upper() == "LIST":
        names = [line.strip() for line in rest.decode("utf-8", "replace").splitlines()]
        names = [name for name in names if name]
    else:
        names = number_names(named, prod(sizes)) or [named]
    if not names or prod(sizes) % len(names):
        raise ReadError(f"{tags.where}: files of equal parts wanted, found {len(names)}")
    return names


def _decode(tags: Tags, encoding: str, data: bytes, size: int, dtype: np.dtype[Any]) -> Bytes:
    """Skip what does not belong to the values of one file, and unpack them."""
    (lines,) = tags.whole(1, "lineskip") or (0,)
    (skip,) = tags.whole(1, "byteskip") or (0,)
    place = 0
    for _ in range(min(max(lines, 0), len(data))):
        place = data.find(b"\n", place) + 1 or len(data)
    data = data[place:]
    if skip == -1 and encoding == "raw":
        return data[max(0, len(data) - size) :]
    if not 0 <= skip <= MOST_SKIPPED:
        raise ReadError(f"{tags.where}: at most {MOST_SKIPPED} bytes to skip wanted, found {skip}")
    if encoding in ("gz", "gzip"):
        return memoryview(inflate(data, size + skip, tags.where))[skip:]
    if encoding in ("bz2", "bzip2"):
        return memoryview(bunzip(data, size + skip, tags.where))[skip:]
    if encoding in TEXT:
        return parse_numbers(data[skip:], dtype, tags.where)
    return data[skip:] if encoding == "raw" else _unhex(data[skip:], tags.where)


def _unhex(data: bytes, where: str) -> bytes:
    try:
        return bytes.fromhex(data.decode("ascii"))
    except ValueError as problem:
        raise ReadError(f"{where}: hexadecimal digits wanted: {problem}") from problem
