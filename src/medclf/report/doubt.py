"""Labels to look at again: the network, which never saw them, is confident of another class."""

from dataclasses import dataclass

from medclf.evaluate.noise import Doubt, doubt_labels
from medclf.evaluate.table import Predictions
from medclf.report.contents import Doubts, Mistake
from medclf.report.mistake import Mistakes, tell_mistakes
from medclf.report.words import count, percent


@dataclass(frozen=True)
class Told:
    """What the page says of doubtful labels."""

    words: str
    shown: Mistakes


def tell_doubts(doubts: Doubts | None) -> Told | None:
    """Count doubtful labels and show the most doubtful; `None` where there is none."""
    shown = None if doubts is None else tell_mistakes(doubts.cases)
    if doubts is None or shown is None:
        return None
    share = percent(doubts.doubted / doubts.labels)
    words = (
        f"Of {count(doubts.labels, 'label')} that were not learnt from, {doubts.doubted:,} "
        f"({share}) may be wrong: the network is confident of another class, more than it usually "
        "is of that class (confident learning). It may be the network that is wrong. The most "
        "doubtful come first."
    )
    return Told(words, shown)


def find_doubts(predictions: Predictions, most: int = 12) -> Doubts:
    """Find the labels that may be wrong.

    Args:
        predictions: Of exams that were not learnt from.
        most: How many to show at most. Where findings coexist, an exam may stand there several
            times.

    Returns:
        Worst first, without pictures: whoever has the pixels adds them with `replace`.
    """
    found = doubt_labels(predictions)
    labels = int(predictions.labelled.sum())
    if predictions.task.kind == "coexisting":
        labels *= len(predictions.task.classes)
    return Doubts(labels, len(found), tuple(_case(predictions, d) for d in found[:most]))


def _case(predictions: Predictions, doubt: Doubt) -> Mistake:
    names = predictions.task.classes
    if doubt.finding >= 0:
        names = (f"no {names[doubt.finding]}", names[doubt.finding])
    exam = str(predictions.exams[doubt.row])
    return Mistake(exam, names[doubt.given], names[doubt.guess], doubt.probability)
