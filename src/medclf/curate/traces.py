"""Traces: what the making of an image leaves in it, in a few numbers that show no organ.

How light it is and how strong its contrast, whether it is coloured, how wide a frame of one value
stands around it, and what lies in its corners, where letters and marks are burnt in: how bright
they are, and how many edges they hold.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

CORNER = 8
MOST = 256
FRAME = 0.02

GROUPS: Mapping[str, tuple[str, ...]] = {
    "light": ("mean", "spread", "darkest", "brightest"),
    "colour": ("colour",),
    "frame": ("frame",),
    "corners": tuple(f"{what} {k}" for what in ("corner", "edges") for k in range(4)),
}
"""Which numbers belong together."""


def take_traces(values: NDArray[np.generic], bits: int) -> dict[str, float]:
    """Measure what the making of an image left in it.

    Args:
        values: (C, Y, X), or (C, Z, Y, X), of which the middle slice is taken.
        bits: Significant bits, by which whole numbers are scaled; others by their extremes.

    Returns:
        One number for each name in `GROUPS`.

    Example:
        >>> image = np.zeros((1, 64, 64), np.uint8)
        >>> image[:, :4, 56:] = 255
        >>> traces = take_traces(image, 8)
        >>> traces["corner 0"], traces["corner 1"]
        (0.0, 0.5)
    """
    if values.ndim == 4:
        values = values[:, values.shape[1] // 2]
    steps = [max(1, edge // MOST) for edge in values.shape[1:]]
    some = values[:, :: steps[0], :: steps[1]]
    low, span = 0.0, float(2**bits - 1)
    if values.dtype.kind not in "ui":
        some = some.astype(np.float32)
        low = float(some.min())
        span = max(float(some.max()) - low, 1e-30)
    grey = (some.mean(axis=0, dtype=np.float32) - np.float32(low)) / np.float32(span)
    dark, bright = np.quantile(grey, (0.05, 0.95))
    traces = {
        "mean": grey.mean(),
        "spread": grey.std(),
        "darkest": dark,
        "brightest": bright,
        "colour": (some.max(axis=0) - some.min(axis=0)).mean(dtype=np.float64) / span,
        "frame": _frame(grey),
    }
    for k, corner in enumerate(_corners(grey)):
        traces[f"corner {k}"] = corner.mean()
        traces[f"edges {k}"] = np.abs(np.diff(corner, axis=1)).mean() if corner.shape[1] > 1 else 0
    return {name: float(value) for name, value in traces.items()}


def _corners(grey: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Cut out the four corners, an eighth of the edges each."""
    high, wide = (max(1, edge // CORNER) for edge in grey.shape)
    return [
        grey[rows, columns]
        for rows in (slice(high), slice(-high, None))
        for columns in (slice(wide), slice(-wide, None))
    ]


def _frame(grey: NDArray[np.float32]) -> float:
    """Share of rows and columns at the borders that hold one value throughout."""
    flat = [np.ptp(grey, axis=axis) <= FRAME for axis in (0, 1)]
    ends = [_run(side) + _run(side[::-1]) for side in flat]
    return min(1.0, sum(end / len(side) for end, side in zip(ends, flat, strict=True)))


def _run(flat: NDArray[np.bool_]) -> int:
    return len(flat) if flat.all() else int(np.argmin(flat))
