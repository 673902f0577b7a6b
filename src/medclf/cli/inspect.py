"""`medclf inspect`: what is in the data, and whether they can be judged honestly."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Data, Json, Seed, takes_columns
from medclf.cli.progress import show_progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from medclf.core.cohort import Cohort
    from medclf.curate.audit import Audit, Counts
    from medclf.curate.cohort import Columns
    from medclf.curate.problem import Problem

COLUMNS_OF_PICTURES = 6


@takes_columns
def inspect(
    data: Data,
    columns: "Columns",
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to write montage.png.")
    ] = None,
    montage: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the montage to this PNG or JPEG.")
    ] = None,
    pictures: Annotated[int, typer.Option(help="Exams in the montage; 0 for none.", min=0)] = 24,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Show what is in DATA, and every problem found. Exits with 1 where one of them is grave.

    The montage goes to montage.png in the folder where you are, or to --out or --montage; with
    --json only to these.

    Example: medclf inspect exams.csv --label diagnosis --patient patient_id
    """
    from medclf.curate.audit import audit
    from medclf.curate.cohort import read_cohort

    cohort = read_cohort(data, columns)
    with show_progress("Reading images", quiet=as_json) as progress:
        found = audit(cohort, progress, pictures, seed)
    place = _place(out, montage, as_json) if found.shown else None
    if place is not None:
        _draw_montage(cohort, found, place)
    if as_json:
        told = {**found.as_dict(), "montage": None if place is None else str(place)}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        _show(found, place)
    if found.grave:
        raise typer.Exit(1)


def _place(out: Path | None, montage: Path | None, as_json: bool) -> Path | None:
    if montage is not None:
        return montage if out is None else out / montage
    if out is not None:
        return out / "montage.png"
    return None if as_json else Path("montage.png")


def _draw_montage(cohort: "Cohort", found: "Audit", place: Path) -> None:
    """Save pictures of the chosen exams, which appears whole or not at all.

    Raises:
        SettingError: the file's name ends in neither .png nor .jpg.
    """
    from PIL import Image as Pillow

    from medclf.errors import SettingError
    from medclf.read.image import read_image
    from medclf.report.montage import montage
    from medclf.report.picture import make_picture

    kinds = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
    if place.suffix.lower() not in kinds:
        raise SettingError(f"{place}: a montage is a .png or a .jpg file")
    records = {record.name: record for record in cohort.records}
    some = []
    for name in found.shown:
        image = read_image(next(iter(records[name].images.values())))
        caption = f"{found.class_of(records[name])}  {name}"
        some.append(make_picture(image.values, caption, spacing_mm=image.grid.spacing_mm))
    sheet = Pillow.fromarray(montage(some, COLUMNS_OF_PICTURES))
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.part")
    sheet.save(unfinished, kinds[place.suffix.lower()])
    unfinished.replace(place)


def _show(found: "Audit", place: Path | None) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(f"[bold]{len(found.problems) and ''}[/]", end="")
