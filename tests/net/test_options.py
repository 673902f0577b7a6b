"""Options that a person writes reach a network as it takes them, or end in one line."""

import numpy as np
import pytest
from torch import Generator

from medclf.errors import SettingError
from medclf.net.options import fit_options
from medclf.net.table import BODIES, build_body, build_classifier


def build(width: float = 1.0, blocks: int | None = None, own: bool = False, form: str = "a"): ...


def test_numbers_become_what_the_function_takes():
    found = fit_options("b", build, {"width": 2, "blocks": np.int64(3), "own": True, "form": "c"})
    assert found == {"width": 2.0, "blocks": 3, "own": True, "form": "c"}
    assert [type(found[name]) for name in ("width", "blocks")] == [float, int]
    assert fit_options("b", build, {"blocks": None}) == {"blocks": None}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("width", "2", "the option width of b is a number, not '2'"),
        ("width", True, "is a number, not True"),
        ("width", float("inf"), "is a number, not inf"),
        ("width", None, "is a number, not None"),
        ("blocks", 3.0, "is a whole number, not 3.0"),
        ("own", "no", "is true or false, not 'no'"),
        ("form", 1, "is text, not 1"),
    ],
)
def test_a_value_of_another_type_is_refused(name, value, told):
    with pytest.raises(SettingError, match=told):
        fit_options("b", build, {name: value})


@pytest.mark.parametrize("name", ["vgg11", "resnet18", "sprint", "densenet121", "googlenet"])
def test_every_option_of_a_body_is_held_to_its_type(name):
    for option in BODIES[name].options:
        with pytest.raises(SettingError, match=f"{option}"):
            build_body(name, 2, 1, (32, 32), **{option: [1]})


@pytest.mark.parametrize("option", ["name", "dims", "channels", "size", "style", "pool", "outputs"])
def test_what_the_exams_decide_is_no_option(option):
    with pytest.raises(SettingError, match=f"no option '{option}'"):
        build_classifier("sprint", 2, 1, (32, 32), Generator(), **{option: 3})


def test_a_network_has_some_of_everything():
    with pytest.raises(SettingError, match="width of the body vgg11 is at least 1, not 0"):
        build_body("vgg11", 2, 1, (32, 32), width=0)
