"""Both stages take the networks that were chosen."""

import pytest

from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Net
from medclf.prepare.settings import Prepare
from medclf.systems.screen_then_judge import _judge_recipe
from medclf.systems.screening import _screen_recipe
from medclf.systems.search import Search
from medclf.systems.table import choose_options
from medclf.systems.work import Work
from medclf.watch import SILENT

PREPARE = Prepare((60, 60, 60), 1, (1.0, 1.0, 1.0))
BATCH = {"norm": "batch"}


@pytest.fixture
def recipes(tmp_path):
    def make(**options):
        chosen = choose_options("screen_then_judge", options)
        search = Search("screen_then_judge", ("ball",), "", PREPARE, 1.0, options=chosen)
        work = Work(tmp_path, search, (), {}, SILENT)
        plan = Plan(Recipe(PREPARE, net=Net(chosen["judge_net"] or "sprint")), {})
        return _screen_recipe(work, (), plan).recipe, _judge_recipe(work, plan).recipe

    return make


def test_networks_and_cubes_are_those_of_the_paper(recipes):
    screen, judge = recipes(judge="patch")
    assert (screen.net, screen.prepare.size) == (Net("dou_screen", BATCH), (16, 16, 16))
    assert (judge.net, judge.prepare.size) == (Net("dou_judge", BATCH), (20, 20, 20))


def test_without_a_choice_the_plan_s_network_sees_the_lesion_and_its_surroundings(recipes):
    assert choose_options("screen_then_judge", {})["judge"] == "near_and_far"
    judge = recipes()[1]
    assert (judge.net, judge.prepare.size) == (Net("sprint"), (32, 32, 32))


def test_a_network_of_its_own_has_larger_cubes_and_the_norm_that_it_can_have(recipes):
    screen, judge = recipes(net="lenet5", cube=32, judge_net="resnet18")
    assert (screen.net, screen.prepare.size) == (Net("lenet5"), (32, 32, 32))
    assert (judge.net, judge.prepare.size) == (Net("resnet18"), (32, 32, 32))
    assert recipes(net="resnet18")[0].net == Net("resnet18", BATCH)
