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
SLOW = 2.0  # seconds of a first step from which on no more steps are timed
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
        # The first pass of every shape also compiles its kernels: it does not count, unless it is
        # so slow that kernels are the least of it.
        judged = few[: 2 * batch]
        step = _seconds(lambda: run_epoch(member, exams, few[:batch], 1))
        each = _seconds(lambda: judge(member.average, exams, judged, member.fit)) / len(judged)
        if step > SLOW:
            return step, each
        step = _quickest(lambda: run_epoch(member, exams, few, 1)) / (len(few) / batch)
        each = _quickest(lambda: judge(member.average, exams, judged, member.fit)) / len(judged)
        return step, each

    step, each = zip(*side_by_side(work, min(side, len(members)), side), strict=True)
    training, fit = parts[0].training, members[0].fit
    steps = len(draw_order(exams.target, training, fit, members[0].generator()))
    return Pace(max(step), max(each), steps)


def _quickest(work: Callable[[], object]) -> float:
    """Time some work, the better of two: a busy moment of the machine is not its pace."""
    return min(_seconds(work) for _ in range(2))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def settle(
    fit: Fit,
    pace: Pace,
    seconds: float,
    side: int,
    validation: int,
    rest: int,
    fixed: bool = False,
) -> Fit:
    """Choose epochs, and members where cross-validation may have more, for a budget.

    First every member gets the epochs that it needs; what is left goes to more members, for a
    mean of many is steadier and no epoch too many overfits it. Where not even one pass over the
    exams fits, the pass is cut to the steps that do.

    Args:
        fit: With `epochs` 0, and the members wanted.
        seconds: What is left of the budget.
        side: Members that train at once.
        validation: Exams that a member validates on after each epoch.
        rest: Exams judged at the end, with all their shifted copies counted.
        fixed: Keep the number of members.
    """
    epoch = pace.step * pace.steps + pace.judge * validation
    share = pace.judge * rest / side
    wanted = max(FEWEST_EPOCHS, round(WANTED / (pace.steps * fit.batch)))

    def passes_of(members: int) -> float:
        """Epochs of each member that fit into the seconds left beside the final judging."""
        rounds = -(-members // side)
        return (seconds - share * members) / (rounds * epoch)

    members = fit.members
    # Members that train side by side cost no more time than one that has the machine to itself.
    while not fixed and members > side and passes_of(members) < FEWEST_EPOCHS:
        members -= 1
    grows = bool(fit.folds) and not fixed
    while grows and members + side <= MOST_MEMBERS and passes_of(members + side) >= wanted:
        members += side
    passes = min(wanted, passes_of(members))
    if passes < 1:
        steps = int((passes * epoch - pace.judge * validation) / pace.step)
        return replace(fit, members=members, epochs=1, steps=max(1, steps))
    return replace(fit, members=members, epochs=max(r for r in LADDER if r <= passes))
