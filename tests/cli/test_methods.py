import json

import pytest

from medclf.method.table import METHODS
from medclf.systems.table import SYSTEMS, load_system


def test_all_methods_and_systems_are_listed_with_their_sources(medclf):
    told = medclf("methods")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    middle = lines.index("With --task locate:")
    assert [line.split()[0] for line in lines[:middle] if line[:1].strip()] == list(METHODS)
    assert [line.split()[0] for line in lines[middle + 1 :] if line[:1].strip()] == list(SYSTEMS)
    assert all(entry.paper in told.out for entry in METHODS.values())
    assert all(system.source in told.out for system in SYSTEMS.values())
    (line,) = (line for line in lines if line.startswith("multi_view"))
    assert line.endswith("needs volumes, one image")


def test_all_methods_and_systems_in_json(medclf):
    told = medclf("methods", "--json")
    assert (told.code, told.err) == (0, "")
    found = json.loads(told.out)
    assert [one["name"] for one in found["methods"]] == list(METHODS)
    assert [one["name"] for one in found["systems"]] == list(SYSTEMS)
    for one in found["methods"]:
        entry = METHODS[one["name"]]
        assert (one["needs"], one["options"]) == (list(entry.needs), entry.options)
    for one in found["systems"]:
        assert one["options"] == dict(load_system(one["name"]).options)
        assert one["landmarks"] is SYSTEMS[one["name"]].landmarks


@pytest.mark.parametrize(
    ("name", "options"),
    [("exam_bag", ["fuse = 'gated_attention'"]), ("landmark_slices", ["reach = 2", "epochs = 0"])],
)
def test_one_is_told_with_its_options(medclf, name, options):
    told = medclf("methods", name)
    assert (told.code, told.err) == (0, "")
    idea, source, *rest = told.out.splitlines()
    assert idea.startswith(f"{name}  ")
    assert source.strip() in (METHODS | SYSTEMS)[name].__dict__.values()
    assert [line.strip() for line in rest] == options
    found = json.loads(medclf("methods", name, "--json").out)
    (only,) = [*found["methods"], *found["systems"]]
    assert [f"{key} = {value!r}" for key, value in only["options"].items()] == options


def test_options_are_told_as_they_are_to_be_said(medclf):
    assert "own = true" in medclf("methods", "near_and_far").out


def test_a_name_that_is_none_is_refused_with_the_nearest(refuse):
    refuse("methods", "exam_bags", words=("exam_bags", "did you mean 'exam_bag'"))
    refuse("methods", "screen_then_juge", words=("did you mean 'screen_then_judge'",))
