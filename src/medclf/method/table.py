"""The methods by name: what `medclf methods` lists and what a recipe may ask for.

Each line names the method's file, which has a function `build(asked, **options)`, and what it needs
of the data. To add a method, write its file and its line here.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from medclf.errors import SettingError
from medclf.method.asked import Asked
from medclf.method.contract import Method

Option = bool | int | float | str
Need = Literal["points", "facts", "several images", "volumes", "ranked classes"]


@dataclass(frozen=True)
class Entry:
    """One method.

    Args:
        file: In `method/`.
        idea: In some words.
        year: Of the paper.
        paper: Authors, title, venue; "" where there is none.
        needs: What the data must have.
    """

    file: str
    idea: str
    year: int
    paper: str
    needs: tuple[Need, ...] = ()

    @property
    def build(self) -> Callable[..., Method]:
        """The function that makes it for (asked, **options)."""
        made: Callable[..., Method] = importlib.import_module(f"medclf.method.{self.file}").build
        return made

    @property
    def options(self) -> dict[str, Option]:
        """The options that a recipe may set, with what they are if it does not."""
        taken = inspect.signature(self.build).parameters.values()
        return {one.name: one.default for one in taken if one.name != "asked"}


LENET = "LeCun et al. Gradient-Based Learning Applied to Document Recognition. Proc. IEEE 1998"

METHODS: dict[str, Entry] = {
    "whole_image": Entry(
        "whole_image", "one network sees the picture or the volume as it is", 1998, LENET
    ),
}


def find_method(name: str) -> Entry:
    """Find a method by name.

    Raises:
        SettingError: there is none; the nearest name is told.
    """
    if name not in METHODS:
        near = get_close_matches(name, METHODS, n=1, cutoff=0.0)[0]
        raise SettingError(f"no method is called {name!r}; did you mean {near!r}?")
    return METHODS[name]


def make_method(name: str, asked: Asked, options: Mapping[str, Option]) -> Method:
    """Build a method.

    Raises:
        SettingError: there is no such method or option, or it does not serve such exams.
    """
    entry = find_method(name)
    for option in options:
        if option not in entry.options:
            known = ", ".join(entry.options) or "none"
            raise SettingError(f"the method {name} has no option {option!r}; its options: {known}")
    return entry.build(asked, **options)
