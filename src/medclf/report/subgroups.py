"""Whether it serves everyone alike: the scores of each subgroup beside those of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medclf.evaluate.interval import Figure
from medclf.report.forest import Cell, Forest, Group, Row, cell_of, draw_row
from medclf.report.judged import Judged
from medclf.report.mark import UNKNOWN, shared_axis
from medclf.report.words import name_of, title

WORDS = (
    "An interval that misses the dashed line is worth a look; with many groups, one in twenty "
    "does so by chance."
)


@dataclass(frozen=True)
class Subgroups:
    """What the page says of subgroups."""

    words: str
    table: Forest


def tell_subgroups(judged: Judged) -> Subgroups | None:
    """Lay the groups of every fact out; `None` where there is none."""
    scores = judged.scores
    if not scores.subgroups:
        return None
    whole = scores.figures.get("auc", UNKNOWN)
    areas = [_area(g.figures) for groups in scores.subgroups.values() for g in groups]
    axis = shared_axis([*areas, whole], whole.value if np.isfinite(whole.value) else None)
    columns = ("sensitivity", "specificity") if judged.binary else ("accuracy", "balanced_accuracy")

    def row(name: str, exams: int, patients: int, figures: Mapping[str, Figure], note: str) -> Row:
        sizes = (Cell(f"{exams:,}"), Cell(f"{patients:,}"))
        return draw_row(name, _area(figures), axis, (*sizes, *_cells(figures, columns)), note)

    everyone = row("All exams", scores.exams, scores.patients, scores.figures, "")
    groups = [Group("", (everyone,))]
    for fact, some in scores.subgroups.items():
        rows = tuple(row(g.name, g.exams, g.patients, g.figures, g.note) for g in some)
        groups.append(Group(title(fact), rows))
    headings = ("Exams", "Patients", *(name_of(column) for column in columns))
    caption = "The dashed line is the AUC of all exams."
    return Subgroups(WORDS, Forest(caption, "Group", "AUC", headings, tuple(groups), axis.ticks))


def _cells(figures: Mapping[str, Figure], columns: Sequence[str]) -> list[Cell]:
    return [cell_of(figures.get(column, UNKNOWN)) for column in columns]


def _area(figures: Mapping[str, Figure]) -> Figure:
    return figures.get("auc", UNKNOWN)
