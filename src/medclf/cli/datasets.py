"""`medclf datasets`: the published data sets that are known, with counts, licences and places."""

import json
import sys
from dataclasses import asdict

from medclf.cli.options import Json

FETCH = "medclf fetch NAME"
WIDTHS = (15, 11, 9, 12, 11, 8, 8)


def datasets(as_json: Json = False) -> None:
    """List the published data sets: resolution, kind, classes, images, licence, how to get them.

    Example: medclf datasets, then medclf fetch breastmnist
    """
    from rich.console import Console

    from medclf.read.datasets.catalogue import CATALOGUE

    if as_json:
        told = [{"name": name, **asdict(one)} for name, one in CATALOGUE.items()]
        sys.stdout.write(json.dumps({"datasets": told}) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    heads = ("", "image", "classes", "kind", "train", "val", "test")
    console.print(f"{_row(heads)}  licence", style="bold")
    for name, one in CATALOGUE.items():
        image = "×".join(map(str, (one.channels, *(one.size or ("any",)))))
        counts = [f"{n:,}" if n else "–" for n in (one.train, one.val, one.test)]
        row = _row((name, image, str(one.classes), one.kind, *counts))
        console.print(f"{row}  {one.licence}")
    for name, one in CATALOGUE.items():
        if one.get != FETCH.replace("NAME", name):
            console.print(f"{name}: {one.get}")
    console.print(f"the others: {FETCH}")


def _row(cells: tuple[str, ...]) -> str:
    """Align the first cell to the left, the others to the right."""
    first, *rest = (f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True))
    return f"{first.strip():<{WIDTHS[0]}}" + "".join(rest)
