"""Filters found in training exams begin the network; in use they come from the run."""

from dataclasses import replace

import pytest
import torch

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.learn.committee import build_method
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Method, Net
from medclf.look.views import Views
from medclf.prepare.exam import Prepare

CPU = torch.device("cpu")


def build(dims, filters="clusters", **how):
    recipe = Recipe(
        Prepare(size=(20,) * dims, channels=1),
        net=Net("sprint", {"width": 16}),
        method=Method("filters_then_sequence", {"filters": filters}),
    )
    return build_method(recipe, Task(("a", "b")), 0, CPU, **how)


@pytest.mark.parametrize("dims", [2, 3])
def test_clusters_are_the_first_weights_and_nothing_else_differs(dims):
    exams = Views(torch.randn(4, 1, 1, *[20] * dims, generator=torch.Generator().manual_seed(0)))
    drawn = build(dims, "drawn", examples=lambda: exams).network.state_dict()
    one, two = (build(dims, examples=lambda: exams).network.state_dict() for _ in range(2))
    differ = [name for name in drawn if not torch.equal(drawn[name], one[name])]
    assert differ[0] == next(iter(drawn))
    assert not [name for name in differ[1:] if name.startswith("body")]
    assert all(torch.equal(one[name], two[name]) for name in one)
    other = replace(exams, values=exams.values.flip(-1).cumsum(-1))
    assert not torch.equal(
        one[differ[0]], build(dims, examples=lambda: other).network.state_dict()[differ[0]]
    )


def test_no_exams_are_looked_at_where_weights_come_from_the_run():
    def examples():
        raise AssertionError("looked at")

    build(2, examples=examples, resumed=True)
    build(2, "drawn", examples=examples)


def test_another_word_is_refused():
    with pytest.raises(SettingError, match="filters is drawn or clusters, not 'kmeans'"):
        build(2, "kmeans")
