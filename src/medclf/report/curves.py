"""ROC and precision-recall curves, with the band of chance and the point that is used.

Two classes give one curve with its band. More give one line each and their mean with its band;
beyond twelve the weakest are drawn and the rest is summed up as one line.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from medclf.evaluate.curve import precision_curve, roc_curve
from medclf.evaluate.interval import Figure
from medclf.report.band import Band, precision_band, roc_band
from medclf.report.chart import Chart, Key
from medclf.report.judged import Judged
from medclf.report.mark import UNKNOWN
from medclf.report.style import ACCENT, HUES, INK, MUTED, PAPER, WARM, draw_figure, share_axis
from medclf.report.words import LEVEL, number, span, with_span

Numbers = NDArray[np.float64]
LINES = len(HUES)


@dataclass(frozen=True)
class Space:
    """The space in which a curve is drawn: which figures are its axes, and how to read it."""

    name: str
    title: str
    x: str
    y: str
    score: str
    point: tuple[str, str]
    band: Callable[[Judged, list[int]], Band]
    line: Callable[[NDArray[np.bool_], Numbers], tuple[Numbers, Numbers]]


def _roc_line(positive: NDArray[np.bool_], score: Numbers) -> tuple[Numbers, Numbers]:
    curve = roc_curve(positive, score)
    return curve.false_positive, curve.true_positive


def _precision_line(positive: NDArray[np.bool_], score: Numbers) -> tuple[Numbers, Numbers]:
    curve = precision_curve(positive, score)
    return curve.recall, curve.precision


ROC = Space(
    "roc",
    "ROC curve",
    "1 \N{MINUS SIGN} specificity",
    "Sensitivity",
    "auc",
    ("specificity", "sensitivity"),
    roc_band,
    _roc_line,
)
PRECISION = Space(
    "precision",
    "Precision and recall",
    "Recall (sensitivity)",
    "Precision",
    "average_precision",
    ("sensitivity", "precision"),
    precision_band,
    _precision_line,
)


def draw_curves(judged: Judged, suffix: str = "") -> tuple[Chart, ...]:
    """Draw both curves of a split, or none where no class has exams on both sides.

    Args:
        judged: What was measured.
        suffix: Makes the figures' names differ from those of another split.
    """
    sides = judged.sides
    present = [k for k in range(sides.shape[1]) if sides[:, k].any() and not sides[:, k].all()]
    if not present:
        return ()
    draw = _draw_one if judged.binary else _draw_many
    return tuple(draw(judged, space, present, suffix) for space in (ROC, PRECISION))


def _draw_one(judged: Judged, space: Space, present: list[int], suffix: str) -> Chart:
    """Draw the curve of the positive class, its band and its operating point."""
    band = space.band(judged, [1])
    line = space.line(judged.sides[:, 1], judged.labelled.probabilities[:, 1])
    point = tuple(judged.scores.figures.get(name, UNKNOWN) for name in space.point)
    figure = judged.scores.figures.get(space.score, UNKNOWN)
    chance = _chance(judged, space)

    def draw(axes: Axes) -> None:
        _guide(axes, space, chance)
        if band.samples:
            axes.fill_between(band.x, band.low, band.high, color=ACCENT, alpha=0.16, linewidth=0)
        axes.plot(*line, color=ACCENT, solid_joinstyle="round")
        _mark(axes, space, point[0], point[1])

    positive = judged.task.classes[1]
    words = f"area {with_span(figure)}"
    key = [Key(f"{positive}: {words}", ACCENT)]
    key += [Key(f"{LEVEL} band", ACCENT, "area")] if band.samples else []
    key += [Key("as used, with intervals", WARM, "point"), Key("chance", MUTED, "dashed")]
    alt = f"{space.title} for {positive}: {words}"
    svg = draw_figure(space.name + suffix, alt, draw, 5.0, 4.5)
    return Chart(space.title, svg, _about_band(band), tuple(key))


def _draw_many(judged: Judged, space: Space, present: list[int], suffix: str) -> Chart:
    """Draw a line per class, the weakest where there are too many, and the mean of all."""
    names = judged.task.classes
    areas = [judged.scores.per_class[names[k]].figures[space.score].value for k in present]
    weakest = [present[i] for i in np.argsort(np.nan_to_num(areas, nan=2.0), kind="stable")]
    shown = present if len(present) <= LINES else sorted(weakest[: LINES - 1])
    rest = [k for k in present if k not in shown]
    band = space.band(judged, present)
    p, figure = judged.labelled.probabilities, judged.scores.figures[space.score]
    lines = [space.line(judged.sides[:, k], p[:, k]) for k in shown]
    summed = space.band(judged, rest) if rest else None

    def draw(axes: Axes) -> None:
        _guide(axes, space, _chance(judged, space))
        if band.samples:
            axes.fill_between(band.x, band.low, band.high, color=INK, alpha=0.12, linewidth=0)
        for hue, line in zip(HUES, lines, strict=False):
            axes.plot(*line, color=hue, linewidth=1.1)
        if summed is not None:
            axes.plot(summed.x, summed.middle, color=HUES[-1], linestyle=(0, (4, 2)))
        axes.plot(band.x, band.middle, color=INK, linewidth=2.2)

    mean = f"mean of {len(present)}: {with_span(figure)}"
    key = [Key(mean, INK)]
    key += [Key(f"{LEVEL} band", INK, "area")] if band.samples else []
    for hue, k in zip(HUES, shown, strict=False):
        area = judged.scores.per_class[names[k]].figures[space.score]
        key.append(Key(f"{names[k]}: {number(area.value)}", hue))
    note = "Each class against the rest. " if judged.task.kind != "coexisting" else ""
    if rest:
        key.append(Key(f"mean of the other {len(rest)}", HUES[-1], "dashed"))
        note += f"Of {len(present)} classes the {len(shown)} weakest are drawn. "
    svg = draw_figure(space.name + suffix, f"{space.title}, {mean}", draw, 5.0, 4.5)
    return Chart(space.title, svg, note + _about_band(band), tuple(key))


def _about_band(band: Band) -> str:
    if not band.samples:
        return ""
    samples = f"{band.samples} bootstrap samples of the patients"
    return f"Band: point by point, {LEVEL} of {samples} lie in it."


def _chance(judged: Judged, space: Space) -> Numbers | None:
    """Give the height of a curve that knows nothing, at 0 and at 1."""
    if space is ROC:
        return np.array([0.0, 1.0])
    return np.full(2, judged.sides[:, 1].mean()) if judged.binary else None


def _guide(axes: Axes, space: Space, chance: Numbers | None) -> None:
    if chance is not None:
        axes.plot([0, 1], chance, color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
    share_axis(axes, "x")
    share_axis(axes, "y")
    axes.set_xlabel(space.x)
    axes.set_ylabel(space.y)


def _mark(axes: Axes, space: Space, across: Figure, up: Figure) -> None:
    """Mark the operating point; arms show the intervals of both of its figures."""
    if not np.isfinite([across.value, up.value]).all():
        return
    ends = np.array([across.low, across.value, across.high])
    low, x, high = 1 - ends if space is ROC else ends
    if span(across):
        axes.plot([low, high], [up.value, up.value], color=WARM, linewidth=1.3)
    if span(up):
        axes.plot([x, x], [up.low, up.high], color=WARM, linewidth=1.3)
    axes.plot([x], [up.value], "o", color=WARM, markersize=7, markeredgecolor=PAPER, clip_on=False)
