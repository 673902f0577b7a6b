"""Trials: short trainings side by side decide on validation what must not be assumed.

Whether mirror images help is such a question: the heart is on the left, so a mirrored chest is an
image that no patient gives, while a mirrored mole is as good as any. Which learning rate suits a
network is another. All ways are trained for the same few epochs, from the same first weights, on
the same folds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medclf.core.task import Task
from medclf.errors import RunError
from medclf.learn.committee import Part, begin_member, train_committee
from medclf.learn.exams import Exams
from medclf.learn.figures import figures
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit
from medclf.learn.settle import LADDER, Pace

SHARE = 0.12  # of the budget, for all trainings of a trial
FEWEST_EPOCHS = 2
MOST_EPOCHS = 15
FEWEST_STEPS = 100  # of a training, below which one rate cannot be told from another


@dataclass(frozen=True)
class Verdict:
    """What trials found.

    Args:
        recipe: With what was decided.
        reasons: In a sentence each, with the figures, by dotted key.
    """

    recipe: Recipe
    reasons: Mapping[str, str]


def hold_trials(
    recipe: Recipe, task: Task, exams: Exams, parts: Sequence[Part], pace: Pace, seconds: float
) -> Verdict:
    """Decide on validation all that the recipe leaves to a trial.

    Args:
        parts: One for each member of a trial; as many as train at once.
        pace: Of one member, with that many at work.
        seconds: Of the whole budget.
    """
    reasons: dict[str, str] = {}
    if recipe.fit.rates:
        verdict = try_rates(recipe, task, exams, parts, pace, seconds)
        recipe, reasons = verdict.recipe, dict(verdict.reasons)
    if recipe.fit.mirror == "try":
        verdict = try_mirror(recipe, task, exams, parts, pace, seconds)
        recipe, reasons = verdict.recipe, {**reasons, **verdict.reasons}
    return Verdict(recipe, reasons)


def try_rates(
    recipe: Recipe, task: Task, exams: Exams, parts: Sequence[Part], pace: Pace, seconds: float
) -> Verdict:
    """Decide on validation which of the learning rates of a recipe suits its network.

    Args: as `hold_trials`. Where a pass is too long, so many of its steps are taken as there is
        time for; where there is time for few only, the rate stays what it is.
    """
    fit = replace(recipe.fit, rates=())
    short = _shorten(fit, parts, pace, SHARE * seconds / len(recipe.fit.rates))
    if short is None or short.epochs * min(short.steps or np.inf, pace.steps) < FEWEST_STEPS:
        why = f"others are not tried: fewer than {FEWEST_STEPS} steps of each fit into a trial"
        return Verdict(replace(recipe, fit=fit), {"fit.rate": why})
    short = replace(short, mirror="no")
    ways = [replace(recipe, fit=replace(short, rate=rate)) for rate in recipe.fit.rates]
    found = [_loss(way, task, exams, parts) for way in ways]
    best = recipe.fit.rates[int(np.argmin(found))]
    told = ", ".join(
        f"{loss:.4f} at {rate:g}" for loss, rate in zip(found, recipe.fit.rates, strict=True)
    )
    why = f"tried for {_length(short)}: validation loss {told}"
    return Verdict(replace(recipe, fit=replace(fit, rate=best)), {"fit.rate": why})


def try_mirror(
    recipe: Recipe, task: Task, exams: Exams, parts: Sequence[Part], pace: Pace, seconds: float
) -> Verdict:
    """Decide on validation whether an exam may be mirrored left to right in training.

    Args: as `hold_trials`.
    """
    off = replace(recipe, fit=replace(recipe.fit, mirror="no"))
    short = _shorten(off.fit, parts, pace, SHARE * seconds / 2)
    if short is None or short.epochs < FEWEST_EPOCHS:
        why = "not mirrored: the budget leaves no time to try"
        return Verdict(off, {"augment.mirror": why})
    axis = len(recipe.prepare.size) - 1
    ways = [replace(off, augment=replace(off.augment, mirror=mirror)) for mirror in ((), (axis,))]
    plain, turned = (_losses(replace(way, fit=short), task, exams, parts) for way in ways)
    gain = plain - turned
    figures = f"validation loss {plain.mean():.4f} without, {turned.mean():.4f} with mirror images"
    why = f"tried for {_length(short)}: {figures}"
    if (gain > 0).all():
        return Verdict(ways[1], {"augment.mirror": why})
    return Verdict(off, {"augment.mirror": f"{why}; mirrored only where all gain"})


def _shorten(fit: Fit, parts: Sequence[Part], pace: Pace, seconds: float) -> Fit | None:
    """Cut a training to so many seconds: to a few passes, or a part of one; `None`: to neither."""
    judging = pace.judge * len(parts[0].validation)
    passes = seconds / (pace.step * pace.steps + judging)
    if passes >= FEWEST_EPOCHS:
        epochs = max(rung for rung in LADDER if rung <= min(passes, MOST_EPOCHS))
        return replace(fit, epochs=epochs, patience=0)
    steps = int((seconds - judging) / pace.step)
    if steps < 1:
        return None
    return replace(fit, epochs=1, steps=min(steps, pace.steps), patience=0)


def _length(fit: Fit) -> str:
    return f"{fit.steps} steps" if fit.epochs < FEWEST_EPOCHS else f"{fit.epochs} epochs"


def _loss(recipe: Recipe, task: Task, exams: Exams, parts: Sequence[Part]) -> float:
    """Give the mean validation loss; infinite where a member diverges."""
    try:
        return float(_losses(recipe, task, exams, parts).mean())
    except RunError:
        return np.inf


def _losses(recipe: Recipe, task: Task, exams: Exams, parts: Sequence[Part]) -> NDArray[np.float64]:
    """Train a member on each part, and give their validation losses."""
    members = [begin_member(recipe, task, exams, part, n) for n, part in enumerate(parts)]
    train_committee(members, exams, parts, len(parts), figures, lambda member: True)
    return np.array([member.log[-1]["val_loss"] for member in members])
