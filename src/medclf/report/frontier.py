"""Scores against speed: each entry a point, and the frontier that none of the others surpasses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from medclf.evaluate.standing import Standing
from medclf.report.chart import Chart, Key
from medclf.report.style import ACCENT, INK, MUTED, PAPER, WARM, draw_figure
from medclf.report.words import LEVEL, name_of, number, significant

WIDTH, HEIGHT = 5.0, 4.2
MOST_NAMED = 14  # entries up to which every point bears its name
SIZE = 8.0  # of the type that names a point, in points
LETTER = 0.56 * SIZE  # its mean width
ROOM = (300.0, 245.0)  # of the axes within the figure, in points, about
NEAR = 7.0  # from a point to its name
DOT = 7.0
SIDES = ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1))
ACROSS = {1: "left", 0: "center", -1: "right"}
UP = {1: "bottom", 0: "center", -1: "top"}

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Trade:
    """What the page says of scores and speed."""

    words: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Point:
    """An entry in the plane of latency and score."""

    name: str
    x: float
    y: float
    low: float
    high: float
    colour: str
    best: bool


def tell_trade(rows: Sequence[Standing], classical: Sequence[str]) -> Trade | None:
    """Draw AUC and accuracy against latency; `None` where no score is defined."""
    charts = tuple(
        _draw(points, score)
        for score in ("auc", "accuracy")
        if (points := _points(rows, classical, score))
    )
    if not charts:
        return None
    words = (
        "An entry is on the frontier where nothing that answers as fast scores higher: all others "
        "cost time for nothing."
    )
    return Trade(words, charts)


def _points(rows: Sequence[Standing], classical: Sequence[str], score: str) -> list[Point]:
    found = []
    for row in rows:
        figure, name = row.figure(score), row.result.name
        if math.isfinite(figure.value):
            colour = WARM if name in classical else ACCENT
            x, best = row.result.cost.latency_ms, score in row.frontier
            found.append(Point(name, x, figure.value, figure.low, figure.high, colour, best))
    return found


def _draw(points: list[Point], score: str) -> Chart:
    best = sorted((p for p in points if p.best), key=lambda p: p.x)
    named = points if len(points) <= MOST_NAMED else best
    plain = any(p.colour == WARM for p in points)

    def draw(axes: Axes) -> None:
        for p in points:
            if math.isfinite(p.low) and math.isfinite(p.high):
                axes.plot([p.x, p.x], [p.low, p.high], color=MUTED, linewidth=0.8, alpha=0.5)
        steps = {"color": INK, "linewidth": 1.3, "drawstyle": "steps-post"}
        axes.plot([p.x for p in best], [p.y for p in best], **steps)  # type: ignore[arg-type]
        for p in points:
            face = p.colour if p.best else PAPER
            dot = {"color": p.colour, "markersize": 6.5, "markerfacecolor": face}
            axes.plot([p.x], [p.y], "o", markeredgewidth=1.4, **dot)  # type: ignore[arg-type]
        _scale(axes, points, name_of(score))
        _name(axes, named, points)

    told = "; ".join(f"{p.name} {number(p.y)} at {significant(p.x)} ms" for p in points)
    title = f"{name_of(score)} and latency"
    svg = draw_figure(f"trade-{score}", f"{title}: {told}", draw, WIDTH, HEIGHT)
    key = [Key("network or method", ACCENT, "point")]
    key += [Key("classical", WARM, "point")] if plain else []
    key += [Key("frontier; full points stand on it", INK)]
    rest = "" if len(named) == len(points) else " Only points on the frontier are named."
    caption = f"One exam on one thread; upright lines are {LEVEL} intervals.{rest}"
    return Chart(title, svg, caption, tuple(key))


def _scale(axes: Axes, points: list[Point], name: str) -> None:
    """Let the axes hold every interval, latency by factors."""
    least, most = min(p.x for p in points), max(p.x for p in points)
    axes.set_xscale("log")
    # Names want room on both sides, also where all are alike.
    reach = max(math.log10(most / least), 0.6)
    axes.set_xlim(least / 10 ** (0.2 * reach), most * 10 ** (0.25 * reach))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if reach < 2.5 else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    low = min(min(p.y, p.low) if math.isfinite(p.low) else p.y for p in points)
    high = max(max(p.y, p.high) if math.isfinite(p.high) else p.y for p in points)
    room = max(0.06 * (high - low), 0.01)
    axes.set_ylim(max(0.0, low) - room, high + room)
    digits = 2 if high - low + 2 * room > 0.05 else 3
    axes.yaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number(y, digits)))
    axes.set_xlabel("Latency of one exam, ms")
    axes.set_ylabel(name)


def _name(axes: Axes, named: list[Point], points: list[Point]) -> None:
    """Write names beside points, where they cover neither points nor other names."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    wide = math.log(right / left)

    def place(p: Point) -> tuple[float, float]:
        across, up = math.log(p.x / left) / wide, (p.y - low) / (high - low)
        return across * ROOM[0], up * ROOM[1]

    taken = [_box(*place(p), 0, 0, DOT, DOT) for p in points]
    lines = [_between(place(p), place(replace(p, y=q))) for p in points for q in _ends(p)]
    best = sorted((p for p in points if p.best), key=lambda p: p.x)
    for p, q in pairwise(best):  # a step of the frontier: across, then up
        corner = place(replace(q, y=p.y))
        lines += [_between(place(p), corner), _between(corner, place(q))]
    for p in sorted(named, key=lambda p: (not p.best, p.x)):
        here, long = place(p), LETTER * len(p.name)
        boxes = {side: _box(*here, *side, long, SIZE) for side in SIDES}
        side = min(SIDES, key=lambda side: _fault(boxes[side], taken, lines))
        taken.append(boxes[side])
        axes.annotate(
            p.name,
            (p.x, p.y),
            (NEAR * side[0], NEAR * side[1]),
            textcoords="offset points",
            ha=ACROSS[side[0]],
            va=UP[side[1]],
            fontsize=SIZE,
            color=INK,
        )


def _box(x: float, y: float, across: int, up: int, long: float, tall: float) -> Box:
    """Lay out a box beside a place, or about it where it leans to no side."""
    x += across * (NEAR + long / 2)
    y += up * (NEAR + tall / 2)
    return x - long / 2, y - tall / 2, x + long / 2, y + tall / 2


def _between(one: tuple[float, float], other: tuple[float, float]) -> Box:
    """Lay out a box about a line along an axis."""
    (x, y), (u, v) = one, other
    return min(x, u), min(y, v), max(x, u), max(y, v)


def _ends(p: Point) -> tuple[float, ...]:
    return tuple(end for end in (p.low, p.high) if math.isfinite(end))


def _fault(box: Box, taken: list[Box], lines: list[Box]) -> tuple[bool, bool, int]:
    """Say how ill a name would stand: on another, beyond the axes, or across lines."""
    out = box[0] < 0 or box[2] > ROOM[0] or box[1] < 0 or box[3] > ROOM[1]
    on_other = any(_meet(box, other) for other in taken)
    return on_other, out, sum(_meet(box, line) for line in lines)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
