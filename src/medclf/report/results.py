"""What was measured on the split: every score, and the curves behind them."""

from dataclasses import dataclass

from medclf.evaluate.interval import Figure
from medclf.report.chart import Chart
from medclf.report.curves import draw_curves
from medclf.report.forest import Forest, Group, Row, cell_of
from medclf.report.judged import Judged
from medclf.report.mark import UNKNOWN, Axis
from medclf.report.words import LEVEL, NAMES, meaning_of, name_of, number

CAPTION = (
    f"In small type the {LEVEL} interval, made to hold the truth 95 times in 100. Exams of one "
    "patient count together."
)


@dataclass(frozen=True)
class Results:
    """What the page says of the figures."""

    words: str
    table: Forest
    charts: tuple[Chart, ...]


def tell_results(judged: Judged, validation: Judged | None = None) -> Results:
    """Lay out all scores, beside those of validation where the split is another."""
    beside = None if validation is judged else validation
    return Results(_words(judged), table_scores(judged, beside), draw_curves(judged))


def table_scores(judged: Judged, beside: Judged | None = None) -> Forest:
    """List every score of a split, with that of validation as a cell."""
    axis, rows = Axis(), []
    for name, figure in sorted(judged.scores.figures.items(), key=_place):
        cells = (cell_of(beside.scores.figures.get(name, UNKNOWN)),) if beside is not None else ()
        # A loss may lie beyond the axis: it is then told in digits only.
        shown = figure if not max(figure.value, figure.high) > axis.high else UNKNOWN
        drawn, mark = cell_of(figure), axis.mark(shown)
        rows.append(Row(name_of(name), drawn, mark, cells, meaning_of(name)))
    headings = ("On validation",) if beside is not None else ()
    score = "On test" if beside is not None else "Value"
    return Forest(CAPTION, "Score", score, headings, (Group("", tuple(rows)),), axis.ticks)


def _place(item: tuple[str, Figure]) -> int:
    """Order scores as the page tells them, those it does not know last."""
    order = list(NAMES)
    return order.index(item[0]) if item[0] in NAMES else len(order)


def _words(judged: Judged) -> str:
    names, given = judged.task.classes, judged.decision.thresholds
    if judged.binary:
        where = f" from a probability of {number(given[0])} on" if given else ""
        chosen = ", which was chosen on validation" if given else ""
        return f"“{names[1]}” is the positive class; it is said{where}{chosen}."
    if judged.task.kind == "coexisting":
        return "Each finding has a threshold of its own, chosen on validation."
    if judged.task.kind == "ranked":
        return f"The classes rank from “{names[0]}” to “{names[-1]}”."
    return "Scores over classes are plain means: a rare class counts as much as a common one."
