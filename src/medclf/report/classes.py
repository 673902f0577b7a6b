"""What the page says class by class: which was taken for which, and how well each is told."""

from dataclasses import dataclass

import numpy as np

from medclf.report.confusion import Confusions, Matrix, tell_confusion
from medclf.report.forest import Cell, Forest, Group, cell_of, draw_row
from medclf.report.judged import Judged
from medclf.report.mark import UNKNOWN, shared_axis
from medclf.report.words import count, name_of

MANY_CLASSES, ROWS_SHOWN = 20, 220
COLUMNS = ("sensitivity", "specificity", "precision", "f1")


@dataclass(frozen=True)
class Classes:
    """What the page says by class.

    Args:
        matrix: Truth by what was said, where it can be read.
        confused: The commonest confusions, where the matrix is too large.
        table: The scores of each class, or of the weakest.
        rest: The scores of the others, where they are many.
    """

    matrix: Matrix | None
    confused: Confusions | None
    table: Forest
    rest: Forest | None


def tell_classes(judged: Judged) -> Classes:
    """Lay out what was decided of each class."""
    found = tell_confusion(judged)
    matrix = found if isinstance(found, Matrix) else None
    confused = found if isinstance(found, Confusions) else None
    names = list(judged.task.classes)
    noun = "Finding" if judged.task.kind == "coexisting" else "Class"
    caption = "Each finding by itself." if noun == "Finding" else "Each class against the rest."
    if len(names) <= MANY_CLASSES:
        return Classes(matrix, confused, table_classes(judged, names, noun, caption), None)
    every = judged.scores.per_class
    worth = [every[name].figures.get("auc", UNKNOWN).value for name in names]
    names = [names[i] for i in np.argsort(np.nan_to_num(worth, nan=2.0), kind="stable")]
    weakest, others = names[:MANY_CLASSES], names[MANY_CLASSES:ROWS_SHOWN]
    caption = f"The {MANY_CLASSES} weakest of {len(names)}, by AUC. {caption}"
    table = table_classes(judged, weakest, noun, caption)
    best = f"{count(len(others), noun.lower())}, from weak to strong"
    return Classes(matrix, confused, table, table_classes(judged, others, noun, f"{best}."))


def table_classes(judged: Judged, names: list[str], noun: str, caption: str) -> Forest:
    """List the scores of some classes."""
    every = judged.scores.per_class
    areas = [every[name].figures.get("auc", UNKNOWN) for name in names]
    axis, rows = shared_axis(areas), []
    for name, area in zip(names, areas, strict=True):
        figures = every[name].figures
        cells = [cell_of(figures.get(column, UNKNOWN)) for column in COLUMNS]
        rows.append(draw_row(name, area, axis, (Cell(f"{every[name].exams:,}"), *cells)))
    headings = ("Exams", *(name_of(column) for column in COLUMNS))
    return Forest(caption, noun, "AUC", headings, (Group("", tuple(rows)),), axis.ticks)
