"""`medclf inspect`: what is in the data, and whether they can be judged honestly."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.options import Data, Json, Seed, takes_columns
from medclf.cli.output import expect_place, write_output
from medclf.cli.progress import show_progress
from medclf.errors import SettingError

if TYPE_CHECKING:
    from rich.table import Table

    from medclf.core.cohort import Cohort
    from medclf.core.record import Source
    from medclf.curate.audit import Audit, Counts
    from medclf.curate.cohort import Columns
    from medclf.curate.stranger import Strangers
    from medclf.expected import Expected

COLUMNS_OF_PICTURES = 6
LISTED = 10
FORMS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}

Expect = Annotated[str | None, typer.Option(metavar="CLASS", help="What all images should be.")]
By = Annotated[
    Path | None,
    typer.Option(metavar="RUN", help="The run that tells so; CLASS is one of its classes."),
]


@takes_columns
def inspect(  # noqa: PLR0913 - each argument is an option of the command line
    data: Data,
    columns: "Columns",
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to write montage.png.")
    ] = None,
    montage: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the montage to this PNG or JPEG.")
    ] = None,
    pictures: Annotated[int, typer.Option(help="Exams in the montage; 0 for none.", min=0)] = 24,
    files: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write a line for every file to this CSV."),
    ] = None,
    expect: Expect = None,
    by: By = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Show what is in DATA, and every problem found. Exits with 1 where one of them is grave.

    Writes montage.png where you are, or to --out or --montage; with --json only to these. With
    --expect and --by, images that look like something else are a problem too.

    Example: medclf inspect exams.csv --label diagnosis --patient patient_id
    """
    from medclf.curate.audit import audit
    from medclf.curate.cohort import read_cohort

    place = _place(out, montage, as_json) if pictures else None
    expect_place(files)
    expected = _open_expected(expect, by)
    cohort = read_cohort(data, columns)
    strangers = None if expected is None else _judge(cohort, expected, quiet=as_json)
    with show_progress("Reading images", quiet=as_json) as progress:
        found = audit(cohort, progress, pictures, seed, strangers)
    place = place if found.shown else None
    if place is not None:
        _draw_montage(cohort, found, place)
    traced = ""
    if files is not None:
        traced = _trace_files(columns.images or data, cohort, files, quiet=as_json)
    if as_json:
        told = {**found.as_dict(), "montage": None if place is None else str(place)}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    else:
        _show(found, place)
        sys.stdout.write(traced)
    if found.grave:
        raise typer.Exit(1)


def _open_expected(kind: str | None, by: Path | None) -> "Expected | None":
    """Open the run that is to tell what images are.

    Raises:
        MedclfError: it cannot tell, or only one of --expect and --by was said.
    """
    if kind is None and by is None:
        return None
    if kind is None or by is None:
        said = f"--expect {kind}" if by is None else f"--by {by}"
        raise SettingError(
            f"{said}: --expect CLASS and --by RUN wanted together, found one: a run that tells "
            "kinds of images, and which of its classes all images should be"
        )
    from medclf.expected import expect

    return expect(by, kind)


def _judge(cohort: "Cohort", expected: "Expected", quiet: bool) -> "Strangers":
    """Find the images that do not look as expected."""
    with show_progress("Judging images", quiet=quiet) as progress:
        return expected.find_strangers(cohort, progress)


def _place(out: Path | None, montage: Path | None, as_json: bool) -> Path | None:
    """Find where the montage goes, if anywhere.

    Raises:
        SettingError: the file's name ends in neither .png nor .jpg, or it cannot come there.
    """
    if montage is None and out is None and as_json:
        return None
    place = (out or Path()) / (montage or "montage.png")
    if place.suffix.lower() not in FORMS:
        raise SettingError(f"{place}: a montage is a .png or a .jpg file")
    there = next(folder for folder in place.absolute().parents if folder.exists())
    if there == place.absolute().parent:
        expect_place(place)
    elif not there.is_dir():
        raise SettingError(f"{place}: cannot be written: {there} is no folder")
    return place


def _trace_files(data: Path, cohort: "Cohort", place: Path, quiet: bool) -> str:
    """Write what became of every file: of DATA, of --images, or of the folder of a table.

    Returns:
        A line that sums it up.
    """
    from medclf.curate.files import format_lines, trace_files
    from medclf.read.archive import is_archive

    root = data if data.is_dir() or is_archive(data) else data.parent
    with show_progress("Tracing files", quiet=quiet) as progress:
        lines = trace_files(root, cohort.records, progress)
    write_output(place, format_lines(lines))
    refused = sum(bool(line.refused) for line in lines)
    changed = sum(bool(line.changed) for line in lines)
    unused = sum(not line.exam and not line.refused for line in lines)
    return (
        f"Files: {len(lines):,}, of which {refused:,} refused, {changed:,} with remarks and "
        f"{unused:,} images of no exam: {place}\n"
    )


