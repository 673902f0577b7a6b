"""The tables of a comparison: scores from best to worst, and what each entry takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medclf.evaluate.interval import Figure
from medclf.evaluate.standing import Failure, Standing
from medclf.report.forest import Cell, Forest, Group, Row, cell_of
from medclf.report.mark import UNKNOWN, shared_axis
from medclf.report.words import DASH, LEVEL, chance, clock, scaled, signed, significant

COSTS = (
    "Entry",
    "Weights",
    "Multiply-adds",
    "Passes",
    "Training",
    "One thread",
    "All threads",
    "Memory",
)


@dataclass(frozen=True)
class Standings:
    """What the page says of the scores."""

    words: str
    table: Forest


@dataclass(frozen=True)
class Costs:
    """What the page says of the costs.

    Args:
        words: Said before the table.
        caption: Said above it.
        headings: Of its columns; the first names the entry.
        rows: Name and cells.
        notes: What a reader should know of single entries.
    """

    words: str
    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[tuple[str, str], ...]


def tell_standings(
    rows: Sequence[Standing], others: Mapping[str, Sequence[Failure]], unseen: bool, split: str
) -> Standings:
    """Lay out the scores, each with its interval, and how surely it is below the first.

    Args:
        rows: From best to worst.
        others: Entries without scores, by what is said above them.
        unseen: Whether the exams had no part in training or choosing.
        split: How exams were parted.
    """
    headings = ["Accuracy", "Below the first", "p, by Holm"] + ["AUC on validation"] * unseen
    axis = shared_axis(row.figure("auc") for row in rows)
    ended = [
        Row(
            row.result.name,
            cell_of(row.figure("auc")),
            axis.mark(row.figure("auc")),
            _cells(row, unseen),
            row.result.family,
        )
        for row in rows
    ]
    none = (Cell(""),) * len(headings)
    blank = axis.mark(UNKNOWN)
    groups = [Group("", tuple(ended))]
    for heading, failures in others.items():
        told = [Row(f.name, Cell(""), blank, none, f.family, f.reason) for f in failures]
        groups += [Group(heading, tuple(told))] if told else []
    caption = (
        f"In small type the {LEVEL} interval; exams of one patient count together. p of no "
        "difference in AUC, corrected for the number of comparisons with the first."
    )
    return Standings(
        split, Forest(caption, "Entry", "AUC", tuple(headings), tuple(groups), axis.ticks)
    )


def _cells(row: Standing, unseen: bool) -> tuple[Cell, ...]:
    apart = row.difference
    below, p = Cell(""), Cell("")
    if apart is not None and row.p is not None:
        below = Cell(signed(apart.value), f"{signed(apart.low)} to {signed(apart.high)}")
        p = Cell(chance(row.p))
    cells = (cell_of(row.figure("accuracy")), below, p)
    if not unseen:
        return cells
    return (*cells, cell_of(Figure(row.result.validation_auc)))


def tell_costs(rows: Sequence[Standing], minutes: float, machine: str) -> Costs | None:
    """Lay out what each entry takes; `None` where none came to its end."""
    if not rows:
        return None
    words = (
        f"Each entry had {clock(60 * minutes)} to learn, judge and be measured, and a process of "
        f"its own on {machine}, one after the other."
    )
    caption = (
        "Weights of all networks that judge an exam together, and their multiply-adds for all that "
        "they see of it. Latency of one exam by itself, the median. Memory: the most that the "
        "process held, with Python, its libraries and the images it had read."
    )
    notes = tuple((row.result.name, row.result.note) for row in rows if row.result.note)
    return Costs(words, caption, COSTS, tuple(map(_cost_row, rows)), notes)


def _cost_row(row: Standing) -> tuple[str, tuple[str, ...]]:
    cost = row.result.cost
    cells = (
        DASH if cost.weights is None else scaled(cost.weights),
        DASH if cost.multiply_adds is None else scaled(cost.multiply_adds),
        DASH if cost.epochs is None else significant(cost.epochs, 2),
        clock(cost.seconds),
        f"{significant(cost.latency_ms)} ms",
        f"{significant(cost.latency_all_ms)} ms",
        f"{cost.memory_mb:,.0f} MiB",
    )
    return row.result.name, cells
