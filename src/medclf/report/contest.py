"""The page of a comparison: which network is best on these exams, by how much, and at what price.

It is laid out as a report is, and is as self-contained.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medclf.core.task import Task
from medclf.evaluate.standing import Failure, Standing
from medclf.report.contents import Setting
from medclf.report.frontier import tell_trade
from medclf.report.headline import WIDE, Head, Tile
from medclf.report.mark import Axis
from medclf.report.page import render_page, write_page
from medclf.report.standings import tell_costs, tell_standings
from medclf.report.words import LEVEL, count, number, span, with_span

TITLES = {
    "standings": "Standings",
    "trade": "Scores and speed",
    "costs": "What each takes",
    "plan": "Plan",
    "repeat": "Make it again",
}
FEW_PASSES = 5


@dataclass(frozen=True)
class Comparison:
    """All that the page tells.

    Args:
        title: What was compared on what.
        task: The classes and their kind.
        version: The medclf that made it.
        date: When, as it should be read.
        digest: Hash of the data.
        seed: Every random draw came from it.
        minutes: Budget of an entry.
        machine: What it was timed on.
        standings: From best to worst.
        failures: Entries that came to nothing.
        unserved: Methods that ask for more than these exams have, and for what.
        classical: Names of the entries that are no networks.
        unseen: Whether the exams had no part in training or choosing.
        shut: Exams of a test split that stayed shut.
        split: How exams were parted, in a sentence or two.
        plan: What is common to all, with reasons.
        recipe: The same as TOML.
        commands: Command lines that make this comparison again.
    """

    title: str
    task: Task
    version: str
    date: str
    digest: str
    seed: int
    minutes: float
    machine: str
    standings: tuple[Standing, ...]
    failures: tuple[Failure, ...] = ()
    unserved: tuple[Failure, ...] = ()
    classical: tuple[str, ...] = ()
    unseen: bool = True
    shut: int = 0
    split: str = ""
    plan: tuple[Setting, ...] = ()
    recipe: str = ""
    commands: tuple[str, ...] = ()


def write_comparison(path: Path, comparison: Comparison) -> Path:
    """Write the page as one HTML file, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    return write_page(path, render_comparison(comparison))


def render_comparison(comparison: Comparison) -> str:
    """Make the page. The same comparison always makes the same page."""
    rows = comparison.standings
    parts = {
        "standings": tell_standings(
            rows,
            {"Came to nothing": comparison.failures, "Not for these exams": comparison.unserved},
            comparison.unseen,
            comparison.split,
        ),
        "trade": tell_trade(rows, comparison.classical),
        "costs": tell_costs(rows, comparison.minutes, comparison.machine),
        "plan": comparison.plan or comparison.recipe,
        "repeat": comparison.commands,
    }
    return render_page(comparison, _head(comparison), TITLES, parts)


def _head(comparison: Comparison) -> Head:
    meta = [comparison.date, f"medclf {comparison.version}", f"seed {comparison.seed}"]
    meta.append(f"data {comparison.digest.rpartition(':')[2][:12]}")
    if not comparison.standings:
        return Head(tuple(meta), ("No entry came to its end.",), (), ())
    statement = [_first(comparison), *_others(comparison), *_worth(comparison)]
    return Head(tuple(meta), tuple(statement), _tiles(comparison), _cautions(comparison))


def _first(comparison: Comparison) -> str:
    first, score = comparison.standings[0], _leading(comparison)
    scores = first.result.scores
    where = "never seen in training" if comparison.unseen else "that were left out of training"
    sample = f"{count(scores.exams, 'exam')} of {count(scores.patients, 'patient')}"
    figure = with_span(first.figure(score), f"{LEVEL} interval")
    two = len(comparison.task.classes) == 2 and comparison.task.kind != "coexisting"
    named = {"auc": "an AUC" if two else "a mean AUC"}
    what = named.get(score, "an accuracy")
    return f"On {sample} {where}, {first.result.name} comes first, with {what} of {figure}."


