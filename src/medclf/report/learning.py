"""Learning curves: loss and validation AUC by epoch, one line per member."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from medclf.report.chart import Chart, Key
from medclf.report.contents import Epoch
from medclf.report.style import ACCENT, WARM, draw_figure
from medclf.report.words import clock, count, number

ROWS_SHOWN = 300
HEADINGS = ("Member", "Epoch", "Loss", "Val. loss", "Val. AUC", "Seconds", "Learning rate")


@dataclass(frozen=True)
class Training:
    """What the page says of the training."""

    words: str
    charts: tuple[Chart, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


def tell_training(log: Sequence[Epoch]) -> Training | None:
    """Sum the log up in words, curves and rows; `None` where there is no log."""
    if not log:
        return None
    members = _members(log)
    seconds = sum(rows[-1].seconds for rows in members) / len(log)
    lengths = [len(rows) for rows in members]
    shortest, longest = min(lengths), max(lengths)
    epochs = count(longest, "epoch")
    if shortest < longest:
        epochs = f"{shortest} to {epochs}"
    who = "One network" if len(members) == 1 else count(len(members), "network")
    each = "" if len(members) == 1 else " each"
    words = f"{who} learnt for {epochs}{each}; an epoch took {clock(seconds)}."
    if best := [max(some) for some in (_known(rows) for rows in members) if some]:
        reach = (
            number(min(best)) if len(best) == 1 else f"{number(min(best))} to {number(max(best))}"
        )
        words += f" The best AUC on validation was {reach}."
    caption = f"The last {ROWS_SHOWN} of {count(len(log), 'row')}" if len(log) > ROWS_SHOWN else ""
    rows = tuple(_row(epoch) for epoch in log[-ROWS_SHOWN:])
    return Training(words, _charts(members), HEADINGS, rows, caption)


def _members(log: Sequence[Epoch]) -> list[list[Epoch]]:
    numbers = dict.fromkeys(epoch.member for epoch in log)
    return [[epoch for epoch in log if epoch.member == member] for member in numbers]


def _known(rows: Sequence[Epoch]) -> list[float]:
    return [row.val_auc for row in rows if row.val_auc is not None]


def _row(epoch: Epoch) -> tuple[str, ...]:
    scores = (epoch.loss, epoch.val_loss, epoch.val_auc)
    shown = (number(score, 4) for score in scores)
    return (
        str(epoch.member + 1),
        str(epoch.epoch),
        *shown,
        f"{epoch.seconds:.1f}",
        f"{epoch.rate:.2g}",
    )


def _charts(members: list[list[Epoch]]) -> tuple[Chart, ...]:
    many = len(members) > 1
    lines = "one line per network" if many else "by epoch"
    watched = any(row.val_loss is not None for rows in members for row in rows)
    key = (Key("Training", ACCENT), Key("Validation", WARM)) if watched else ()

    def draw_loss(axes: Axes) -> None:
        for rows in members:
            _line(axes, rows, "loss", ACCENT, many)
            _line(axes, rows, "val_loss", WARM, many)
        _finish(axes, "Loss")

    loss = draw_figure("loss", f"Loss on training and validation exams, {lines}", draw_loss)
    note = "Augmentation and smoothing keep the training loss up." if watched else ""
    charts = [Chart("Loss", loss, f"Mean loss, {lines}. {note}".strip(), key)]
    if any(_known(rows) for rows in members):

        def draw_auc(axes: Axes) -> None:
            for rows in members:
                _line(axes, rows, "val_auc", ACCENT, many)
            _finish(axes, "AUC")

        auc = draw_figure("val-auc", f"AUC on validation exams, {lines}", draw_auc)
        charts.append(Chart("AUC on validation", auc, f"Area under the ROC curve, {lines}."))
    return tuple(charts)


def _line(axes: Axes, rows: Sequence[Epoch], name: str, colour: str, many: bool) -> None:
    points = [(row.epoch, getattr(row, name)) for row in rows]
    known = [(epoch, value) for epoch, value in points if value is not None]
    if not known:
        return
    style: dict[str, Any] = {"marker": "o", "markersize": 3.5} if len(known) < 30 else {}
    epochs, values = zip(*known, strict=True)
    axes.plot(epochs, values, color=colour, linewidth=1.2 if many else 1.8, **style)


def _finish(axes: Axes, name: str) -> None:
    axes.set_xlabel("Epoch")
    axes.set_ylabel(name)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
