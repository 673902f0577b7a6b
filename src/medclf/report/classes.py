"""What the page says class by class: which was taken for which, and how well each is told."""

from dataclasses import dataclass

import numpy as np

from medclf.report.confusion import Confusions, Matrix, tell_confusion
from medclf.report.forest import Cell, Forest, Group, area_row, cell_of
from medclf.report.judged import Judged
from medclf.report.mark import UNKNOWN, shared_axis
from medclf.report.words import name_of

ROWS_SHOWN = 200
MANY_CLASSES = 12
COLUMNS = ("sensitivity", "specificity", "precision", "f1")


@dataclass(frozen=True)
class Classes:
    """The matrix or the commonest confusions, whichever can be read, and the table by class."""

    matrix: Matrix | None
    confused: Confusions | None
    table: Forest


def tell_classes(judged: Judged) -> Classes:
    """Lay out what was decided of each class."""
    found = tell_confusion(judged)
    matrix = found if isinstance(found, Matrix) else None
    confused = found if isinstance(found, Confusions) else None
    return Classes(matrix, confused, table_classes(judged))


def table_classes(judged: Judged) -> Forest:
    """List each class against the rest, the weakest first where they are many."""
    every, names = judged.scores.per_class, list(judged.task.classes)
    many = len(names) > MANY_CLASSES
    if many:
        worth = [every[name].figures.get("auc", UNKNOWN).value for name in names]
        names = [names[i] for i in np.argsort(np.nan_to_num(worth, nan=2.0), kind="stable")]
    shown = names[:ROWS_SHOWN]
    areas = [every[name].figures.get("auc", UNKNOWN) for name in shown]
    axis, rows = shared_axis(areas), []
    for name, area in zip(shown, areas, strict=True):
        figures = every[name].figures
        cells = [cell_of(figures.get(column, UNKNOWN)) for column in COLUMNS]
        rows.append(area_row(name, (Cell(f"{every[name].exams:,}"), *cells), area, axis))
    noun = "Finding" if judged.task.kind == "coexisting" else "Class"
    caption = f"Each {noun.lower()}" + ("" if noun == "Finding" else " against the rest")
    caption += ", the weakest first" if many else ""
    caption += f"; {ROWS_SHOWN} of {len(names)} are shown" if len(names) > ROWS_SHOWN else ""
    headings = ("Exams", *(name_of(column) for column in COLUMNS))
    return Forest(f"{caption}.", noun, headings, "AUC", (Group("", tuple(rows)),), axis.ticks)