def _others(comparison: Comparison) -> Sequence[str]:
    others = [row for row in comparison.standings[1:] if row.p is not None]
    if not others:
        return ()
    far = [row for row in others if (row.p or 0) < 0.05]
    if len(others) == 1:
        verb = "is" if far else "is not"
        return (f"{others[0].result.name} {verb} told apart from it at the 5 % level.",)
    told = "None" if not far else "All" if len(far) == len(others) else f"{len(far)}"
    verb = "is" if told in ("None", "1") else "are"
    return (
        f"{told} of the {count(len(others), 'other')} {verb} told apart from it at the 5 % level, "
        "with all comparisons counted.",
    )


def _worth(comparison: Comparison) -> Sequence[str]:
    """Say what the best network adds to the best entry that needs none."""
    network, plain = _best_of_each(comparison)
    if network is None or plain is None:
        return ()
    first = comparison.standings[0]
    apart = (plain if network is first else network).difference
    if apart is None:
        return ()
    gap = f"{number(-apart.value)} ({number(-apart.high)} to {number(-apart.low)})"
    if network is first:
        return (f"Its AUC is {gap} above that of {plain.result.name}, which needs no network.",)
    return (
        f"No network surpasses what needs none: the AUC of {network.result.name} is {gap} below.",
    )


def _best_of_each(comparison: Comparison) -> tuple[Standing | None, Standing | None]:
    """Give the best network, and the best of the others."""
    rows, classical = comparison.standings, comparison.classical
    network = next((row for row in rows if row.result.name not in classical), None)
    return network, next((row for row in rows if row.result.name in classical), None)


def _tiles(comparison: Comparison) -> tuple[Tile, ...]:
    first, axis = comparison.standings[0], Axis()
    shown = [("AUC", first, "auc"), ("Accuracy", first, "accuracy")]
    other = next((r for r in _best_of_each(comparison) if r is not None and r is not first), None)
    if other is not None:
        shown.append(("AUC", other, "auc"))
    return tuple(
        Tile(
            f"{name}, {row.result.name}",
            number(row.figure(score).value),
            span(row.figure(score)),
            axis.mark(row.figure(score)),
        )
        for name, row, score in shown
        if math.isfinite(row.figure(score).value)
    )


def _cautions(comparison: Comparison) -> tuple[str, ...]:
    rows, found = comparison.standings, []
    if comparison.unseen:
        found.append(
            "Who comes first was seen on these very exams, which flatters the first. To choose, "
            "look at validation, or compare with folds, which leave the test split shut."
        )
    else:
        rest = f" {count(comparison.shut, 'test exam')} stayed shut." if comparison.shut else ""
        found.append(
            "Thresholds and calibrations were chosen on the same exams, and so were learning rates "
            "of networks and methods, which flatters these a little: with folds, classical entries "
            f"choose on another one.{rest}"
        )
    area = rows[0].figure("auc")
    if area.high - area.low > WIDE:
        patients = count(rows[0].result.scores.patients, "patient")
        found.append(
            f"The interval of the first AUC is {number(area.high - area.low, 2)} wide: {patients} "
            "cannot tell it more closely."
        )
    hasty = [r.result.name for r in rows if (r.result.cost.epochs or math.inf) < FEW_PASSES]
    if hasty:
        found.append(
            f"{comparison.minutes:g} minutes let {', '.join(hasty)} see each exam fewer than "
            f"{FEW_PASSES} times: more minutes may change the order."
        )
    found.append(
        "Intervals tell how far other patients would move a figure; another seed of the training "
        "moves it too."
    )
    return (*found, *(f"{f.name} came to nothing: {f.reason}." for f in comparison.failures))


def _leading(comparison: Comparison) -> str:
    known = math.isfinite(comparison.standings[0].figure("auc").value)
    return "auc" if known else "accuracy"
