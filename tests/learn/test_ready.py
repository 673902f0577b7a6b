"""Landmarks are learnt from training exams only, kept in the recipe, and applied ever after."""

from dataclasses import replace

import numpy as np
import pytest

import medclf
from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.curate.cohort import AS_FOUND
from medclf.errors import ReadError, RunError, SettingError
from medclf.learn.ready import make_ready, make_ready_again
from medclf.learn.recipe import Recipe
from medclf.learn.run import create_run, read_recipe
from medclf.learn.settings import Decide, Facts, Fit, Net
from medclf.prepare.exam import Prepare
from medclf.prepare.standard import learn_standard

PREPARE = Prepare((12, 12), 1, intensity="landmarks", dtype="float16")
RECIPE = Recipe(
    PREPARE,
    net=Net("sprint", {"width": 16}),
    fit=Fit(epochs=2, batch=8),
    decide=Decide(resamples=50),
)


@pytest.fixture
def cohort(tmp_path):
    """Pictures of two scanners, in which the ill have a bright spot; test exams look otherwise."""
    rng, records = np.random.default_rng(0), []
    splits = ["train"] * 24 + ["val"] * 8 + ["test"] * 8
    for number, split in enumerate(splits):
        values = rng.gamma(3.0, 50, (12, 12)) + (40 if split == "test" else 0)
        values[3:6, 3:6] += 400 * (number % 2)
        scanner = "ab"[number // 2 % 2]
        np.save(tmp_path / f"{number}.npy", values * (5 if scanner == "b" else 1))
        images, facts = {"image": Source(tmp_path / f"{number}.npy")}, {"scanner": scanner}
        records.append(Record(f"{number}", images, f"p{number}", number % 2, split, facts))
    return Cohort(tuple(records), Task(("no", "yes")), tmp_path)


def test_training_exams_alone_tell_the_scale(cohort):
    ready = make_ready(cohort, RECIPE, AS_FOUND)
    training = [record for record in cohort.records if record.split == "train"]
    assert ready.recipe.prepare == learn_standard(training, PREPARE)
    assert ready.reasons == {"prepare.landmarks": "learnt from 24 training exams"}
    swapped = [
        replace(r, images={"image": Source(r.source.path.with_name("0.npy"))})
        if r.split == "test" else r for r in cohort.records
    ]  # fmt: skip
    other = make_ready(replace(cohort, records=tuple(swapped)), RECIPE, AS_FOUND)
    assert other.recipe == ready.recipe


def test_a_run_keeps_them_and_goes_on_with_them(cohort, tmp_path):
    ready = make_ready(cohort, RECIPE, AS_FOUND)
    run = create_run(tmp_path / "run", ready.recipe, ready.cohort, {"data": ready.data})
    kept = read_recipe(run.folder / "recipe.toml")
    assert kept == ready.recipe
    again = make_ready_again(run.folder, cohort, kept, ready.data)
    assert (again.recipe, again.known) == (ready.recipe, ready.known)


@pytest.mark.parametrize("intensity", ["percentile", "landmarks"])
def test_an_exam_that_lost_one_of_its_images_goes_on(cohort, tmp_path, intensity):
    one, other = cohort.records[:2]
    gone = {"b": Source(tmp_path / "gone.npy")}
    double = replace(one, images={"a": one.source, "b": other.source})
    torn = replace(other, images={"a": other.source, **gone})
    lost = replace(cohort.records[2], images=gone)
    cohort = replace(cohort, records=(double, torn, lost, *cohort.records[3:]))
    recipe = replace(RECIPE, prepare=replace(PREPARE, intensity=intensity))
    ready = make_ready(cohort, recipe, AS_FOUND, skip_unreadable=True)
    assert [name for name, _ in ready.data["left_out"]] == ["1", "2"]
    assert (len(ready.cohort.records), len(ready.store.values)) == (39, 40)
    run = create_run(tmp_path / "run", ready.recipe, ready.cohort, {"data": ready.data})
    again = make_ready_again(run.folder, cohort, ready.recipe, ready.data)
    assert [r.name for r in again.cohort.records] == [r.name for r in ready.cohort.records]
    assert again.store.digest == ready.store.digest


def test_facts_that_are_learnt_from_stay_as_they_were(cohort, tmp_path):
    recipe = replace(RECIPE, facts=Facts(words=("scanner=a", "scanner=b")))
    other, unused = (
        replace(cohort, records=(replace(one, facts={**one.facts, **facts}), *cohort.records[1:]))
        for one in cohort.records[:1]
        for facts in ({"scanner": "b"}, {"room": 7.0})
    )
    for asked in (RECIPE, recipe):
        ready = make_ready(cohort, asked, AS_FOUND)
        folder = tmp_path / str(len(asked.facts.words))
        create_run(folder, ready.recipe, ready.cohort, {"data": ready.data})
        make_ready_again(folder, unused, ready.recipe, ready.data)
        if not asked.facts.words:
            make_ready_again(folder, other, ready.recipe, ready.data)
    with pytest.raises(RunError, match=r"the facts \(scanner\) that .* the table has changed"):
        make_ready_again(folder, other, ready.recipe, ready.data)


def test_an_unknown_site_is_left_out_where_that_is_allowed(cohort):
    by_site = replace(RECIPE, prepare=replace(PREPARE, site="scanner"))
    strange = replace(cohort.records[-1], facts={"scanner": "c"})
    cohort = replace(cohort, records=(*cohort.records[:-1], strange))
    with pytest.raises(ReadError, match="a scanner of a, b wanted"):
        make_ready(cohort, by_site, AS_FOUND)
    ready = make_ready(cohort, by_site, AS_FOUND, skip_unreadable=True)
    assert [name for name, _ in ready.data["left_out"]] == ["39"]
    assert len(ready.cohort.records) == len(ready.store.values) == 39
    assert ready.reasons == {"prepare.landmarks": "learnt from 24 training exams of 2 sites"}


def test_from_training_to_prediction(cohort, tmp_path):
    """A run by site predicts files of a site that it knows, and refuses others."""
    recipe = replace(RECIPE, prepare=replace(PREPARE, site="scanner"))
    run = medclf.train(cohort, tmp_path / "run", recipe=recipe)
    assert run.run.recipe.prepare.sites == ("a", "b")
    files = [record.source.path for record in cohort.records[-4:]]
    scores = run.evaluate(cohort)
    assert scores.to_json()["n_exams"] == 8
    one, other = (run.predict(files, site=site) for site in "ab")
    assert [p.probabilities for p in one] != [p.probabilities for p in other]
    with pytest.raises(ReadError, match=r"a scanner of a, b wanted, .* found none"):
        run.predict(files)
    without = replace(run.trained, recipe=replace(RECIPE, prepare=PREPARE))
    with pytest.raises(SettingError, match="no site wanted, which this run does not go by"):
        replace(run, trained=without).predict(files, site="a")
    page = (run.run.folder / "report.html").read_text(encoding="utf-8")
    assert "learnt from 24 training exams of 2 sites" in page
