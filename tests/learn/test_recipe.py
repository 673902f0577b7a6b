from dataclasses import replace

import numpy as np
import pytest

from medclf.errors import SettingError
from medclf.learn.recipe import Recipe, expect_types, format_recipe, parse_recipe, read_recipe
from medclf.learn.settings import Facts, Fit, Net
from medclf.look.augment import Augment
from medclf.prepare.exam import Prepare

RECIPE = Recipe(
    Prepare(size=(28, 28), channels=1),
    Augment(mirror=(1,)),
    Net("sprint", {"width": 32}),
    Fit(epochs=3, rate=1e-3),
)


def test_toml_gives_back_the_recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(format_recipe(RECIPE, {"fit.rate": "a # in a reason does no harm"}))
    assert read_recipe(path) == RECIPE


def test_an_unknown_key_names_the_nearest(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(format_recipe(RECIPE).replace("weight_decay", "wieght_decay"))
    with pytest.raises(SettingError, match=r"fit\.wieght_decay.*nearest is fit\.weight_decay"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("line", "other", "message"),
    [
        ("rate = 0.001", 'rate = "fast"', "fit.rate must be float"),
        ("batch = 64", "batch = 64.5", "fit.batch must be int"),
        ("batch = 64", "batch = 0", "fit.batch must be above 0"),
        ('optimizer = "adamw"', 'optimizer = "adam"', "must be one of adamw, sgd"),
        ("mirror = [1]", "mirror = [7]", "augment.mirror"),
        ("size = [28, 28]", "size = 28", "prepare.size"),
        ("channels = 1", "", "recipe.toml: the keys prepare.channels are wanted, not found"),
        ("size = [28, 28]", "size = []", "recipe.toml: prepare.size is 2 or 3 numbers"),
        ("[fit]", "[fit", "cannot read"),
        ("folds = 0", "folds = 1", "fit.folds"),
        ("rate = 0.001", "rate = inf", "recipe.toml: fit.rate must be above 0, not inf"),
        ("rate = 0.001", "rate = nan", "recipe.toml: fit.rate must be above 0, not nan"),
        ("weight_decay = 0.05", "weight_decay = -1.0", "fit.weight_decay must be at least 0"),
        ("seed = 0", "seed = -1", "recipe.toml: fit.seed must be at least 0, not -1"),
        (
            "seed = 0",
            f"seed = {2**63}",
            "recipe.toml: fit.seed must be at most 9223372036854775807",
        ),
        ('unit = ""', 'unit = "HU"', "prepare.unit must be one of \"\", SUV, not 'HU'"),
        (
            "numbers = []\nmean = []",
            'numbers = ["age"]\nmean = [50]',
            "facts.mean and facts.deviation go together",
        ),
        (
            "numbers = []\nmean = []\ndeviation = []",
            'numbers = ["age"]\nmean = [50]\ndeviation = [0]',
            r"facts.deviation must be above 0, not \(0.0,\)",
        ),
        ("resamples = 2000", "resamples = 0", "decide.resamples must be at least 20, not 0"),
        ("dropout = 0.0", "dropout = 1.0", r"net.dropout must be in \[0, 1\), not 1.0"),
        ("brightness = 0.2", "brightness = inf", "augment.brightness"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(tmp_path, line, other, message):
    path = tmp_path / "recipe.toml"
    text = format_recipe(RECIPE)
    assert line in text
    path.write_text(text.replace(line, other))
    with pytest.raises(SettingError, match=message) as refusal:
        read_recipe(path)
    assert "\n" not in str(refusal.value)


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(SettingError, match=r"nowhere\.toml"):
        read_recipe(tmp_path / "nowhere.toml")


def test_whole_numbers_serve_as_floats():
    tables = {"prepare": {"size": [8, 8], "channels": 1}, "fit": {"rate": 1}}
    assert parse_recipe(tables, "here").fit == replace(Fit(), rate=1.0)


def test_names_of_columns_cannot_break_a_recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    strange = replace(
        RECIPE,
        facts=Facts(("wall\nthickness",), (1.0,), (2.0,)),
        net=Net("sprint", {"a key": 1}),
    )
    why = "left out: wall\nthickness, \r\x1b\x7f \udcff"
    path.write_text(format_recipe(strange, {"facts.numbers": why}), encoding="utf-8")
    assert read_recipe(path) == strange


def test_a_recipe_made_in_python_is_held_to_the_same_types(tmp_path):
    made = replace(RECIPE, fit=replace(RECIPE.fit, batch=np.int64(16), rate=np.float64(0.01)))
    path = tmp_path / "recipe.toml"
    path.write_text(format_recipe(expect_types(made, seed=np.int64(3))))
    fit = read_recipe(path).fit
    assert (fit.batch, fit.rate, fit.seed) == (16, 0.01, 3)
    for wrong, told in ({"optimizer": "adam"}, "adamw, sgd"), ({"epochs": 1.5}, "must be int"):
        with pytest.raises(SettingError, match=f"the recipe: fit.*{told}"):
            expect_types(replace(RECIPE, fit=replace(RECIPE.fit, **wrong)))
