"""Where text is burnt into a picture: rows of small, sharp, evenly bright marks.

A letter is a thin stroke: what an opening by a small square takes away. The strokes are parted into
connected marks; marks of a letter's size that stand in a row, alike in height and on one line, are
text. Where text is expected, a sharp mark on perfectly flat ground is taken for text by itself, as
a lone initial or a number beside the picture is; tissue is never flat. Large letters are found in
the picture halved. Bright text is looked for, then dark text.

Source: after Hasan, Karam. Morphological Text Extraction from Images. IEEE Transactions on Image
Processing 9(11), 2000.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

STROKE = 7
"""Broadest stroke, in pixels, of the letters found at one scale."""

CONTRASTS = (0.2, 0.45)
"""Least heights of a stroke above what surrounds it, as shares of the picture's range."""

LOWEST, HIGHEST = 5, 48
"""Pixels from foot to head of the letters found at one scale."""

EVEN, EVEN_OF_THREE, LEVEL, ALIKE = 0.04, 0.008, 0.12, 0.25
"""Most that a line's marks differ in brightness, of the range, and in place and height, of their
height. Few marks must be more even than many, since chance makes few even."""

FEWEST = 3
"""Letters that make a line."""

FLAT = 12
"""Grey levels that flat ground may differ by, for the sake of lossy compression."""

SHARP = 0.7
"""Least share of a stroke's height that is gained within three pixels: print is sharper than
tissue."""

LEAST_RANGE = 30
"""Grey levels that a picture must span for anything in it to be read."""

SMALLEST_EDGE = 400
"""Pictures are halved until their shorter edge is below this."""

Marks = NDArray[np.float64]

