"""NumPy's .npy, an array alone, whose axes a rule must name, and .npz with one such array.

The header is read by NumPy's own parser and the values are taken from the bytes, after their
number was compared with what the header claims; objects, which only a pickle could hold, are
refused.

Source: NumPy Enhancement Proposal 1, A Simple File Format for NumPy Arrays.
"""

from io import BytesIO
from math import prod
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.read.archive import check_unpacked
from medclf.read.inflate import LIMIT
from medclf.read.refuse import check_size, one_line
from medclf.read.values import settle

MAGIC = b"\x93NUMPY"

ZIP = b"PK\x03\x04"


def read_array(raw: bytes, where: str) -> Image:
    """Read an image saved by `numpy.save`.

    Args:
        raw: The file's bytes.
        where: Names the file in messages.

    Returns:
        By its axes: (Y, X) is a grey picture. (Y, X, 3) of uint8 is RGB; any other with three
        axes is a volume (Z, Y, X), and a picture where Z is 1. (Z, Y, X, 3) of uint8 is an RGB
        volume, any other with four axes (C, Z, Y, X). Spacing is not known.

    Raises:
        ReadError: no array, cut short, too large, complex, objects, or of other axes.
    """
    values = parse_array(raw, where)
    if values.dtype.kind not in "buif" or values.ndim not in (2, 3, 4):
        found = f"{values.dtype} {values.shape}"
        raise ReadError(f"{where}: numbers with 2 to 4 axes wanted, found {found}")
    check_size(values.shape, where)
    bits = 1 if values.dtype.kind == "b" else 0
    if values.ndim > 2 and values.shape[-1] == 3 and values.dtype == np.uint8:
        values = np.moveaxis(values, -1, 0)
    elif values.ndim == 2 or (values.ndim == 3 and len(values) > 1):
        values = values[None]
    values = settle(values)
    return Image(values, bits=bits or 8 * values.dtype.itemsize)


def read_only_array(raw: bytes, where: str) -> Image:
    """Read an image saved alone by `numpy.savez` or `numpy.savez_compressed`.

    Raises:
        ReadError: as for `read_array`, or there are several arrays or none, or they would unpack
            to too much.
    """
    try:
        with ZipFile(BytesIO(raw)) as archive:
            arrays = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            if len(arrays) != 1:
                found = ", ".join(info.filename.removesuffix(".npy") for info in arrays[:5])
                raise ReadError(f"{where}: one array wanted, found {len(arrays)}: {found}")
            check_unpacked(arrays[0].file_size, arrays[0].compress_size, LIMIT, where)
            values = archive.read(arrays[0])
    except ReadError:
        raise
    except Exception as problem:  # zipfile has no closed list of what damaged files raise.
        raise ReadError(f"{where}: damaged or cut short: {one_line(problem)}") from problem
    return read_array(values, where)


def parse_array(raw: bytes, where: str) -> NDArray[Any]:
    """View the bytes of a .npy as the array that they hold, without copying.

    Raises:
        ReadError: no array of plain values, or another number of them than its header claims.
    """
    stream = BytesIO(raw)
    try:
        major, _ = npy.read_magic(stream)
        start = 10 if major == 1 else 12
        end = start + int.from_bytes(raw[8:start], "little")
        if b"\\" in raw[start:end]:  # Of which Python's parser would warn.
            raise ValueError("a backslash, which no type of numbers has")
        read = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
        shape, fortran, dtype = read(stream)
    except Exception as problem:  # NumPy's parser lets its syntax and its unpacking errors out.
        raise ReadError(f"{where}: no readable .npy header: {one_line(problem)}") from problem
    if dtype.hasobject:
        raise ReadError(f"{where}: numbers wanted, found Python objects, which are never loaded")
    start, count = stream.tell(), prod(shape)
    if len(raw) - start != count * dtype.itemsize:
        wanted, found = count * dtype.itemsize, len(raw) - start
        raise ReadError(f"{where}: cut short or damaged: {wanted} bytes wanted, found {found}")
    values = np.frombuffer(raw, dtype, count, start)
    return values.reshape(shape, order="F" if fortran else "C")
