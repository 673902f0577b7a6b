"""A trial: short trainings side by side decide on validation what must not be assumed.

Whether mirror images help is such a question: the heart is on the left, so a mirrored chest is an
image that no patient gives, while a mirrored mole is as good as any. Both ways are trained for the
same few epochs, from the same first weights, on the same folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from medclf.core.task import Task
from medclf.learn.committee import Part, build_method, train_committee
from medclf.learn.exams import Exams
from medclf.learn.member import Member
from medclf.learn.recipe import Recipe
from medclf.learn.settle import LADDER, Pace

SHARE = 0.12  # of the budget, for all trainings of the trial
FEWEST_EPOCHS = 2
MOST_EPOCHS = 15


@dataclass(frozen=True)
class Verdict:
    """What a trial found.

    Args:
        recipe: With what was decided.
        reason: In a sentence, with the figures.
    """

    recipe: Recipe
    reason: str


def try_mirror(
    recipe: Recipe, task: Task, exams: Exams, parts: Sequence[Part], pace: Pace, seconds: float
) -> Verdict:
    """Decide on validation whether an exam may be mirrored left to right in training.

    Args:
        parts: One for each member of the trial; as many as train at once.
        pace: Of one member, with that many at work.
        seconds: Of the whole budget.
    """
    off = replace(recipe, fit=replace(recipe.fit, mirror="no"))
    epoch = pace.step * pace.steps + pace.judge * len(parts[0].validation)
    passes = SHARE * seconds / (2 * epoch)
    if passes < FEWEST_EPOCHS:
        return Verdict(off, "not mirrored: the budget leaves no time to try")
    epochs = max(rung for rung in LADDER if rung <= min(passes, MOST_EPOCHS))
    axis = len(recipe.prepare.size) - 1
    ways = [replace(off, augment=replace(off.augment, mirror=mirror)) for mirror in ((), (axis,))]
    short = [replace(way, fit=replace(way.fit, epochs=epochs, patience=0)) for way in ways]
    plain, turned = (_losses(way, task, exams, parts) for way in short)
    gain = plain - turned
    figures = f"validation loss {plain.mean():.4f} without, {turned.mean():.4f} with mirror images"
    if (gain > 0).all():
        return Verdict(ways[1], f"tried for {epochs} epochs: {figures}")
    return Verdict(off, f"tried for {epochs} epochs: {figures}; mirrored only where all gain")


def _losses(
    recipe: Recipe, task: Task, exams: Exams, parts: Sequence[Part]
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    members = [
        Member(
            build_method(recipe, task, number, exams.device), recipe.fit, number, recipe.transfer
        )
        for number in range(len(parts))
    ]
    train_committee(members, exams, parts, len(parts), lambda member: True)
    return np.array([member.log[-1]["val_loss"] for member in members])
