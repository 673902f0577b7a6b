"""Subgroups: the same scores among women and men, young and old, one scanner and the next.

A fact of numbers is parted into quarters, an age into decades, a fact of words by its values;
exams without the fact are a group of their own. A group too small to say something says so: two
classes need 10 exams each for any figure; with more classes, and with findings, areas and balanced
accuracy need 10 of each, accuracy 20 exams in all.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.core.record import Fact
from medclf.evaluate.figures import RESAMPLES, find_figures
from medclf.evaluate.interval import Figure
from medclf.evaluate.narrow import narrow
from medclf.evaluate.ranking import indicators
from medclf.evaluate.score import Numbers
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision

FEWEST_OF_A_CLASS = 10
FEWEST_EXAMS = 20
MOST_WORDS = 12
LONGEST_WORD = 60
FEW_CLASSES = 3
MOST_NUMBERS = 5
MISSING = "missing"
OTHERS = "others"
BINARY = ("auc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")
SEVERAL = ("auc", "accuracy", "balanced_accuracy")


@dataclass(frozen=True)
class Subgroup:
    """Some exams and how well they are decided; `note` says which figures are missing and why."""

    name: str
    exams: int
    patients: int
    figures: dict[str, Figure]
    note: str = ""


def find_subgroups(
    predictions: Predictions, decision: Decision, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, tuple[Subgroup, ...]]:
    """Score the groups of every fact; a fact that parts nothing is left out.

    Args:
        predictions: Exams without a label are left out.
        decision: How probabilities become classes.
        seed: Of the bootstrap.
        resamples: Bootstrap samples for each group.
    """
    predictions = predictions.select(predictions.labelled)
    found = {}
    for fact, values in predictions.facts.items():
        groups = part(fact, values)
        if len(groups) > 1:
            found[fact] = tuple(
                _subgroup(name, predictions.select(mask), decision, seed, resamples)
                for name, mask in groups.items()
            )
    return found


def part(name: str, values: Sequence[Fact]) -> dict[str, NDArray[np.bool_]]:
    """Part exams by a fact.

    Returns:
        Masks (N,) by the group's name, in order, each exam in one. Many different words that
        nearly every exam has for itself, as numbers of accession, or that are sentences, as
        notes are, part nothing: no group.

    Example:
        >>> {group: mask.tolist() for group, mask in part("sex", ("F", "M", None)).items()}
        {'F': [True, False, False], 'M': [False, True, False], 'missing': [False, False, True]}
    """
    missing = np.array([_is_missing(value) for value in values], np.bool_)
    words = [str(v) for v, gone in zip(values, missing, strict=True) if isinstance(v, str)]
    if not missing.all() and not words:
        numbers = np.array(
            [np.nan if m else v for v, m in zip(values, missing, strict=True)], float
        )
        groups = _numbers(name, numbers)
    else:
        groups = _words(
            ["" if m else str(v) for v, m in zip(values, missing, strict=True)], missing
        )
    if groups and missing.any():
        groups[MISSING] = missing | groups.get(MISSING, False)
    return groups


def _words(values: list[str], missing: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    counts = Counter(v for v, gone in zip(values, missing, strict=True) if not gone)
    if is_free_text(counts):
        return {}
    usual = sorted(word for word, _ in counts.most_common(MOST_WORDS))
    column = np.array(values)
    groups = {word: (column == word) & ~missing for word in usual}
    if len(counts) > MOST_WORDS:
        groups[OTHERS] = groups.get(OTHERS, False) | ~missing & ~np.isin(column, usual)
    return groups


def is_free_text(counts: Counter[str]) -> bool:
    """Tell whether words are names of their own, or sentences, rather than groups of exams.

    Args:
        counts: How often each word is there.

    Example:
        >>> is_free_text(Counter(str(n) for n in range(20))), is_free_text(Counter("FMFM"))
        (True, False)
    """
    own, sentences = len(counts) > counts.total() / 2, max(map(len, counts), default=0)
    return len(counts) > MOST_WORDS and (own or sentences > LONGEST_WORD)


def _numbers(name: str, values: Numbers) -> dict[str, NDArray[np.bool_]]:
    there = values[np.isfinite(values)]
    different = np.unique(there)
    if len(different) <= MOST_NUMBERS:
        return {_written(value): values == value for value in different}
    tokens = re.split(r"[^a-z]+", name.lower())
    edges = _decades(there) if "age" in tokens and np.ptp(there) > 20 else _quarters(there)
    place = np.digitize(values, edges)
    known = np.isfinite(values)
    return {_range(edges, i): (place == i) & known for i in range(len(edges) + 1)}


def _quarters(values: Numbers) -> Numbers:
    """Find the edges between quarters, each with exams on both sides.

    They are rounded to three digits of their size, or of the range where that is finer.
    """
    range_digits = 2 - np.floor(np.log10(np.ptp(values)))
    found = []
    for edge in np.quantile(values, (0.25, 0.5, 0.75)).tolist():
        digits = 2 - np.floor(np.log10(abs(edge))) if edge else range_digits
        found.append(round(edge, int(max(digits, range_digits))))
    edges = np.unique(found)
    edges = edges[(edges > values.min()) & (edges <= values.max())]
    return edges if len(edges) else np.unique(values)[1:2]


def _decades(ages: Numbers) -> Numbers:
    """Find the edges between decades; at either end they are joined until 20 exams are in it."""
    edges = list(np.arange(np.floor(ages.min() / 10) + 1, np.ceil(ages.max() / 10)) * 10)
    while len(edges) > 1 and (ages < edges[0]).sum() < FEWEST_EXAMS:
        edges.pop(0)
    while len(edges) > 1 and (ages >= edges[-1]).sum() < FEWEST_EXAMS:
        edges.pop()
    return np.array(edges)


def _is_missing(value: Fact) -> bool:
    return value is None or (not isinstance(value, str) and not np.isfinite(value))


def _range(edges: Numbers, i: int) -> str:
    named = [_written(edge) for edge in edges]
    if i == 0:
        return f"under {named[0]}"
    return f"{named[i - 1]} to {named[i]}" if i < len(edges) else f"{named[-1]} and over"


def _written(value: float) -> str:
    """Write a number by the fewest digits that no other number has."""
    return np.format_float_positional(value, trim="-")


def _subgroup(
    name: str, predictions: Predictions, decision: Decision, seed: int, resamples: int
) -> Subgroup:
    exams, patients = len(predictions), len(np.unique(predictions.patients))
    predictions, decision = narrow(predictions, decision)
    task = predictions.task
    sides = indicators(predictions.target, len(task.classes))
    both = task.kind == "coexisting"
    fewest = np.minimum(sides.sum(0), (~sides).sum(0)) if both else sides.sum(0)
    few = [
        f"{int(n)} of {c}"
        for c, n in zip(task.classes, fewest, strict=True)
        if n < FEWEST_OF_A_CLASS
    ]
    binary = len(task.classes) == 2 and not both
    names: tuple[str, ...] = BINARY if binary else SEVERAL
    more = f" and {len(few) - FEW_CLASSES} more classes" if len(few) > FEW_CLASSES + 1 else ""
    told = ", ".join(few[:FEW_CLASSES] if more else few)
    note = f"too few exams: {told}{more}" if few else ""
    if few:
        names = ("accuracy",) if not binary and exams >= FEWEST_EXAMS else ()
    if not names:
        return Subgroup(name, exams, patients, {}, note)
    figures = find_figures(predictions, decision, seed, resamples).whole
    return Subgroup(name, exams, patients, {key: figures[key] for key in names}, note)
