"""Tables that show, row by row, a figure with its interval as a dot and a whisker."""

from dataclasses import dataclass

from medclf.evaluate.interval import Figure
from medclf.report.mark import Axis, Mark, Tick
from medclf.report.words import number, span


@dataclass(frozen=True)
class Cell:
    """A number and, in small type below it, its interval."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One row: its name, a note below it, its cells, and the figure that is drawn."""

    name: str
    note: str
    cells: tuple[Cell, ...]
    value: str
    span: str
    mark: Mark


@dataclass(frozen=True)
class Group:
    """Rows below a common heading; "" for none."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Forest:
    """A table whose last column is drawn on one axis.

    Args:
        caption: Said above it.
        first: Heading of the names.
        headings: Of the cells.
        score: Heading of the figure that is drawn.
        groups: The rows.
        ticks: Of the axis.
    """

    caption: str
    first: str
    headings: tuple[str, ...]
    score: str
    groups: tuple[Group, ...]
    ticks: tuple[Tick, ...]


def cell_of(figure: Figure) -> Cell:
    """Show a figure in a cell."""
    return Cell(number(figure.value), span(figure))


def area_row(name: str, cells: tuple[Cell, ...], area: Figure, axis: Axis, note: str = "") -> Row:
    """Show a row whose figure is drawn on an axis."""
    return Row(name, note, cells, number(area.value), span(area), axis.mark(area))
