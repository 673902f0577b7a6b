"""The most wrong cases: those whose truth the model thought least likely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.report.contents import Mistake
from medclf.report.data import Sheet, Shown, lay_out
from medclf.report.judged import Judged
from medclf.report.words import number


@dataclass(frozen=True)
class Case:
    """A mistake as the page shows it."""

    exam: str
    truth: str
    said: str
    probability: str
    image: Shown | None


@dataclass(frozen=True)
class Mistakes:
    """What the page says of mistakes."""

    cases: tuple[Case, ...]
    sheet: Sheet


def tell_mistakes(mistakes: Sequence[Mistake]) -> Mistakes | None:
    """Show mistakes with their pictures; `None` where there is none."""
    if not mistakes:
        return None
    sheet = lay_out([m.picture for m in mistakes if m.picture is not None])
    shown = iter(sheet.pictures)
    cases = tuple(
        Case(m.exam, m.truth, m.said, number(m.probability), next(shown) if m.picture else None)
        for m in mistakes
    )
    return Mistakes(cases, sheet)


def find_mistakes(judged: Judged, most: int = 12) -> tuple[Mistake, ...]:
    """Find the cases that were decided wrongly, and most surely so.

    Args:
        judged: What was measured on a split.
        most: How many to find at most. Where findings coexist, an exam counts once, by its worst.

    Returns:
        Worst first, without pictures: whoever has the pixels adds them with `replace`.
    """
    if judged.task.kind == "coexisting":
        return _findings(judged, most)
    exams, names = judged.labelled, judged.task.classes
    rows = np.arange(len(exams))
    truth = np.asarray(exams.probabilities[rows, exams.target])
    missed: NDArray[np.bool_] = np.not_equal(judged.decided, exams.target)
    wrong = _worst(truth, missed, most)
    return tuple(
        Mistake(
            str(exams.exams[i]),
            names[exams.target[i]],
            names[judged.decided[i]],
            float(exams.probabilities[i, judged.decided[i]]),
        )
        for i in wrong
    )


def _findings(judged: Judged, most: int) -> tuple[Mistake, ...]:
    exams, names = judged.labelled, judged.task.classes
    sides, p = judged.sides, exams.probabilities
    missed = np.not_equal(judged.decided, exams.target)
    truth = np.where(missed, np.where(sides, p, 1 - p), np.inf)
    worst = truth.argmin(1)
    rows = np.arange(len(exams))
    wrong = _worst(truth[rows, worst], np.asarray(missed.any(1)), most)
    found = []
    for i in wrong:
        k = int(worst[i])
        words = (f"no {names[k]}", names[k])
        there = int(sides[i, k])
        said = p[i, k] if judged.decided[i, k] else 1 - p[i, k]
        mistake = Mistake(str(exams.exams[i]), words[there], words[1 - there], float(said))
        found.append(mistake)
    return tuple(found)


def _worst(truth: NDArray[np.float64], wrong: NDArray[np.bool_], most: int) -> Sequence[int]:
    order = np.argsort(np.where(wrong, truth, np.inf), kind="stable")
    return [int(i) for i in order[: min(most, int(wrong.sum()))]]
