"""The common recipe: what the plan chose for the exams, and what must be alike for all entries.

Each entry is one network, or one for each fold, that judges each exam once, so that accuracy and
latency speak of the same thing. Whether mirror images help is tried once, by the plan's network.
"""

from dataclasses import replace

import numpy as np

from medclf.contest.judged import open_exams
from medclf.core.cohort import Cohort
from medclf.core.memory import keep_memory
from medclf.errors import SettingError
from medclf.learn.borrowed import RATES
from medclf.learn.committee import at_once, begin_member
from medclf.learn.deal import deal_parts, make_target
from medclf.learn.device import pick_device
from medclf.learn.exams import measure_values, standardised
from medclf.learn.facts import encode_facts
from medclf.learn.plan import Plan, choose_calibration
from medclf.learn.settle import time_steps
from medclf.learn.trial import try_mirror
from medclf.prepare.store import Rows

FEWEST_FOLDS = 3


def expect_folds(folds: int) -> None:
    """Check a number of folds.

    Raises:
        SettingError: it is neither 0 nor 3 or more.
    """
    if folds and folds < FEWEST_FOLDS:
        raise SettingError(f"folds are {FEWEST_FOLDS} or more, or 0 for none, not {folds}")


def make_common(plan: Plan, folds: int, cohort: Cohort) -> Plan:
    """Make a plan fit for a contest.

    Args:
        plan: Of a single run; without reasons where it is a recipe that a person wrote.
        folds: That training and validation exams are dealt into; 0 for none.
        cohort: Split.
    """
    recipe, reasons = plan.recipe, dict(plan.reasons)
    fit = replace(recipe.fit, members=folds or 1, folds=folds, shift=0.0)
    if reasons and not recipe.net.pretrained:
        fit = replace(fit, rates=RATES)
        reasons["fit.rates"] = "each network's own is found by a trial on validation"
    reasons["fit.members"] = "one for each fold" if folds else "entries are one network each"
    reasons["fit.shift"] = "each exam is judged once: accuracy and latency speak of the same thing"
    reasons.pop("fit.folds", None)
    if recipe.net.pretrained:
        reasons["net.pretrained"] = "asked for: the weights that are published for each network"
    if folds:
        reasons["fit.folds"] = "asked for; the test split stays shut"
    decide = recipe.decide
    if "decide.calibrate" in reasons:
        calibrate, reasons["decide.calibrate"] = choose_calibration(cohort, folds)
        decide = replace(decide, calibrate=calibrate)
    return Plan(replace(recipe, fit=fit, decide=decide), reasons)


def try_mirror_once(plan: Plan, cohort: Cohort, store: Rows, seconds: float) -> Plan:
    """Let the plan's network find out for all whether exams may be mirrored in training.

    Args:
        plan: As `make_common` gives it.
        cohort: Split.
        store: Its images prepared, in the same order.
        seconds: Budget of an entry, of which a small share is spent.
    """
    recipe = plan.recipe
    if recipe.fit.mirror != "try":
        return plan
    keep_memory()
    cohort, rows = open_exams(cohort, store, recipe.fit.folds)
    device, parts = pick_device(), deal_parts(cohort, recipe)
    values = measure_values(rows, np.unique(np.concatenate([part.training for part in parts])))
    facts = encode_facts(cohort.records, recipe.facts)
    exams = standardised(rows, make_target(cohort.records, cohort.task), values, device, facts)
    side = at_once(recipe, device)
    members = [begin_member(recipe, cohort.task, exams, parts[n], n) for n in range(side)]
    pace = time_steps(members, exams, parts, side)
    verdict = try_mirror(recipe, cohort.task, exams, parts[:side], pace, seconds)
    told = verdict.reasons["augment.mirror"]
    reasons = {**plan.reasons, "augment.mirror": f"for all entries, {told}"}
    reasons.pop("fit.mirror", None)
    return Plan(verdict.recipe, reasons)
