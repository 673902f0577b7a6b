"""The dot and whisker beside a figure: where the value and the ends of its interval lie."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from medclf.evaluate.interval import Figure
from medclf.report.words import number

UNKNOWN = Figure(math.nan)


@dataclass(frozen=True)
class Axis:
    """The range that whiskers share.

    Args:
        low: Value at the left end.
        high: Value at the right end.
        mean: Where a dashed line stands in every row, if anywhere.
    """

    low: float = 0.0
    high: float = 1.0
    mean: float | None = None

    def place(self, value: float | None) -> str:
        """Tell where a value lies, in percent of the width; "" for a value that is not known."""
        if value is None or not math.isfinite(value):
            return ""
        share = (value - self.low) / (self.high - self.low)
        return f"{100 * min(max(share, 0), 1):.2f}%"

    @property
    def ticks(self) -> tuple["Tick", ...]:
        middle = (self.low + self.high) / 2
        anchors = ("start", "middle", "end")
        values = (self.low, middle, self.high)
        return tuple(
            Tick(self.place(value), anchor, number(value, 2))
            for value, anchor in zip(values, anchors, strict=True)
        )

    def mark(self, figure: Figure) -> "Mark":
        """Place a figure on this axis."""
        low, high = self.place(figure.low), self.place(figure.high)
        known = bool(low and high)
        value, mean = self.place(figure.value), self.place(self.mean)
        return Mark(value, low if known else "", high if known else "", mean)


@dataclass(frozen=True)
class Tick:
    """A number below which an axis has its place."""

    place: str
    anchor: str
    text: str


@dataclass(frozen=True)
class Mark:
    """Places in percent of the width, "" where there is nothing to draw."""

    value: str
    low: str
    high: str
    mean: str


def shared_axis(figures: Iterable[Figure], mean: float | None = None) -> Axis:
    """Choose an axis from a round number below all figures to 1.

    Example:
        >>> shared_axis([Figure(0.93, 0.88, 0.97)])
        Axis(low=0.8, high=1.0, mean=None)
    """
    ends = [end for f in figures for end in (f.value, f.low) if math.isfinite(end)]
    low = math.floor(min(ends, default=0.0) * 5 + 1e-9) / 5
    return Axis(max(-1.0, min(low, 0.8)), 1.0, mean)
