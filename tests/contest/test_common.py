from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medclf.contest.common import make_common, try_mirror_once
from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Decide, Facts, Fit, Method, Net
from medclf.learn.trained import Held
from medclf.prepare.exam import Prepare


def cohort_of(count):
    records = tuple(
        Record(f"{n}", {}, f"{n}", n % 2, ("train", "val", "test")[n % 3], {"age": 40.0 + n})
        for n in range(count)
    )
    return Cohort(records, Task(("no", "yes")), Path("arrays"))


PLAN = Plan(Recipe(Prepare((16, 16), 1), decide=Decide("bias")), {"decide.calibrate": "so"})


@pytest.mark.parametrize(("folds", "wanted"), [(0, "temperature"), (4, "bias")])
def test_what_is_validated_on_decides_how_entries_are_calibrated(folds, wanted):
    made = make_common(PLAN, folds, cohort_of(330))
    assert made.recipe.decide.calibrate == wanted
    assert f"{110 if not folds else 220} validation" in made.reasons["decide.calibrate"]
    assert make_common(replace(PLAN, reasons={}), 0, cohort_of(330)).recipe.decide == Decide("bias")


def test_a_recipe_that_reads_facts_is_tried_with_them():
    recipe = Recipe(
        Prepare((16, 16), 1),
        net=Net("sprint", {"width": 16}),
        fit=Fit(members=1, batch=8, mirror="try"),
        method=Method("image_and_facts"),
        facts=Facts(("age",), (60.0,), (20.0,)),
    )
    rows = Held(np.random.default_rng(0).integers(0, 200, (36, 1, 16, 16)).astype(np.uint8))
    found = try_mirror_once(Plan(recipe), cohort_of(36), rows, 1)
    assert found.recipe.fit.mirror == "no"
