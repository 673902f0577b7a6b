"""Who takes part: networks and methods by name, each with the common recipe.

A network has its own `[net]`, a method its own `[method]` and `[facts]`.

What else differs between entries is stated here and in their recipes' reasons, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from medclf.contest.classical import CLASSICAL
from medclf.core.cohort import Cohort
from medclf.errors import SettingError
from medclf.learn.borrowed import teach_joins
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Net
from medclf.learn.take_method import set_method, tell_lack, what_is_there
from medclf.method.table import METHODS, find_method
from medclf.net.source import SOURCES
from medclf.net.table import BODIES, find_entry
from medclf.net.weights import find_source

ALL = "all"
METHOD = "Method"
"""What methods are a family of."""


@dataclass(frozen=True)
class Entry:
    """A network or a method that takes part.

    Args:
        name: A body of `medclf.net.table`, or a method of `medclf.method.table`.
        family: That it is a member of.
        recipe: Its own.
        reasons: Why its recipe differs from the common one, by key.
    """

    name: str
    family: str
    recipe: Recipe
    reasons: Mapping[str, str]


def choose_networks(names: Sequence[str] | None, pretrained: bool = False) -> tuple[str, ...]:
    """Name the networks that take part, each once.

    Args:
        names: Of bodies; "all" stands for every one; `None` for the first of each family.
        pretrained: Only networks with published weights take part.

    Raises:
        SettingError: there is no such network, or no weights of it are published; the nearest is
            told.
    """
    bodies = [name for name in BODIES if name in SOURCES or not pretrained]
    if names is None:
        first: dict[str, str] = {}
        for name in bodies:
            first.setdefault(BODIES[name].family, name)
        return tuple(first.values())
    chosen: dict[str, None] = {}
    for name in names:
        if name in CLASSICAL:
            raise SettingError(f"{name!r} is a baseline: it takes part without being named")
        chosen |= dict.fromkeys(bodies if name == ALL else [name])
    for name in chosen:
        find_source(name) if pretrained else find_entry(name)
    if not chosen:
        raise SettingError("networks wanted to compare, found none")
    return tuple(chosen)


def choose_methods(names: Sequence[str]) -> tuple[str, ...]:
    """Name the methods that are asked for, each once.

    Args:
        names: Of methods; "all" stands for every one.

    Raises:
        SettingError: there is no such method; the nearest is told.
    """
    chosen: dict[str, None] = {}
    for name in names:
        chosen |= dict.fromkeys(METHODS if name == ALL else [name])
    for name in chosen:
        find_method(name)
    if not chosen:
        raise SettingError("methods wanted to compare, found none")
    return tuple(chosen)


def part_methods(
    names: Sequence[str], cohort: Cohort, dims: int
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Part methods that exams can serve from those that ask for more.

    Args:
        names: As `choose_methods` gives them.
        cohort: With every exam in a split.
        dims: 2 for pictures, 3 for volumes.

    Returns:
        Those that take part, and of each of the others what it needs.
    """
    has = what_is_there(cohort, dims)
    lacks = {name: tell_lack(name, has) for name in names}
    served = tuple(name for name, lack in lacks.items() if not lack)
    return served, {name: lack for name, lack in lacks.items() if lack}


def make_entry(common: Recipe, name: str, cohort: Cohort) -> Entry:
    """Give an entry its recipe: the common one, with its own network or method.

    A network is as its paper has it; the one that the plan itself would take keeps the options
    that the plan chose for it. A method has the network of the plan.

    Args:
        common: The common recipe.
        name: A network, or a method that the exams serve.
        cohort: With every exam in a split.
    """
    if name in METHODS:
        recipe, reasons = set_method(common, cohort, name)
        recipe, taught = teach_joins(recipe, cohort.task)
        return Entry(name, METHOD, recipe, {"method.name": "asked for", **reasons, **taught})
    body = find_entry(name)
    if name == common.net.name:
        return Entry(name, body.family, common, {})
    recipe = replace(common, net=Net(name, pretrained=common.net.pretrained))
    reasons = {"net.name": "asked for", "net.options": "those of its paper"}
    return Entry(name, body.family, recipe, reasons)
