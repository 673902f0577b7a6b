"""`medclf methods`: the ideas of the literature that are known, with their papers and needs."""

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Json

if TYPE_CHECKING:
    from rich.console import Console

    from medclf.systems.table import System


def methods(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Tell one method with its options.")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the methods: what each looks at, where it comes from, and what it needs of the data.

    Systems that find places, for train --task locate, come after those that classify.

    Example: medclf methods, then medclf train exams.csv --method exam_bag
    """
    from rich.console import Console

    from medclf.method.table import METHODS, find_method
    from medclf.systems.table import SYSTEMS

    if name in SYSTEMS:
        _tell_systems(Console(highlight=False, soft_wrap=True), {name: SYSTEMS[name]}, as_json)
        return
    chosen = {name: find_method(name, SYSTEMS)} if name else METHODS
    if as_json:
        told = [
            {
                "name": each,
                "idea": entry.idea,
                "year": entry.year,
                "paper": entry.paper,
                "needs": list(entry.needs),
                "options": entry.options,
            }
            for each, entry in chosen.items()
        ]
        systems = [] if name else [_plain(each) for each in SYSTEMS]
        sys.stdout.write(json.dumps({"methods": told, "systems": systems}) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    width = max(map(len, chosen))
    for each, entry in chosen.items():
        needs = f"  needs {', '.join(entry.needs)}" if entry.needs else ""
        console.print(f"{each:<{width}}  {entry.idea}{needs}")
        console.print(f"{'':<{width}}  {entry.paper}", style="dim")
    if name:
        options = chosen[name].options
        for option, value in options.items():
            console.print(f"{'':<{width}}  {option} = {_toml(value)}")
    else:
        console.print("\nWith --task locate:\n")
        _tell_systems(console, SYSTEMS, as_json)


def _tell_systems(console: "Console", chosen: "Mapping[str, System]", as_json: bool) -> None:
    """Tell systems that find places, with the options of a single one."""
    from medclf.systems.table import load_system

    if as_json:
        told = [_plain(name) for name in chosen]
        sys.stdout.write(json.dumps({"methods": [], "systems": told}) + "\n")
        return
    width = max(map(len, chosen))
    for name, system in chosen.items():
        console.print(f"{name:<{width}}  {system.idea}")
        console.print(f"{'':<{width}}  {system.source}", style="dim")
    if len(chosen) == 1:
        for option, value in load_system(name).options.items():
            console.print(f"{'':<{width}}  {option} = {_toml(value)}")


def _plain(name: str) -> dict[str, object]:
    from medclf.systems.table import SYSTEMS, load_system

    system, options = SYSTEMS[name], load_system(name).options
    told = {"name": name, "idea": system.idea, "source": system.source}
    return {**told, "landmarks": system.landmarks, "options": dict(options)}


def _toml(value: object) -> str:
    """Write the value of an option as `--option` and a recipe take it."""
    return str(value).lower() if isinstance(value, bool) else repr(value)
