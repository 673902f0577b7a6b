"""Every system says what may be chosen, and stands in the docs."""

import re
from pathlib import Path

import pytest

from medclf.errors import CohortError, SettingError
from medclf.systems.table import COMMON, SYSTEMS, choose_options, expect_kinds, load_system

DOCS = Path(__file__).parents[2] / "docs" / "locate.md"


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_is_whole_and_documented(name):
    loaded = load_system(name)
    assert loaded.options["epochs"] == 0
    assert callable(loaded.learn)
    assert callable(loaded.open_finder)
    named = ", ".join(f"`{one}`" for one in loaded.options if one not in COMMON)
    row = rf"^\| \[`{name}`\]\(#{name}-[a-z-]+\) \| [^|]+ \| {SYSTEMS[name].source} \| {named} \|$"
    assert re.search(row, DOCS.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", SYSTEMS)
def test_options_are_held_against_those_that_there_are(name):
    assert choose_options(name, {"epochs": 3})["epochs"] == 3
    with pytest.raises(SettingError, match="the nearest is epochs"):
        choose_options(name, {"epoch": 3})
    with pytest.raises(SettingError, match="epochs is of the type int"):
        choose_options(name, {"epochs": "many"})


@pytest.mark.parametrize("name", ["screen_then_judge", "vertebra_chain"])
def test_any_network_serves_in_either_stage_and_one_that_cannot_is_told_at_once(name):
    for chosen in ({"net": "lenet5", "cube": 32}, {"net": "resnet18"}, {"judge_net": "resnet18"}):
        assert choose_options(name, chosen).items() >= chosen.items()
    with pytest.raises(SettingError, match=r"net = 'lenet5' with cube = 16: .* wanted, found"):
        choose_options(name, {"net": "lenet5"})
    with pytest.raises(SettingError, match="did you mean 'resnet18'"):
        choose_options(name, {"judge_net": "resnet19"})
    with pytest.raises(SettingError, match=r"with judge = '.*': .* these are volumes"):
        choose_options(name, {"judge_net": "timm:resnet18"})


def test_a_row_of_one_is_refused():
    expect_kinds("vertebra_chain", ["L1", "L2"])
    expect_kinds("heat_map", ["L1"])
    with pytest.raises(CohortError, match="2 kinds of landmarks or more wanted, found L1;"):
        expect_kinds("vertebra_chain", ["L1"])


def test_a_second_stage_that_wants_more_than_pixels_is_refused():
    assert choose_options("screen_then_judge", {"judge": "random_views"})["judge"] == "random_views"
    with pytest.raises(SettingError, match=r"judge is one of patch, .*, not 'placed_patch'"):
        choose_options("screen_then_judge", {"judge": "placed_patch"})
