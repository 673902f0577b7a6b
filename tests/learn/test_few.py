from pathlib import Path

import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.learn.few import fit_folds
from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Decide, Fit
from medclf.prepare.exam import Prepare

PLAN = Plan(Recipe(Prepare((8, 8), 1), fit=Fit(members=4, folds=4)), {"fit.folds": "few exams"})


def cohort(labels, patients=None, test=()):
    records = tuple(
        Record(f"{i}", {}, str((patients or range(99))[i]), label, "test" if i in test else "train")
        for i, label in enumerate(labels)
    )
    task = Task(("F", "M"), "coexisting" if isinstance(labels[0], tuple) else "exclusive")
    return Cohort(records, task, Path("x"))


@pytest.mark.parametrize(
    ("found", "folds", "members"),
    [
        (cohort([0] * 9 + [1] * 9), 4, 4),
        (cohort([0] * 9 + [1] * 3), 3, 3),
        (cohort([0] * 9 + [1] * 9, [*range(9), *[50] * 7, 51, 52]), 3, 3),
        (cohort([0] * 9 + [1] * 9, test=range(11, 18)), 2, 2),
        (cohort([0] * 9 + [1]), 0, 4),
        (cohort([(1, 0)] * 9 + [(1, 1)] * 4 + [(0, 1)] * 2), 2, 2),
    ],
)
def test_no_more_folds_than_the_rarest_class_has_patients(found, folds, members):
    plan = fit_folds(PLAN, found)
    assert (plan.recipe.fit.folds, plan.recipe.fit.members) == (folds, members)
    assert (plan == PLAN) == (folds == 4)


def test_without_folds_a_plan_stays():
    plan = Plan(Recipe(Prepare((8, 8), 1), fit=Fit(members=2)), {})
    assert fit_folds(plan, cohort([0, 1])) is plan


def test_without_folds_the_validation_split_decides_how_to_calibrate():
    reasons = {"decide.calibrate": "fitted on 400 validation exams"}
    recipe = Recipe(Prepare((8, 8), 1), fit=Fit(members=4, folds=4), decide=Decide("bias"))
    plan = fit_folds(Plan(recipe, reasons), cohort([0] * 9 + [1]))
    assert plan.recipe.decide.calibrate == "temperature"
    assert plan.reasons["decide.calibrate"] == "fitted on 0 validation exams"
    assert "steadier" in plan.reasons["fit.members"]
