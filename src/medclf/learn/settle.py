"""Settle what the budget allows: epochs and members, from a few timed steps.

Steps are timed as they will be run, several members side by side. What fits is rounded down to a
rung of a ladder, so that the same machine settles on the same recipe from day to day.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from medclf.errors import SettingError
from medclf.learn.committee import Part, side_by_side
from medclf.learn.exams import Exams
from medclf.learn.loop import Indices, draw_order, judge, run_epoch
from medclf.learn.member import Member
from medclf.learn.settings import Fit
from medclf.method.contract import Taught

LADDER = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 125, 150, 200)
TIMED_STEPS = 5
SLOW = 1.0  # seconds of a step from which on no more steps are timed
SLOWEST = 5.0  # seconds of a step from which on a few exams stand for its batch
PROBED = 4  # exams of that few
FEWEST_SLOW_STEPS = 4  # of a budget; of quick steps as few as one may be taken
FEWEST_EPOCHS = 4
FEWEST_STEPS = 150  # of a member: below, it is hardly better than chance, and more of them as well
JUDGING = 0.3  # share of the seconds left that judging at the end may take
MOST_MEMBERS = 12
WORTH = 0.8  # share of the steps that are left where epochs are cut
EIGHTHS = 8  # a cut pass is so many parts of a whole one, rounded down


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


def time_steps(
    members: Sequence[Member[Taught]], exams: Exams, parts: Sequence[Part], side: int
) -> Pace:
    """Time a few steps and a validation batch of throw-away members, side by side.

    Args:
        members: Fresh ones; they are spent afterwards.
    """

    def work(place: int) -> tuple[float, float]:
        member, part = members[place], parts[place]
        batch = min(member.fit.batch, len(part.training))
        few = part.training[: batch * TIMED_STEPS]
        judged = few[: 2 * batch]

        def learn(several: Indices) -> float:
            return _seconds(lambda: run_epoch(member, exams, several, 1)) * batch / len(several)

        def look(several: Indices) -> float:
            spent = _seconds(lambda: judge(member.average, exams, several, member.fit))
            return spent / len(several)

        # The first pass of every shape also compiles its kernels: no pace is taken from it.
        if learn(few[:PROBED]) > SLOWEST and (step := learn(few[:PROBED])) > SLOWEST:
            return step, look(few[:PROBED])
        learn(few[:batch])
        look(judged)
        step, each = learn(few[:batch]), look(judged)
        if step > SLOW:
            return step, each
        # The better of several: a busy moment of the machine is not its pace.
        return min(step, learn(few), learn(few)), min(each, look(judged))

    step, each = zip(*side_by_side(work, min(side, len(members)), side), strict=True)
    training, fit = parts[0].training, members[0].fit
    steps = len(draw_order(exams.target, training, fit, members[0].generator()))
    return Pace(max(step), max(each), steps)


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
    copies: int = 1,
    fixed: bool = False,
) -> Fit:
    """Choose epochs, and members where cross-validation may have more, for a budget.

    First every member gets the epochs that it needs; what is left goes to more members, for a
    mean of many is steadier and no epoch too many overfits it. Where a few passes over the exams do
    not fit, the passes are cut to the steps that do.

    Args:
        fit: With `epochs` 0, and the members wanted.
        seconds: What is left of the budget.
        side: Members that train at once.
        validation: Exams that a member validates on after each epoch.
        rest: Exams that each member judges at the end.
        copies: Of each of them, shifted ones among them. Where there is no time for those,
            `shift` becomes 0.
        fixed: Keep the number of members.

    Raises:
        SettingError: a step takes so long that the budget holds hardly any.
    """
    if pace.step > SLOW and seconds < FEWEST_SLOW_STEPS * pace.step:
        raise SettingError(
            f"at least {FEWEST_SLOW_STEPS} steps wanted, but one of {fit.batch} exams takes "
            f"{pace.step:.0f} s here, and {max(seconds, 0):.0f} s of the budget are left to train: "
            "give more minutes, smaller images, a smaller batch or a smaller network"
        )
    epoch = pace.step * pace.steps + pace.judge * validation
    members = fit.members
    wanted = max(FEWEST_EPOCHS, round(fit.enough / (pace.steps * fit.batch)))

    def share() -> float:
        return judging(pace, rest * (copies if fit.shift else 1), side)

    def passes_of(members: int) -> float:
        """Epochs of each member that fit into the seconds left beside the final judging."""
        rounds = -(-members // side)
        return (seconds - share() * members) / (rounds * epoch)

    def starve(members: int) -> bool:
        passes = passes_of(members)
        return passes < FEWEST_EPOCHS or _rung(passes) * pace.steps < FEWEST_STEPS

    # Members that train side by side cost no more time than one that has the machine to itself.
    while not fixed and members > side and starve(members):
        members -= 1
    if share() * members > JUDGING * seconds:
        fit = replace(fit, shift=0.0)
    while not fixed and members > 1 and share() * members > JUDGING * seconds:
        members -= 1
    grows = bool(fit.folds) and not fixed
    while grows and members + side <= MOST_MEMBERS and passes_of(members + side) >= wanted:
        members += side
    passes = min(wanted, passes_of(members))
    if passes >= FEWEST_EPOCHS:
        return replace(fit, members=members, epochs=_rung(passes))
    return _cut(replace(fit, members=members), pace, passes * epoch, validation)


def _rung(passes: float) -> int:
    return max(rung for rung in LADDER if rung <= passes)


def judging(pace: Pace, exams: int, side: int) -> float:
    """Seconds in which a member judges exams, while the others judge beside it."""
    return pace.judge * exams / side


def _cut(fit: Fit, pace: Pace, seconds: float, validation: int) -> Fit:
    """Bound the steps of an epoch so that a member's epochs fit into its seconds."""

    def steps_of(epochs: int) -> int:
        return int((seconds / epochs - pace.judge * validation) / pace.step)

    # Short epochs lose less to a kill, but each is followed by a validation.
    short = steps_of(FEWEST_EPOCHS)
    several = short > 0 and FEWEST_EPOCHS * short >= WORTH * steps_of(1)
    epochs = FEWEST_EPOCHS if several else 1
    steps = steps_of(epochs)
    eighth = max(1, pace.steps // EIGHTHS)
    steps = steps // eighth * eighth if steps > eighth else steps
    return replace(fit, epochs=epochs, steps=max(1, min(steps, pace.steps)))
