from dataclasses import replace
from pathlib import Path

import pytest

from medclf.contest.entries import choose_methods, choose_networks, make_entry, part_methods
from medclf.contest.jobs import family_of
from medclf.core.cohort import Cohort
from medclf.core.record import Point, Record, Source
from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit, Net
from medclf.learn.transfer import Transfer
from medclf.method.table import METHODS
from medclf.net.source import SOURCES
from medclf.net.table import BODIES
from medclf.prepare.exam import Prepare

COMMON = Recipe(Prepare((28, 28), 1), net=Net("sprint", {"width": 32}, pool="mean+max"))

IMAGE = {"image": Source(Path("a.png"))}


def cohort_of(*records):
    return Cohort(tuple(records), Task(("a", "b"), "exclusive"), Path("exams.csv"))


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
    entry = make_entry(COMMON, "resnet18", cohort_of(Record("a", IMAGE, "a")))
    assert entry.recipe.net == Net("resnet18")
    assert entry.recipe == Recipe(COMMON.prepare, net=Net("resnet18"))
    assert set(entry.reasons) == {"net.name", "net.options"}
    own = make_entry(COMMON, "sprint", cohort_of(Record("a", IMAGE, "a")))
    assert (own.recipe, own.reasons) == (COMMON, {})


def test_methods_are_named_once_and_bear_no_name_of_a_network():
    assert choose_methods(["volume", "patch", "volume"]) == ("volume", "patch")
    assert choose_methods(["all"]) == tuple(METHODS)
    assert not METHODS.keys() & BODIES.keys()
    assert family_of("volume") == "Method"
    with pytest.raises(SettingError, match="did you mean 'three_planes'"):
        choose_methods(["three_plane"])
    with pytest.raises(SettingError, match="methods wanted to compare, found none"):
        choose_methods([])


def test_methods_that_ask_for_more_than_there_is_are_told_with_what_they_need():
    plain = cohort_of(Record("a", IMAGE, "a", 0, "train"))
    served, lacks = part_methods(tuple(METHODS), plain, 2)
    assert {"whole_image", "near_and_far"} <= set(served)
    assert set(served).isdisjoint(lacks)
    assert "a marked point" in lacks["patch"]
    assert lacks["volume"] == "needs volumes"
    image = {"image": replace(IMAGE["image"], point=Point((1, 2, 3), "mm"))}
    marked = cohort_of(Record("a", image, "a", 0, "train"))
    assert {"patch", "placed_patch", "volume"} <= set(part_methods(tuple(METHODS), marked, 3)[0])


def test_a_method_has_the_network_of_the_plan_and_the_facts_that_it_reads():
    ages = [Record(str(n), IMAGE, str(n), n % 2, "train", {"age": 40.0 + n}) for n in range(4)]
    entry = make_entry(COMMON, "image_and_facts", cohort_of(*ages))
    assert (entry.family, entry.recipe.net) == ("Method", COMMON.net)
    assert (entry.recipe.method.name, entry.recipe.facts.numbers) == ("image_and_facts", ("age",))
    assert {"method.name", "facts.numbers"} <= set(entry.reasons)
    assert not make_entry(COMMON, "whole_image", cohort_of(*ages)).recipe.facts.columns


def test_a_method_that_joins_views_learns_to_where_other_heads_are_fitted():
    plain = cohort_of(Record("a", IMAGE, "a", 0, "train"))
    fitted = replace(COMMON, transfer=Transfer("head", "logistic"), fit=Fit(epochs=1))
    joins = make_entry(fitted, "filters_then_sequence", plain)
    assert (joins.recipe.transfer, joins.recipe.fit.epochs) == (Transfer("head"), 0)
    assert "fuser" in joins.reasons["transfer.head"]
    assert make_entry(fitted, "near_and_far", plain).recipe.transfer == fitted.transfer
