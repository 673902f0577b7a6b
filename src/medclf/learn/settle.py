"""Settle what the budget allows: epochs and members, from a few timed steps.

Steps are timed as they will be run, several members side by side. What fits is rounded down to a
rung of a ladder, so that the same machine settles on the same recipe from day to day.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from medclf.learn.committee import Part, side_by_side
from medclf.learn.exams import Exams
from medclf.learn.loop import draw_order, judge, run_epoch
from medclf.learn.member import Member
from medclf.learn.recipe import Fit

LADDER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 150, 200)
TIMED_STEPS = 5
WANTED = 60_000  # exams that a member sees before more epochs stop helping, measured in bench/
FEWEST_EPOCHS = 4
MOST_MEMBERS = 12


@dataclass(frozen=True)
class Pace:
    """What was timed.

    Args:
        step: Seconds of a training step, while all members that train at once are at work.
        judge: Seconds to judge one exam once, likewise.
        steps: Steps of an epoch.
    """

    step: float
    judge: float
    steps: int


def time_steps(members: Sequence[Member], exams: Exams, parts: Sequence[Part], side: int) -> Pace:
    """Time a few steps and a validation batch of throw-away members, side by side.

    Args:
        members: Fresh ones; they are spent afterwards.
    """

    def work(place: int) -> tuple[float, float]:
        member, part = members[place], parts[place]
        batch = min(member.fit.batch, len(part.training))
        few = part.training[: batch * TIMED_STEPS]
        # The first pass of every shape also compiles its kernels: it is not timed.
        run_epoch(member, exams, few[:batch], 1)
        judge(member.average, exams, few[: 2 * batch], member.fit)
        step = _quickest(lambda: run_epoch(member, exams, few, 1)) / (len(few) / batch)
        judged = few[: 2 * batch]
        each = _quickest(lambda: judge(member.average, exams, judged, member.fit)) / len(judged)
        return step, each

    step, each = zip(*side_by_side(work, min(side, len(members)), side), strict=True)
    training, fit = parts[0].training, members[0].fit
    steps = len(draw_order(exams.target, training, fit, members[0].generator()))
    return Pace(max(step), max(each), steps)


def _quickest(work: Callable[[], object]) -> float:
    """Time some work, the better of two: a busy moment of the machine is not its pace."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def settle(fit: Fit, pace: Pace, seconds: float, side: int, validation: int, rest: int) -> Fit:
    """Choose epochs, and members where cross-validation may have more, for a budget.

    First every member gets the epochs that it needs; what is left goes to more members, for a
    mean of many is steadier and no epoch too many overfits it.

    Args:
        fit: With `epochs` 0, and the members wanted.
        seconds: What is left of the budget.
        side: Members that train at once.
        validation: Exams that a member validates on after each epoch.
        rest: Exams judged at the end, with all their shifted copies counted.
    """
    epoch = pace.step * pace.steps + pace.judge * validation
    share = pace.judge * rest / side
    wanted = max(FEWEST_EPOCHS, round(WANTED / (pace.steps * fit.batch)))
    members = fit.members
    # Members that train side by side cost no more time than one that has the machine to itself.
    while members > side and _passes(seconds, share, members, side, epoch) < FEWEST_EPOCHS:
        members -= 1
    while (
        fit.folds
        and members + side <= MOST_MEMBERS
        and _passes(seconds, share, members + side, side, epoch) >= wanted
    ):
        members += side
    passes = min(wanted, _passes(seconds, share, members, side, epoch))
    return replace(fit, members=members, epochs=max(r for r in LADDER if r <= max(1, passes)))


def _passes(seconds: float, share: float, members: int, side: int, epoch: float) -> float:
    """Epochs of each member that fit into the seconds left beside the final judging."""
    rounds = -(-members // side)
    return (seconds - share * members) / (rounds * epoch)
