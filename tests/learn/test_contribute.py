"""What each view did to an answer: its own probabilities, or how far it moved that of all."""

from functools import partial

import numpy as np
import pytest
import torch

from medclf.core.record import Record
from medclf.core.task import Task
from medclf.evaluate.calibrate import Calibration
from medclf.evaluate.threshold import Decision
from medclf.learn.committee import build_method
from medclf.learn.contribute import tell_views
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit, Method, Net
from medclf.learn.trained import Held, Trained
from medclf.prepare.exam import Prepare

CPU, TASK = torch.device("cpu"), Task(("no", "yes"))
VALUES = {"mean": [0.0], "deviation": [1.0], "range": [-9.0, 9.0]}
RNG = np.random.default_rng(0)


def untaught(name, options):
    """Make two members that have not learnt."""
    recipe = Recipe(
        Prepare(size=(16, 16, 16), channels=1),
        net=Net("sprint", {"width": 16}),
        fit=Fit(members=2, precision="float32"),
        method=Method(name, options),
    )
    members = [build_method(recipe, TASK, n, CPU, in_use=True).eval() for n in range(2)]
    return Trained(recipe, TASK, tuple(members), VALUES, Calibration(), Decision((0.5,)), CPU)


def predict(trained, images=1):
    """Predict two exams, of so many images and of one."""
    values = RNG.normal(size=(images + 1, 1, 16, 16, 16)).astype(np.float32)
    table = np.full((2, images), -1)
    table[0], table[1, 0] = np.arange(images), images
    names = [f"image {number}" for number in range(images)]
    records = [Record("a", dict.fromkeys(names), "a"), Record("b", {"image 0": None}, "b")]
    rows = Held(values, table)
    return tell_views(trained, records, *trained.predict(["a", "b"], rows))


def test_a_view_that_is_judged_by_itself_tells_its_own_probabilities():
    for one in predict(untaught("multi_view", {"fusion": "committee"})):
        assert [v.view for v in one.views[1:4]] == ["coronal", "sagittal", "plane 4"]
        mean = np.mean([v.alone for v in one.views], axis=0)
        assert len(one.views) == 9
        assert mean == pytest.approx(one.probabilities, abs=1e-6)
        assert not any(v.moved for v in one.views)


def test_a_view_that_is_joined_tells_how_far_it_moves_the_answer():
    for one in predict(untaught("near_and_far", {"scales": 2})):
        assert [v.view for v in one.views] == ["scale 1", "scale 0.5"]
        assert all(abs(sum(v.moved)) < 1e-6 and v.moved[0] and not v.alone for v in one.views)


def test_images_bear_their_names_and_a_lone_one_did_it_all():
    several, lone = predict(untaught("whole_image", {}), images=2)
    assert [v.view for v in several.views] == ["image 0", "image 1"]
    assert lone.views == ()
    several, lone = predict(untaught("random_views", {"in_use": 2}), images=2)
    assert [v.view for v in several.views][1:3] == ["image 0, look 2", "image 1, look 1"]
    assert [v.view for v in lone.views] == ["look 1", "look 2"]
    mean = np.mean([v.alone for v in several.views], axis=0)
    assert mean == pytest.approx(several.probabilities, abs=1e-6)  # the looks are the same
    assert all(one.views == () for one in predict(untaught("volume", {})))


@pytest.mark.parametrize(
    ("name", "options"), [("random_views", {"in_use": 2}), ("near_and_far", {"scales": 2})]
)
def test_what_views_did_costs_no_second_look(name, options):
    trained, looked = untaught(name, options), []

    def count(look, views, generator):
        looked.append(len(views.values))
        return look(views, generator)

    for member in trained.members:
        member.look = partial(count, member.look)
    answers = predict(trained)
    assert all(len(one.views) == 2 for one in answers)
    # Beside the look at all exams, a look at one tells how many fit into memory at once.
    assert sorted(looked) == [1, 1, len(answers), len(answers)]
