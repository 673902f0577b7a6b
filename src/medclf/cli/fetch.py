"""`medclf fetch`: download a published data set, checked and resumable."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from medclf.cli.progress import show_progress


def fetch(
    name: Annotated[
        str, typer.Argument(metavar="DATASET", help="As pneumoniamnist, mnist or cifar10.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where it goes.")] = Path("data"),
) -> None:
    """Download DATASET. What was cut short is resumed, and what was tampered with is refused.

    Example: medclf fetch pneumoniamnist, then medclf train data/pneumoniamnist.npz
    """
    from medclf.read.fetch import fetch as download

    with show_progress(f"Fetching {name}") as progress:

        def tell(_: str, done: int, total: int | None) -> None:
            if total is not None:
                progress(done, total)

        place = download(name, out, tell)
    sys.stdout.write(f"{place}\n")
