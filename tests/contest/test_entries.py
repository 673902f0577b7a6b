import pytest

from medclf.contest.entries import choose_networks, make_entry
from medclf.errors import SettingError
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Net
from medclf.net.source import SOURCES
from medclf.net.table import BODIES
from medclf.prepare.exam import Prepare

COMMON = Recipe(Prepare((28, 28), 1), net=Net("sprint", {"width": 32}, pool="mean+max"))


def test_networks_are_named_once_and_all_stands_for_all():
    assert choose_networks(["sprint", "lenet5", "sprint"]) == ("sprint", "lenet5")
    assert choose_networks(["all"]) == tuple(BODIES)
    assert choose_networks(["resnet50", "all"])[0] == "resnet50"


def test_by_default_each_family_sends_its_first():
    found = choose_networks(None)
    families = [BODIES[name].family for name in found]
    assert len(set(families)) == len(families) == len({b.family for b in BODIES.values()})
    assert {"lenet5", "resnet18", "sprint"} <= set(found)


def test_only_networks_with_published_weights_start_from_them():
    every = choose_networks(["all"], pretrained=True)
    assert set(every) == set(SOURCES)
    first = choose_networks(None, pretrained=True)
    assert {"alexnet", "resnet18", "efficientnet_lite0"} <= set(first) < set(every)
    assert choose_networks(["timm:resnet18"], pretrained=True) == ("timm:resnet18",)
    with pytest.raises(SettingError, match="no weights of lenet5 are published"):
        choose_networks(["lenet5"], pretrained=True)


@pytest.mark.parametrize(
    ("names", "words"),
    [(["resnet17"], "resnet1"), (["pca"], "baseline"), ([], "found none"), (["All"], "no body")],
)
def test_what_is_no_network_is_refused(names, words):
    with pytest.raises(SettingError, match=words):
        choose_networks(names)


def test_only_the_network_differs():
    entry = make_entry(COMMON, "resnet18")
    assert entry.recipe.net == Net("resnet18")
    assert entry.recipe == Recipe(COMMON.prepare, net=Net("resnet18"))
    assert set(entry.reasons) == {"net.name", "net.options"}
    own = make_entry(COMMON, "sprint")
    assert (own.recipe, own.reasons) == (COMMON, {})
