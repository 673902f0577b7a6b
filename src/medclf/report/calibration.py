"""Whether the probabilities tell the chances: reliability, and what was said how often."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from medclf.evaluate.calibrate import Calibration
from medclf.evaluate.curve import Reliability, reliability
from medclf.report.chart import Chart, Key
from medclf.report.judged import Judged
from medclf.report.mark import UNKNOWN
from medclf.report.style import ACCENT, INK, MUTED, PAPER, WARM, draw_figure, share_axis
from medclf.report.words import LEVEL, number, with_span

Numbers = NDArray[np.float64]
BINS, BARS = 10, 20


@dataclass(frozen=True)
class Told:
    """What the page says of calibration."""

    words: str
    charts: tuple[Chart, ...]


def tell_calibration(judged: Judged) -> Told | None:
    """Draw what was said against what came true; `None` where no exam has a label."""
    if not len(judged.labelled):
        return None
    chance, outcome, what = _said(judged)
    ece = judged.scores.figures.get("ece", UNKNOWN)
    words = f"The expected calibration error is {with_span(ece, f'{LEVEL} interval')}."
    if judged.task.kind == "coexisting":
        words += (
            " It is the mean over findings; the drawing pools them, so that one that is said too "
            "often may hide one that is said too rarely."
        )
    words += _fitted(judged.calibration)
    patients = np.repeat(judged.labelled.patients, len(chance) // len(judged.labelled))
    chart = _reliability(reliability(chance, outcome, patients, BINS), what)
    return Told(words, (chart, _histogram(judged, chance, outcome)))


def _fitted(calibration: Calibration | None) -> str:
    """Say what calibration did to the logits, where it did something."""
    if calibration is None or calibration == Calibration():
        return ""
    warmth = f"{calibration.temperature:.2f}"
    direction = "less" if calibration.temperature > 1 else "more"
    effect = f", which makes answers {direction} sure" if warmth != "1.00" else ""
    shifted = ", and shifted by class" if calibration.bias else ""
    return f" Logits were divided by {warmth}{effect}{shifted}; this was fitted to validation."


def _said(judged: Judged) -> tuple[Numbers, NDArray[np.bool_], str]:
    """Give each probability that is judged, whether it came true, and what it speaks of."""
    p = judged.labelled.probabilities
    if judged.binary:
        return p[:, 1], judged.sides[:, 1], f"“{judged.task.classes[1]}”"
    if judged.task.kind == "coexisting":
        return p.ravel(), judged.sides.ravel(), "a finding"
    right = p.argmax(1) == judged.labelled.target
    return p.max(1), right, "the likeliest class"


def _reliability(bins: Reliability, what: str) -> Chart:
    some = bins.exams > 0
    said, seen = bins.said[some], bins.seen[some]
    arms = np.clip([seen - bins.low[some], bins.high[some] - seen], 0, None)

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
        axes.errorbar(said, seen, arms, color=ACCENT, elinewidth=1.2, linewidth=1.4, alpha=0.9)
        size = 16 + 120 * bins.exams[some] / bins.exams.max()
        axes.scatter(
            said, seen, size, color=ACCENT, edgecolor=PAPER, linewidth=1, zorder=3, clip_on=False
        )
        share_axis(axes, "x")
        share_axis(axes, "y")
        axes.set_xlabel("Probability said")
        axes.set_ylabel("Share that came true")

    alt = f"Reliability curve: share that came true against the probability said of {what}"
    note = (
        f"Probability of {what}, in {BINS} bins; dots grow with their exams, bars are {LEVEL} "
        "intervals, in which exams of one patient count together."
    )
    key = (Key("found", ACCENT), Key("perfect", MUTED, "dashed"))
    return Chart("Reliability", draw_figure("reliability", alt, draw, 5.0, 4.1), note, key)


def _histogram(judged: Judged, chance: Numbers, outcome: NDArray[np.bool_]) -> Chart:
    yes, no = ("right", "wrong")
    if judged.binary:
        no, yes = judged.task.classes
    elif judged.task.kind == "coexisting":
        yes, no = "there", "not there"
    edges = np.linspace(0, 1, BARS + 1)
    above = np.histogram(chance[outcome], edges)[0]
    below = np.histogram(chance[~outcome], edges)[0]
    threshold = (
        judged.decision.thresholds[0] if judged.binary and judged.decision.thresholds else None
    )

    def draw(axes: Axes) -> None:
        middle, width = (edges[1:] + edges[:-1]) / 2, 0.9 / BARS
        axes.bar(middle, above, width, color=ACCENT)
        axes.bar(middle, -below, width, color=WARM)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        if threshold is not None:
            axes.axvline(threshold, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
        share_axis(axes, "x")
        axes.xaxis.grid(visible=False)
        axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        axes.set_xlabel("Probability said")
        axes.set_ylabel("Exams" if judged.task.kind != "coexisting" else "Findings")

    key = [Key(f"{yes} (up)", ACCENT, "bar"), Key(f"{no} (down)", WARM, "bar")]
    if threshold is not None:
        key.append(Key(f"threshold {number(threshold)}", INK, "dashed"))
    alt = f"Histogram of the probability said, {yes} upwards and {no} downwards"
    svg = draw_figure("histogram", alt, draw, 5.0, 4.1)
    return Chart("What was said", svg, "How often each probability was said.", tuple(key))
