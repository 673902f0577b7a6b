"""Standings: entries that judged the same exams, from best to worst, beside what each costs.

Each is compared with the best, whose AUC is the highest, and Holm's correction counts these
comparisons. An entry stands on the frontier where none that answers as fast scores higher.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from medclf.evaluate.compare import Difference, compare_areas, holm
from medclf.evaluate.figures import RESAMPLES
from medclf.evaluate.interval import Figure
from medclf.evaluate.scores import Scores
from medclf.evaluate.table import Predictions

TRADED = ("auc", "accuracy")
Test = tuple[Difference | None, float | None]


@dataclass(frozen=True)
class Cost:
    """What an entry took to train, and takes to answer; `None` for what it does not have.

    Args:
        weights: Of all networks of a member; networks that judge by vote are members of their own.
        multiply_adds: Of a member for one exam: each network as often as it sees a view.
        epochs: Passes of each network over its training exams.
        seconds: Of training, wall clock.
        latency_ms: A member's answer to one exam by itself, on one thread; the median.
        latency_all_ms: The same on all threads.
        memory_mb: The most memory that its process held while it trained and judged, MiB.
    """

    weights: int | None
    multiply_adds: int | None
    epochs: float | None
    seconds: float
    latency_ms: float
    latency_all_ms: float
    memory_mb: float


@dataclass(frozen=True, eq=False)
class Result:
    """How an entry came out.

    Args:
        name: Of the entry.
        family: What it is a member of.
        predictions: Of the exams that all entries are judged on.
        scores: Measured on them.
        validation_auc: On the exams that choices were made on.
        cost: What it took.
        note: What a reader should know of it, in a sentence.
    """

    name: str
    family: str
    predictions: Predictions
    scores: Scores
    validation_auc: float
    cost: Cost
    note: str = ""


@dataclass(frozen=True)
class Failure:
    """An entry that came to nothing, and why."""

    name: str
    family: str
    reason: str


@dataclass(frozen=True, eq=False)
class Standing:
    """A row of the table.

    Args:
        result: How the entry came out.
        difference: Its AUC minus that of the best; `None` for the best, or where no test is
            possible.
        p: Of that difference, corrected for the number of comparisons.
        frontier: The scores, of "auc" and "accuracy", on whose frontier it stands.
    """

    result: Result
    difference: Difference | None
    p: float | None
    frontier: tuple[str, ...]

    def figure(self, name: str) -> Figure:
        """Give a score with its interval; nan where it is not defined."""
        return self.result.scores.figures.get(name, Figure(math.nan))

    def to_json(self) -> dict[str, Any]:
        """Give plain values, in the order of the table; what is not known is null."""
        row: dict[str, Any] = {"entry": self.result.name, "family": self.result.family}
        for name in TRADED:
            figure = self.figure(name)
            row |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
        there = self.difference
        row |= {
            "validation_auc": self.result.validation_auc,
            "difference": there and there.value,
            "difference_low": there and there.low,
            "difference_high": there and there.high,
            "p": there and there.p,
            "p_holm": self.p,
            **asdict(self.result.cost),
            "frontier": " ".join(self.frontier),
            "note": self.result.note,
            "failure": "",
        }
        return {key: _known(value) for key, value in row.items()}


def rank(
    results: Sequence[Result], seed: int = 0, resamples: int = RESAMPLES
) -> tuple[Standing, ...]:
    """Order results by AUC, or by accuracy where it is not defined, and compare with the best.

    Args:
        results: Of the same exams.
        seed: Of the bootstrap, where there are more classes than two.
        resamples: Bootstrap samples.

    Raises:
        CohortError: the results are not of the same exams with the same labels.
    """
    ordered = sorted(results, key=_merit, reverse=True)
    tested = _against_first([result.predictions for result in ordered], seed, resamples)
    fronts = {name: frontier(*_trade(ordered, name)) for name in TRADED}
    return tuple(
        Standing(result, *test, tuple(name for name in TRADED if i in fronts[name]))
        for i, (result, test) in enumerate(zip(ordered, tested, strict=True))
    )


def frontier(latency: Sequence[float], score: Sequence[float]) -> list[int]:
    """Name, from the fastest on, those that score higher than all that are as fast or faster.

    Example:
        >>> frontier([3.0, 1.0, 2.0], [0.9, 0.8, 0.7])
        [1, 0]
    """
    found: list[int] = []
    for i in sorted(range(len(score)), key=lambda i: (latency[i], -score[i])):
        if math.isfinite(score[i]) and (not found or score[i] > score[found[-1]]):
            found.append(i)
    return found


def _merit(result: Result) -> tuple[float, float]:
    figures = (result.scores.figures.get(name, Figure(math.nan)).value for name in TRADED)
    auc, accuracy = (value if math.isfinite(value) else -1.0 for value in figures)
    return auc, accuracy


def _against_first(runs: list[Predictions], seed: int, resamples: int) -> list[Test]:
    """Compare all with the first, and correct for the number of tests that were possible."""
    others = compare_areas(runs, 0, seed, resamples)[1:] if len(runs) > 1 else []
    corrected = iter(holm([difference.p for difference in others if math.isfinite(difference.p)]))
    first: list[Test] = [(None, None)] * (len(runs) - len(others))
    return first + [
        (difference, next(corrected)) if math.isfinite(difference.p) else (None, None)
        for difference in others
    ]


def _trade(results: Sequence[Result], name: str) -> tuple[list[float], list[float]]:
    latency = [result.cost.latency_ms for result in results]
    figures = [result.scores.figures.get(name, Figure(math.nan)) for result in results]
    return latency, [figure.value for figure in figures]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
