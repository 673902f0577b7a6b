"""`medclf plan`: the recipe that the data ask for, with the reason for each choice."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Data, Json, Seed, takes_columns
from medclf.cli.output import expect_place, write_output
from medclf.cli.progress import show_progress

if TYPE_CHECKING:
    from medclf.curate.cohort import Columns

Network = Annotated[
    str, typer.Option(metavar="NAME", help="The network; medclf nets lists them.", show_default="")
]
Pretrained = Annotated[bool, typer.Option("--pretrained", help="Start from published weights.")]
Way = Annotated[
    str,
    typer.Option("--method", metavar="NAME", help="medclf methods lists them.", show_default=""),
]
Minutes = Annotated[float, typer.Option(help="Budget of the training, wall clock.", min=0.01)]


@takes_columns
def plan(  # noqa: PLR0913 - each argument is an option of the command line
    data: Data,
    columns: "Columns",
    minutes: Minutes = 2.0,
    seed: Seed = 0,
    net: Network = "",
    pretrained: Pretrained = False,
    method: Way = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the recipe to this file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the recipe that DATA ask for, as TOML, with a reason for each choice.

    Example: medclf plan exams.csv --minutes 10 --out recipe.toml, then medclf train exams.csv
    --recipe recipe.toml
    """
    from medclf import verbs
    from medclf.curate.cohort import read_cohort

    expect_place(out)
    cohort = read_cohort(data, columns)
    with show_progress("Looking at images", quiet=as_json) as progress:
        watch = verbs.Watch(count=progress)
        found = verbs.plan(cohort, minutes, seed, watch, net, pretrained, method)
    if out is not None:
        write_output(out, found.to_toml())
    if as_json:
        told = {"recipe": asdict(found.recipe), "reasons": dict(found.reasons)}
        sys.stdout.write(json.dumps(told) + "\n")
    elif out is None:
        sys.stdout.write(found.to_toml())
