"""Fit a run: from a split cohort and a recipe to weights, predictions and scores.

The order keeps the test split shut: members train and validate, the calibration and the threshold
come from exams that the judging member never learnt from, and only then the test exams are judged,
once. After every epoch the member's state is on disk.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.memory import keep_memory
from medclf.learn.committee import Part, at_once, begin_member, train_committee
from medclf.learn.deal import deal_parts, make_target
from medclf.learn.device import pick_device
from medclf.learn.exams import Exams, measure_values, standardised
from medclf.learn.facts import encode_facts
from medclf.learn.figures import figures
from medclf.learn.frozen import fit_heads
from medclf.learn.keep import Keeper, Tell, checkpoint, save_kept, take_up
from medclf.learn.measure import measure_run
from medclf.learn.member import MethodMember
from medclf.learn.plant import write_trees
from medclf.learn.run import Run
from medclf.learn.settle import judging, settle, time_steps
from medclf.learn.trial import hold_trials
from medclf.prepare.store import Rows

# What is kept of the budget for scores, intervals and the report.
RESERVE_SHARE, RESERVE_SECONDS, RESERVE_MOST = 0.06, 4.0, 0.3


def fit_run(
    run: Run,
    cohort: Cohort,
    store: Rows,
    seconds: float | None = None,
    tell: Tell | None = None,
    fixed: bool = False,
) -> Run:
    """Train a run, or go on with one that was cut short, to predictions and scores.

    Args:
        cohort: With every exam in a split.
        store: The same exams prepared, in the same order.
        seconds: What is left of the budget; `None` for no limit.
        tell: Called after each epoch.
        fixed: Settle the epochs alone, and keep the members that the recipe names.

    Raises:
        CohortError: there is nothing to validate on.
    """
    start, computed = time.monotonic(), time.process_time()
    keep_memory()
    device = pick_device()
    target = make_target(cohort.records, cohort.task)
    parts = deal_parts(cohort, run.recipe)
    if "values" not in run.facts:
        training = np.unique(np.concatenate([part.training for part in parts]))
        run = run.update(values=measure_values(store, training))
    facts = encode_facts(cohort.records, run.recipe.facts)
    exams = standardised(store, target, dict(run.facts["values"]), device, facts)
    deadline = None if seconds is None else start + _for_training(seconds)
    if not run.recipe.fit.settled:
        left = np.inf if deadline is None else deadline - time.monotonic()
        run = _settle(run, exams, parts, left, cohort, fixed)
        parts = deal_parts(cohort, run.recipe)
    deadline = None if deadline is None else deadline - run.facts.get("later_seconds", 0.0)
    members = _members(run, exams, parts)
    keep = Keeper(run.folder, members, deadline, tell)
    transfer = run.recipe.transfer
    if transfer.steps:
        side = at_once(run.recipe, device)
        train_committee(members, exams, parts, side, figures, keep, keep.in_time)
        run, members = _drop_unfinished(run, members, fixed)
        parts = parts[: len(members)]
    if transfer.fitted:
        fit_heads(members, exams, parts, transfer.head, keep)
    save_kept(run.folder, members, {"medclf": run.facts["medclf"]})
    write_trees(run, members)
    spent = {"seconds": time.monotonic() - start, "cpu_seconds": time.process_time() - computed}
    run = run.update(spent=spent)
    run = measure_run(run, cohort, store, parts)
    shutil.rmtree(run.folder / "checkpoint", ignore_errors=True)
    return run


def _for_training(seconds: float) -> float:
    """Seconds of a budget that training, and the judging that follows it, may take."""
    kept = min(RESERVE_SHARE * seconds + RESERVE_SECONDS, RESERVE_MOST * seconds)
    return seconds - kept


def _settle(
    run: Run, exams: Exams, parts: list[Part], seconds: float, cohort: Cohort, fixed: bool
) -> Run:
    """Time a few steps, hold the trials, and write into the recipe what the budget allows.

    Returns:
        The run, which keeps as `later_seconds` what fitted heads and the final judging will take.
    """
    start = time.monotonic()
    recipe, side, reasons = run.recipe, at_once(run.recipe, exams.device), run.facts["reasons"]
    fresh = [begin_member(recipe, run.task, exams, part, n) for n, part in enumerate(parts[:side])]
    pace = time_steps(fresh, exams, parts, side)
    verdict = hold_trials(recipe, run.task, exams, parts[:side], pace, seconds)
    recipe, reasons = verdict.recipe, {**reasons, **verdict.reasons}
    reasons.pop("fit.mirror", None)
    tests = sum(record.split == "test" for record in cohort.records)
    validation = len(parts[0].validation)
    fit, rest, copies = recipe.fit, tests + validation, 1
    if fit.shift:
        copies = (1 + 2 * len(recipe.prepare.size)) * (1 + bool(recipe.augment.mirror))
    heads = 0.0
    if recipe.transfer.learn == "code":  # the head is fitted to what a code says of all exams
        heads = judging(pace, len(parts[0].training) + validation, 1) * fit.members
    if not fit.epochs:
        left = seconds - heads - (time.monotonic() - start)
        fit = settle(fit, pace, left, side, validation, rest, copies, fixed)
        if recipe.fit.shift and not fit.shift:
            why = "the budget leaves no time to judge shifted copies"
            reasons, copies = {**reasons, "fit.shift": why}, 1
        why = f"settled: a step took {1000 * pace.step:.0f} ms, an epoch has {pace.steps}"
        reasons = {**reasons, "fit.epochs": why}
        if fit.steps:
            reasons["fit.steps"] = "the budget is shorter than a few passes over all exams"
    later = heads + judging(pace, rest * copies, side) * fit.members
    return run.update(replace(recipe, fit=fit), reasons=reasons, later_seconds=later)


def _members(run: Run, exams: Exams, parts: Sequence[Part]) -> list[MethodMember]:
    """Build the members, each where its last complete epoch left it."""
    members = [
        begin_member(
            *(run.recipe, run.task, exams, part, number),
            resumed=checkpoint(run.folder, number).exists(),
        )
        for number, part in enumerate(parts)
    ]
    take_up(run.folder, members)
    return members


def _drop_unfinished(
    run: Run, members: list[MethodMember], fixed: bool
) -> tuple[Run, list[MethodMember]]:
    """Leave out the last members, for which the budget left no time, or less than half of it.

    In the first half of the cycle the rate is at its height: weights from there only dilute. Where
    every member is wanted, for its fold, those stay that have learnt at all.
    """
    longest = max(member.epoch for member in members)
    fewest = 1 if run.recipe.fit.patience or fixed else longest / 2
    short = [n for n, member in enumerate(members) if member.epoch < fewest]
    trained = [m for m in (members[: short[0]] if short and short[0] else members) if m.epoch]
    if len(trained) == len(members):
        return run, members
    fit = replace(run.recipe.fit, members=len(trained))
    why = f"the budget ended before {len(members) - len(trained)} more were half trained"
    reasons = {**run.facts["reasons"], "fit.members": why}
    return run.update(replace(run.recipe, fit=fit), reasons=reasons), trained
