from dataclasses import replace

import pytest

from medclf.learn.fit import fit_run
from medclf.learn.measure import CHOSEN_ON
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run
from medclf.learn.settings import Decide, Fit, Net
from medclf.prepare.exam import Prepare


@pytest.mark.parametrize("tested", [True, False])
def test_figures_of_exams_that_were_chosen_by_say_so(tmp_path, make_exams, tested):
    settings = Recipe(
        Prepare(size=(16, 16), channels=1),
        net=Net("sprint", {"width": 16}),
        fit=Fit(members=1, epochs=1, batch=16),
        decide=Decide(resamples=50, sensitivity=0.9),
    )
    cohort, held = make_exams()
    splits = {"test": "test" if tested else "val"}
    records = (replace(r, split=splits.get(r.split, r.split)) for r in cohort.records)
    cohort = replace(cohort, records=tuple(records))
    run = fit_run(create_run(tmp_path / "run", settings, cohort, {}), cohort, held)
    assert (CHOSEN_ON in run.scores()["notes"]) != tested
    assert run.facts["decision"]["sensitivity"] == run.scores()["decision"]["sensitivity"] == 0.9
