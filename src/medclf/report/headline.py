"""The head of the page: one honest sentence, the main figures in large type, and the cautions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from medclf.evaluate.interval import Figure
from medclf.report.contents import Contents
from medclf.report.judged import Judged
from medclf.report.mark import UNKNOWN, Axis, Mark
from medclf.report.words import LEVEL, count, name_of, number, of_100, span, with_span

WIDE, FEW = 0.1, 20
TILES = {
    "binary": ("auc", "accuracy", "sensitivity", "specificity"),
    "exclusive": ("auc", "accuracy", "balanced_accuracy", "f1"),
    "ranked": ("auc", "kappa", "accuracy", "balanced_accuracy"),
    "coexisting": ("auc", "average_precision", "sensitivity", "specificity"),
}


@dataclass(frozen=True)
class Tile:
    """A main figure in large type."""

    name: str
    value: str
    span: str
    mark: Mark


@dataclass(frozen=True)
class Head:
    """The head of the page."""

    meta: tuple[str, ...]
    statement: tuple[str, ...]
    tiles: tuple[Tile, ...]
    cautions: tuple[str, ...]


def tell_head(contents: Contents) -> Head:
    """Say what was found, in a sentence and in the main figures."""
    judged = contents.test or contents.validation
    meta = [contents.date, f"medclf {contents.version}", f"seed {contents.seed}"]
    if contents.digest:
        meta.append(f"data {contents.digest.rpartition(':')[2][:12]}")
    if judged is None:
        return Head(tuple(meta), ("Nothing has been measured yet.",), (), contents.limits)
    statement = [_statement(judged, contents.test is not None), *_plain(judged)]
    kind = "binary" if judged.binary else judged.task.kind
    figures = [(name, judged.scores.figures.get(name, UNKNOWN)) for name in TILES[kind]]
    tiles = tuple(tile(name_of(name), f) for name, f in figures if math.isfinite(f.value))
    return Head(tuple(meta), tuple(statement), tiles, cautions(contents))


def tile(name: str, figure: Figure) -> Tile:
    """Show a figure between 0 and 1."""
    return Tile(name, number(figure.value), span(figure), Axis().mark(figure))


def cautions(contents: Contents) -> tuple[str, ...]:
    """Say what weakens the figures of this very run."""
    judged = contents.test or contents.validation
    found: list[str] = []
    if judged is not None and contents.test is None:
        found.append(
            "No exam was kept for a test. These figures come from validation, where choices were "
            "made, so they flatter the model."
        )
    if judged is not None:
        found += [*_weak(judged), *(f"{_sentence(note)}" for note in judged.scores.notes)]
    return (*found, *contents.limits)


def _weak(judged: Judged) -> Sequence[str]:
    area = judged.scores.figures.get("auc", UNKNOWN)
    found = []
    if area.high - area.low > WIDE:
        found.append(
            f"The interval of the AUC is {number(area.high - area.low, 2)} wide: "
            f"{count(judged.scores.patients, 'patient')} cannot tell it more closely."
        )
    per_class = judged.scores.per_class.items()
    few = [f"{name} ({c.patients})" for name, c in per_class if 0 < c.patients < FEW]
    if few:
        more = f" and {len(few) - 5} more" if len(few) > 5 else ""
        found.append(f"Few patients to measure with: {', '.join(few[:5])}{more}.")
    return found


def _statement(judged: Judged, unseen: bool) -> str:
    scores, classes = judged.scores, len(judged.task.classes)
    where = "never seen in training" if unseen else "of the validation split"
    sample = f"On {count(scores.exams, 'exam')} of {count(scores.patients, 'patient')} {where}"
    what, figure = "the AUC", scores.figures.get("auc", UNKNOWN)
    if not judged.binary:
        noun = "finding" if judged.task.kind == "coexisting" else "class"
        against = "" if noun == "finding" else ", each against the rest,"
        what = f"the mean AUC over {count(classes, noun)}{against}"
    if not math.isfinite(figure.value):
        what, figure = "the share of right answers", scores.figures.get("accuracy", UNKNOWN)
    return f"{sample}, {what} is {with_span(figure, f'{LEVEL} interval')}."


def _plain(judged: Judged) -> Sequence[str]:
    """Say the same as counts among 100, which people read more rightly than shares."""
    figures = judged.scores.figures
    if judged.binary:
        found, cleared = (figures.get(n, UNKNOWN) for n in ("sensitivity", "specificity"))
        if not math.isfinite(found.value) or not math.isfinite(cleared.value):
            return ()
        no, yes = judged.task.classes
        return (
            f"Of 100 exams with “{yes}” it finds {of_100(found)}; "
            f"of 100 with “{no}” it clears {of_100(cleared)}.",
        )
    right = figures.get("accuracy", UNKNOWN)
    if not math.isfinite(right.value):
        return ()
    what = "answers" if judged.task.kind == "coexisting" else "exams"
    sentence = f"Of 100 {what}, {of_100(right)} are right"
    if "kappa" in figures and math.isfinite(figures["kappa"].value):
        agreed = number(figures["kappa"].value)
        return (f"{sentence}; the grades agree with a quadratic kappa of {agreed}.",)
    return (f"{sentence}.",)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if not words.endswith(".") else words
