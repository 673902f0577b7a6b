"""`medclf methods`: the ideas of the literature that are known, with their papers and needs."""

import json
import sys
from typing import Annotated

import typer

from medclf.cli.options import Json


def methods(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Tell one method with its options.")
    ] = "",
    as_json: Json = False,
) -> None:
    """List the methods: what each looks at, where it comes from, and what it needs of the data.

    Example: medclf methods, then medclf train exams.csv --method exam_bag
    """
    from rich.console import Console

    from medclf.method.table import METHODS, find_method

    chosen = {name: find_method(name)} if name else METHODS
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
        sys.stdout.write(json.dumps({"methods": told}) + "\n")
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
            console.print(f"{'':<{width}}  {option} = {value!r}")
