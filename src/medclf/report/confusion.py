"""Which class was taken for which: the whole matrix, or of many classes the commonest mistakes."""

from dataclasses import dataclass

import numpy as np

from medclf.evaluate.curve import ConfusionMatrix, confusion_matrix
from medclf.report.judged import Judged
from medclf.report.words import DASH, count, percent

MATRIX_CLASSES, SPACIOUS_CLASSES = 25, 8
CONFUSIONS_SHOWN = 25
DARKEST = 0.62


@dataclass(frozen=True)
class Box:
    """One place of the matrix: how many exams, their share of the truth, and its shade."""

    exams: str
    share: str
    paint: str


@dataclass(frozen=True)
class MatrixRow:
    """All exams of one true class."""

    name: str
    cells: tuple[Box, ...]


@dataclass(frozen=True)
class Matrix:
    """Truth by what was said."""

    words: str
    caption: str
    names: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    dense: bool


@dataclass(frozen=True)
class Confusion:
    """How often one class was taken for another."""

    truth: str
    said: str
    exams: str
    share: str


@dataclass(frozen=True)
class Confusions:
    """The commonest mistakes, where the matrix would be too large to read."""

    words: str
    caption: str
    rows: tuple[Confusion, ...]


def tell_confusion(judged: Judged) -> Matrix | Confusions | None:
    """Lay out what was said of each class; `None` where findings coexist, or none is labelled."""
    if judged.task.kind == "coexisting" or not len(judged.labelled):
        return None
    found = confusion_matrix(judged.labelled.target, judged.decided, judged.task.classes)
    right = int(np.trace(found.counts))
    words = f"{right:,} of {count(int(found.counts.sum()), 'exam')} were decided rightly."
    if len(found.classes) > MATRIX_CLASSES:
        return _commonest(found, words)
    rows = tuple(_row(found, k) for k in range(len(found.classes)))
    caption = "Exams by what is true (rows) and what was said (columns), with the share of the row."
    return Matrix(words, caption, found.classes, rows, len(found.classes) > SPACIOUS_CLASSES)


def _row(found: ConfusionMatrix, truth: int) -> MatrixRow:
    boxes = []
    for said, (exams, share) in enumerate(
        zip(found.counts[truth], found.shares[truth], strict=True)
    ):
        if not np.isfinite(share):
            boxes.append(Box(str(exams), DASH, ""))
            continue
        colour = "shade" if said == truth else "alarm"
        paint = f"background: rgb(var(--{colour}) / {DARKEST * share:.3f})" if exams else ""
        boxes.append(Box(f"{exams:,}", percent(share), paint))
    return MatrixRow(found.classes[truth], tuple(boxes))


def _commonest(found: ConfusionMatrix, words: str) -> Confusions:
    wrong = found.counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS_SHOWN]
    places = [divmod(int(place), len(wrong)) for place in order if wrong.flat[place]]
    rows = tuple(
        Confusion(
            found.classes[truth],
            found.classes[said],
            f"{wrong[truth, said]:,}",
            percent(float(found.shares[truth, said])),
        )
        for truth, said in places
    )
    kinds = int(np.count_nonzero(wrong))
    caption = f"The {len(rows)} commonest of {count(kinds, 'kind')} of confusion"
    rest = int(wrong.sum()) - sum(int(wrong[place]) for place in places)
    caption += f"; the others make {count(rest, 'exam')}." if rest else "."
    return Confusions(words, caption, rows)
