"""What all forms of volume share: bytes become values z first, vectors become a place in LPS.

These forms name their axes x first and let x run fastest, so that the same bytes seen as an array
of (z, y, x) need no copying. A header claims a number of bytes; neither fewer nor more are taken
for its image.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.read.refuse import check_size
from medclf.read.values import settle

Bytes = bytes | bytearray | memoryview

FLATTEST = 1e-6
"""The least volume of a box of three unit directions; below it the three lie in one plane."""


def view_values(
    data: Bytes, dtype: np.dtype[Any], shape: tuple[int, ...], where: str
) -> NDArray[Any]:
    """View bytes as an array whose last axis runs fastest, without copying.

    Raises:
        ReadError: the image is empty or too large, or the bytes are not as many as it takes.
    """
    check_size(shape if len(shape) > 2 else (1, *shape), where)
    wanted = prod(shape) * dtype.itemsize
    if len(data) != wanted:
        reason = "cut short" if len(data) < wanted else "header and data differ"
        raise ReadError(
            f"{where}: {reason}: {wanted:,} bytes of pixels wanted, found {len(data):,}"
        )
    return np.frombuffer(data, dtype).reshape(shape)


def scale(values: NDArray[Any], slope: float, start: float) -> NDArray[Any]:
    """Turn stored values into those meant, slope * stored + start, as float32 if that changes them.

    Example:
        >>> scale(np.array([1, 2], np.int16), 0.5, -1)
        array([-0.5,  0. ], dtype=float32)
    """
    if (slope, start) == (1, 0):
        return values
    scaled = values.astype(np.float32)
    scaled *= np.float32(slope)
    scaled += np.float32(start)
    return scaled


def make_grid(
    vectors: NDArray[np.float64], origin: NDArray[np.float64], where: str, *, flat: bool = False
) -> Grid:
    """Turn a place told x first into a grid, z first.

    Args:
        vectors: (3, 3), a row per axis of the file: the step from a sample to the next, as
            (x, y, z) in LPS mm.
        origin: (3,), the place of the first sample, likewise.
        where: Names the file in messages.
        flat: Leave out the last axis of the file, along which there is one slice.

    Raises:
        ReadError: a number is not finite, a step has no length, or the axes lie in one plane.
    """
    rows = np.asarray(vectors, np.float64)[::-1, ::-1][1 if flat else 0 :]
    if not (np.isfinite(rows).all() and np.isfinite(origin).all()):
        found = f"{rows.tolist()} from {origin.tolist()}"
        raise ReadError(f"{where}: the place in the patient is not a number: {found}")
    lengths = np.linalg.norm(rows, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        axes = rows / lengths[:, None]
    spread = np.linalg.det(axes @ axes.T) if lengths.min() > 0 and np.isfinite(axes).all() else 0.0
    if spread < FLATTEST**2:
        raise ReadError(f"{where}: the place in the patient is flat: {rows.tolist()}")
    return Grid(tuple(lengths.tolist()), tuple(origin[::-1].tolist()), axes)


def spacing_grid(spacing_mm: tuple[float, ...], *, flat: bool = False) -> Grid:
    """Make the grid of a file that tells no place: spacing x first, or none if one is not above 0.

    Example:
        >>> spacing_grid((0.5, 0.7, 2.0)).spacing_mm
        (2.0, 0.7, 0.5)
    """
    kept = spacing_mm[::-1][1 if flat and len(spacing_mm) == 3 else 0 :]
    known = all(np.isfinite(mm) and mm > 0 for mm in kept)
    return Grid(tuple(float(mm) for mm in kept) if kept and known else None)


def make_image(values: NDArray[Any], grid: Grid, phases: tuple[str, ...] = ()) -> Image:
    """Make an image of (T, C, Z, Y, X) values; one slice alone is a picture.

    Args:
        values: T is 1 where there are no phases.
        grid: Of as many axes as there are left.
        phases: What each moment is called.
    """
    values = values if phases else values[0]
    if values.shape[-3] == 1:
        values = values[..., 0, :, :]
    values = settle(values)
    return Image(values, grid, bits=8 * values.dtype.itemsize, phases=phases)


def name_phases(count: int, step: float = 0.0, unit: str = "") -> tuple[str, ...]:
    """Name the moments of a series by their time, or by their number where it is not known.

    Returns:
        No name where there is one moment: the image is still.

    Example:
        >>> name_phases(3, 2.5, "s"), name_phases(2), name_phases(1)
        (('0 s', '2.5 s', '5 s'), ('1', '2'), ())
    """
    if count < 2:
        return ()
    if unit and np.isfinite(step) and step > 0:
        return tuple(f"{number * step:g} {unit}" for number in range(count))
    return tuple(str(number + 1) for number in range(count))


def parse_numbers(text: Bytes, dtype: np.dtype[Any], where: str) -> bytes:
    """Turn numbers written as text into bytes of a type, in native order.

    Raises:
        ReadError: a word is no number, or is out of the type's range.
    """
    wide = np.dtype({"i": np.int64, "u": np.uint64, "f": np.float64}[dtype.kind])
    native = dtype.newbyteorder("=")
    try:
        values = np.array(bytes(text).split(), np.bytes_).astype(wide)
    except (ValueError, OverflowError) as problem:
        raise ReadError(f"{where}: numbers wanted, found others: {problem}") from problem
    if dtype.kind != "f" and values.size and not _within(values, native):
        raise ReadError(
            f"{where}: numbers of {native} wanted, found {values.min()}, {values.max()}"
        )
    with np.errstate(over="ignore"):
        return values.astype(native).tobytes()


def _within(values: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    limits = np.iinfo(dtype)
    return bool(limits.min <= values.min() and values.max() <= limits.max)
