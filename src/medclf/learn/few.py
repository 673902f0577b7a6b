"""A plan for few patients: no more folds than the rarest class has patients to put in each.

A brain study of ten people has three women, and four folds cannot each have one. Where a class has
a single patient to learn from, there is nothing to fold: the validation split stays as it is.
"""

from dataclasses import replace

from medclf.core.cohort import Cohort
from medclf.curate.bind import bind
from medclf.curate.bookkeeping import strata
from medclf.learn.plan import SEVERAL, Plan, choose_calibration


def fit_folds(plan: Plan, cohort: Cohort) -> Plan:
    """Lower the folds of a plan to what every class can fill.

    Args:
        plan: Made for the cohort.
        cohort: With every exam in a split.
    """
    learnt = [record for record in cohort.records if record.split != "test"]
    patients = {name: len(set(bind(exams))) for name, exams in strata(learnt, cohort.task) if exams}
    rarest = min(patients, key=patients.__getitem__, default="")
    fit = plan.recipe.fit
    if not fit.folds or not patients or patients[rarest] >= fit.folds:
        return plan
    folds = patients[rarest] if patients[rarest] > 1 else 0
    fit = replace(fit, folds=folds, members=folds or fit.members)
    why = f"no more folds than {rarest} has patients, who are {patients[rarest]}"
    reasons, decide = {**plan.reasons, "fit.folds": why}, plan.recipe.decide
    if not folds:
        calibrate, told = choose_calibration(cohort, folds)
        decide = replace(decide, calibrate=calibrate)
        reasons |= {"fit.members": SEVERAL, "decide.calibrate": told}
    return Plan(replace(plan.recipe, fit=fit, decide=decide), reasons)
