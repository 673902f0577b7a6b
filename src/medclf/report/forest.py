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
    """One row.

    Args:
        name: Said first.
        drawn: The figure that is drawn.
        mark: Its place on the axis.
        cells: Further numbers, one for each heading.
        meaning: Said in small type below the name.
        note: Said instead of a figure that cannot be told.
    """

    name: str
    drawn: Cell
    mark: Mark
    cells: tuple[Cell, ...] = ()
    meaning: str = ""
    note: str = ""


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
        score: Heading of the figure that is drawn.
        headings: Of the further cells.
        groups: The rows.
        ticks: Of the axis.
    """

    caption: str
    first: str
    score: str
    headings: tuple[str, ...]
    groups: tuple[Group, ...]
    ticks: tuple[Tick, ...]


def cell_of(figure: Figure) -> Cell:
    """Show a figure in a cell."""
    return Cell(number(figure.value), span(figure))


def draw_row(name: str, figure: Figure, axis: Axis, cells: tuple[Cell, ...], note: str = "") -> Row:
    """Make a row whose figure is drawn on an axis."""
    return Row(name, cell_of(figure), axis.mark(figure), cells, note=note)
