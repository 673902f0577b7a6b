"""A stack that leans or is uneven becomes rectangular and even, by interpolation.

A scanner whose gantry is tilted makes slices that lie ever further to the side: each is moved
within its own plane to where it belongs, on a canvas that is wide enough for all, so that nothing
is lost. Uneven slices are interpolated along the normal between the two that lie nearest. Both
are linear; what lies beyond the scanned slices gets the least value of the image.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.read.dicom.stack import Stack

_WHOLE = 1e-3
"""The share of a pixel up to which a move is not worth an interpolation."""


def space_taken(stack: Stack, rows: int, columns: int) -> tuple[int, int, int]:
    """Tell the (Z', Y', X') that slices of so many pixels take once they are straight and even."""
    heights = stack.heights_mm
    slices = len(heights) if stack.even else _even_steps(heights)[1]
    if not stack.rectangular:
        _, (below, beside) = _canvas(stack)
        rows, columns = rows + below, columns + beside
    return slices, rows, columns


def straighten(values: NDArray[Any], stack: Stack) -> tuple[NDArray[np.float32], Grid]:
    """Move each slice within its plane to its place on a rectangular grid.

    Args:
        values: (..., Z, Y, X), slices as they were scanned.
        stack: Where they lie.

    Returns:
        Values (..., Z, Y', X') and their grid; pixels of the first slice stay whole.
    """
    low, more = _canvas(stack)
    size = values.shape[-2] + more[0], values.shape[-1] + more[1]
    fill = np.float32(values.min())
    out = np.empty((*values.shape[:-2], *size), np.float32)
    for z, beside in enumerate(stack.beside_px - low):
        moved = np.asarray(values[..., z, :, :], np.float32)
        for axis in (0, 1):
            moved = _move(moved, float(beside[axis]), size[axis], axis - 2, fill)
        out[..., z, :, :] = moved
    return out, _moved_grid(stack.grid, low)


def even_out(
    values: NDArray[Any], heights_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float32], float]:
    """Interpolate along the normal to even steps, the smallest that there is.

    Args:
        values: (..., Z, Y, X).
        heights_mm: (Z,), rising from 0.

    Returns:
        Values (..., Z', Y, X), from the first slice up to the last that an even step reaches, and
        the step in mm.
    """
    step, count = _even_steps(heights_mm)
    wanted = step * np.arange(count)
    below = np.clip(np.searchsorted(heights_mm, wanted, "right") - 1, 0, len(heights_mm) - 2)
    share = (wanted - heights_mm[below]) / np.diff(heights_mm)[below]
    out = np.empty((*values.shape[:-3], len(wanted), *values.shape[-2:]), np.float32)
    for z, (low, part) in enumerate(zip(below, share.astype(np.float32), strict=True)):
        out[..., z, :, :] = (1 - part) * values[..., low, :, :] + part * values[..., low + 1, :, :]
    return out, step


def _canvas(stack: Stack) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """Find where a canvas for all slices begins, (y, x) from the first, and how much it is wider.

    All in whole pixels.
    """
    low = np.floor(stack.beside_px.min(0) + _WHOLE)
    below, beside = np.ceil(stack.beside_px.max(0) - _WHOLE) - low
    return low, (int(below), int(beside))


def _even_steps(heights_mm: NDArray[np.float64]) -> tuple[float, int]:
    """Find the smallest step in mm, and how many slices at such steps there are."""
    step = float(np.diff(heights_mm).min())
    return step, int(heights_mm[-1] / step + _WHOLE) + 1


def _move(
    picture: NDArray[np.float32], by: float, size: int, axis: int, fill: np.float32
) -> NDArray[np.float32]:
    """Move a picture along an axis by so many pixels, onto a canvas of a size."""
    whole = int(np.floor(by + _WHOLE))
    part = np.float32(by - whole)
    lines = np.moveaxis(picture, axis, 0)
    if part >= _WHOLE:
        lines, whole = part * lines[:-1] + (1 - part) * lines[1:], whole + 1
    elif len(lines) == size:
        return picture
    out = np.full((size, *lines.shape[1:]), fill, np.float32)
    out[whole : whole + len(lines)] = lines
    return np.moveaxis(out, 0, axis)


def _moved_grid(grid: Grid, low: NDArray[np.float64]) -> Grid:
    """Move the origin by whole pixels along y and x."""
    if grid.origin_mm is None or grid.axes is None or grid.spacing_mm is None:
        return grid
    by = (low * grid.spacing_mm[-2:]) @ grid.axes[-2:]
    return replace(grid, origin_mm=tuple((np.array(grid.origin_mm) + by).tolist()))
