"""Whether it serves everyone alike: the scores of each subgroup beside those of all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medclf.evaluate.interval import Figure
from medclf.evaluate.subgroup import MISSING, OTHERS, Subgroup
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
    table: Forest | None


def tell_subgroups(judged: Judged) -> Subgroups | None:
    """Lay out the groups of every fact, but name facts of which no group could be measured.

    Returns:
        Words and a table, `None` where there is no fact.
    """
    facts = judged.scores.subgroups
    told = {fact: groups for fact, groups in facts.items() if any(map(_is_measured, groups))}
    small = [fact.replace("_", " ") for fact in facts if fact not in told]
    words = [WORDS] if told else []
    if small:
        words.append(f"Too few exams to measure any group by {', '.join(small)}.")
    return Subgroups(" ".join(words), _table(judged, told) if told else None) if facts else None


def _is_measured(group: Subgroup) -> bool:
    return bool(group.figures) and group.name not in (MISSING, OTHERS)


def _table(judged: Judged, facts: Mapping[str, Sequence[Subgroup]]) -> Forest:
    """Lay out all exams, and below them the groups of each fact."""
    scores = judged.scores
    whole = scores.figures.get("auc", UNKNOWN)
    areas = [_area(g.figures) for groups in facts.values() for g in groups]
    axis = shared_axis([*areas, whole], whole.value if np.isfinite(whole.value) else None)
    columns = ("sensitivity", "specificity") if judged.binary else ("accuracy", "balanced_accuracy")

    def row(group: Subgroup) -> Row:
        cells = (Cell(f"{group.exams:,}"), Cell(f"{group.patients:,}"))
        figures = group.figures
        return draw_row(
            group.name, _area(figures), axis, (*cells, *_cells(figures, columns)), group.note
        )

    everyone = Subgroup("All exams", scores.exams, scores.patients, dict(scores.figures))
    groups = [Group("", (row(everyone),))]
    groups += [Group(title(fact), tuple(map(row, some))) for fact, some in facts.items()]
    headings = ("Exams", "Patients", *(name_of(column) for column in columns))
    caption = "The dashed line is the AUC of all exams."
    return Forest(caption, "Group", "AUC", headings, tuple(groups), axis.ticks)


def _cells(figures: Mapping[str, Figure], columns: Sequence[str]) -> list[Cell]:
    return [cell_of(figures.get(column, UNKNOWN)) for column in columns]


def _area(figures: Mapping[str, Figure]) -> Figure:
    return figures.get("auc", UNKNOWN)