def _draw_montage(cohort: "Cohort", found: "Audit", place: Path) -> None:
    """Save pictures of the chosen exams; the file appears whole or not at all."""
    from PIL import Image as Pillow

    from medclf.read.image import read_image
    from medclf.report.montage import montage
    from medclf.report.picture import picture_of

    some = [
        picture_of(read_image(source).still(), caption) for source, caption in _shown(cohort, found)
    ]
    sheet = Pillow.fromarray(montage(some, COLUMNS_OF_PICTURES))
    place.parent.mkdir(parents=True, exist_ok=True)
    write_output(place, lambda path: sheet.save(path, FORMS[place.suffix.lower()]))


def _shown(cohort: "Cohort", found: "Audit") -> "Iterator[tuple[Source, str]]":
    """List what the montage shows: strangers first, half of it at most, then chosen exams."""
    from medclf.curate.audit import name_class

    records = {record.name: record for record in cohort.records}
    strange = () if found.strangers is None else found.strangers.found
    exams = {one.exam for one in strange}
    others = [name for name in found.shown if name not in exams]
    room = len(found.shown)
    strange = strange[: max(room // 2, room - len(others))]
    for one in strange:
        yield records[one.exam].images[one.image], f"{one.looks}: {one.exam.rpartition('/')[2]}"
    for name in others[: room - len(strange)]:
        caption = f"{name_class(records[name], cohort.task)}: {name.rpartition('/')[2]}"
        yield next(iter(records[name].images.values())), caption


def _show(found: "Audit", place: Path | None) -> None:
    """Print tables and problems for a person."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    told = f"{found.task.kind}, {len(found.task.classes)} classes"
    console.print(f"[bold]{escape(found.origin)}[/]: {told}", soft_wrap=True)
    for note in found.notes:
        console.print(f"[dim]{escape(note)}[/]", soft_wrap=True)
    for table in (_class_table(found), _image_table(found)):
        console.print(table)
    if found.strangers is not None:
        expected = f"Expected is {found.strangers.expected}: strangers lie {found.strangers.level}."
        console.print(escape(expected), soft_wrap=True)
    for problem in found.problems:
        mark = "[bold red]grave  [/]" if problem.grave else "[yellow]warning[/]"
        words = escape(problem.message)
        console.print(f"{mark} [bold]{problem.kind}[/]: {words}", soft_wrap=True)
    console.print(_verdict(found), soft_wrap=True)
    if place is not None:
        console.print(f"Montage: {escape(str(place))}", soft_wrap=True)


def _verdict(found: "Audit") -> str:
    if found.grave:
        return "[bold red]These data cannot be judged honestly before this is mended.[/]"
    if found.problems:
        return "Nothing stands in the way of honest evaluation; look at the warnings."
    return "[green]No problem found.[/]"


def _class_table(found: "Audit") -> "Table":
    """Lay out exams by class and split, with sums."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("Exams")
    splits = list(found.splits)
    for split in splits:
        table.add_column(split or "not split", justify="right")
    if len(splits) > 1:
        table.add_column("all", justify="right")
    rows = [(name, list(counts.values())) for name, counts in found.classes.items()]
    rows.append(("all", list(found.splits.values())))  # A class may bear that name as well.
    for number, (name, counts) in enumerate(rows, start=2):
        sums = [sum(counts)] if len(splits) > 1 else []
        last = number >= len(rows)
        table.add_row(escape(name), *(f"{n:,}" for n in [*counts, *sums]), end_section=last)
    for name, bound in found.bound.items():
        every = [found.patients if name == "patients" else sum(bound.values())]
        sums = every if len(splits) > 1 else []
        table.add_row(escape(name), *(f"{n:,}" for n in [*bound.values(), *sums]))
    return table


def _image_table(found: "Audit") -> "Table":
    """Lay out what the images are, the commonest values first."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("Images", f"{found.images:,} of {found.patients:,} patients")
    facts: dict[str, Counts] = {
        "exams per patient": found.exams_per_patient,
        "modality": found.modalities,
        "size": found.sizes,
        "channels": found.channels,
        "bits": found.bits,
        "spacing in mm": found.spacings_mm,
    }
    for name, counts in facts.items():
        listed = [f"{value} ({n:,})" for value, n in counts.items()]
        more = ["…"] if len(listed) > LISTED else []
        table.add_row(name, escape("; ".join([*listed[:LISTED], *more])) or "none")
    foretold = [
        f"{one.kind} {one.auc.value:.2f} ({one.auc.low:.2f} to {one.auc.high:.2f})"
        for one in found.foretold
    ]
    table.add_row("AUC of what is no disease", "; ".join(foretold) or "not measured")
    return table