_TOUCHING = np.ones((3, 3), bool)
_FULLEST, _EMPTIEST, _WIDEST = 0.97, 0.12, 14


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: rows `top` to `bottom`, columns `left` to `right`, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def grown(self, rows: int, columns: int) -> "Box":
        """Add half a letter's height on every side, within a picture of that size."""
        rim = max(2, (self.bottom - self.top) // 2)
        return Box(
            max(0, self.top - rim),
            min(rows, self.bottom + rim),
            max(0, self.left - rim),
            min(columns, self.right + rim),
        )


def find_text(picture: NDArray[np.uint8], expected: bool = False) -> list[Box]:
    """Find lines of text, and where it is expected single letters too.

    Args:
        picture: (Y, X), or (Y, X, 3) in which text of any colour stands out.
        expected: Whether text is usual in this kind of picture.

    Returns:
        A box around each line, with half a letter's height to spare. Lines found twice, at two
        scales, are listed twice.
    """
    planes = [picture]
    if picture.ndim == 3:
        planes = [picture.max(-1), picture.min(-1)]
        planes = planes[: 1 if np.array_equal(planes[0], planes[1]) else 2]
    found = []
    for grey in planes:
        values = grey.astype(np.float32)
        span = float(values.max() - values.min())
        factor = 1
        while span >= LEAST_RANGE and min(values.shape) >= LOWEST:
            for side in (values, -values):
                found += [_scaled(box, factor, grey.shape) for box in _lines(side, span, expected)]
            if min(values.shape) < SMALLEST_EDGE:
                break
            values, factor = _halved(values), 2 * factor
    return found


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = values.shape[0] // 2 * 2, values.shape[1] // 2 * 2
    halves = values[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2)
    return np.asarray(halves.mean((1, 3)), np.float32)


def _scaled(box: Box, factor: int, shape: tuple[int, ...]) -> Box:
    whole = Box(*(factor * edge for edge in (box.top, box.bottom, box.left, box.right)))
    return whole.grown(shape[0], shape[1])


def _lines(values: NDArray[np.float32], span: float, expected: bool) -> Iterator[Box]:
    """Find the text that is brighter than what surrounds it, at one scale."""
    ground = ndimage.grey_opening(values, (STROKE + 2, STROKE + 2))
    strokes = values - ground
    uneven = ndimage.maximum_filter(ground, STROKE + 2) - ndimage.minimum_filter(ground, STROKE + 2)
    edges = ndimage.maximum_filter(values, 3) - ndimage.minimum_filter(values, 3)
    for contrast in CONTRASTS:
        labels, count = ndimage.label(strokes > contrast * span, _TOUCHING)
        marks = _marks(labels, count, values / span, strokes, edges, uneven)
        for row in _rows(marks, values.shape):
            if _is_line(row):
                top, left = row[:, 0].min(), row[:, 2].min()
                bottom, right = row[:, 1].max(), row[:, 3].max()
                yield Box(int(top), int(bottom), int(left), int(right))
        if expected:
            alone = marks[(marks[:, 5] >= SHARP) & (marks[:, 6] <= FLAT)]
            yield from (Box(*map(int, mark[:4])) for mark in alone)


def _marks(
    labels: NDArray[np.signedinteger[Any]],
    count: int,
    values: NDArray[np.float32],
    strokes: NDArray[np.float32],
    edges: NDArray[np.float32],
    uneven: NDArray[np.float32],
) -> Marks:
    """List what has a letter's size, (N, 7).

    Each mark is top, bottom, left, right, brightness, sharpness, and how uneven its ground is.
    """
    if count == 0:
        return np.zeros((0, 7))
    places = ndimage.find_objects(labels)
    boxes = np.array([(y.start, y.stop, x.start, x.stop) for y, x in places], np.float64)
    high, wide = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    fill = np.bincount(labels.ravel(), minlength=count + 1)[1:] / (high * wide)
    sized = (high >= LOWEST) & (high <= HIGHEST) & (wide <= _WIDEST * high)
    chosen = np.flatnonzero(sized & (fill >= _EMPTIEST) & ((fill <= _FULLEST) | (wide <= STROKE)))
    if not len(chosen):
        return np.zeros((0, 7))
    inside = np.flatnonzero(labels)
    owners = labels.ravel()[inside]
    bright, heights, ground = np.zeros((3, count + 1))
    np.maximum.at(bright, owners, values.ravel()[inside] - values.min())
    np.maximum.at(heights, owners, strokes.ravel()[inside])
    np.maximum.at(ground, owners, uneven.ravel()[inside])
    rim = ~ndimage.minimum_filter(labels > 0, 3).ravel()[inside]
    steps = np.bincount(owners[rim], edges.ravel()[inside[rim]], count + 1)
    pixels = np.bincount(owners[rim], minlength=count + 1).clip(1)
    sharp = steps / (pixels * heights.clip(1e-3))
    facts = (bright, sharp, ground)
    return np.column_stack([boxes[chosen], *(fact[chosen + 1] for fact in facts)])


def _rows(marks: Marks, shape: tuple[int, ...]) -> Iterator[Marks]:
    """Join marks that stand beside each other, about a letter's height apart at most."""
    if not len(marks):
        return
    ground = np.zeros(shape, bool)
    middles = []
    for top, bottom, left, right in marks[:, :4].astype(np.int64):
        reach, middle = max(3, int(0.55 * (bottom - top))), (top + bottom) // 2
        thick = max(1, (bottom - top) // 6)
        rows = slice(middle - thick, middle + thick + 1)
        ground[rows, max(0, left - reach) : right + reach] = True
        middles.append((middle, (left + right) // 2))
    labels, _ = ndimage.label(ground, _TOUCHING)
    rows = labels[tuple(np.array(middles).T)]
    order = np.argsort(rows, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
        yield marks[part]


def _is_line(row: Marks) -> bool:
    """Judge whether marks in a row are letters: alike in height, of one brightness, on one line.

    Commas, dashes and long tails are left out of the judgement.
    """
    high = row[:, 1] - row[:, 0]
    middle = np.quantile(high, 0.6, method="nearest")
    row = row[(high >= 0.6 * middle) & (high <= 1.6 * middle)]
    high, wide = row[:, 1] - row[:, 0], row[:, 3] - row[:, 2]
    letters = np.maximum(1, np.round(wide / (0.9 * middle))).sum()
    if letters < FEWEST or len(row) * 2 < FEWEST:
        return False
    level = min(_spread(row[:, 1]), _spread(row[:, 0])) <= max(1, LEVEL * middle)
    alike = _spread(high) <= max(1, ALIKE * middle)
    even = _spread(row[:, 4]) <= min(EVEN, EVEN_OF_THREE * max(1, letters - 2))
    sharp = np.median(row[:, 5]) >= SHARP
    return bool(level and even and alike and sharp)


def _spread(values: NDArray[np.float64]) -> float:
    """Mean distance from the median."""
    return float(np.abs(values - np.median(values)).mean())
