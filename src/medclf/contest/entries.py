"""Who takes part: networks by name, each with the common recipe and its own `[net]`.

What else differs between entries is stated here and in their recipes' reasons, and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from medclf.contest.classical import CLASSICAL
from medclf.errors import SettingError
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Net
from medclf.net.source import SOURCES
from medclf.net.table import BODIES, find_entry
from medclf.net.weights import find_source

ALL = "all"


@dataclass(frozen=True)
class Entry:
    """A network that takes part.

    Args:
        name: A body of `medclf.net.table`.
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


def make_entry(common: Recipe, name: str) -> Entry:
    """Give a network its recipe: the common one, with the network as its paper has it.

    The network that the plan itself would take keeps the options that the plan chose for it.
    """
    body, reasons = find_entry(name), dict[str, str]()
    recipe = common
    if name != common.net.name:
        recipe = replace(recipe, net=Net(name, pretrained=common.net.pretrained))
        reasons = {"net.name": "asked for", "net.options": "those of its paper"}
    return Entry(name, body.family, recipe, reasons)
