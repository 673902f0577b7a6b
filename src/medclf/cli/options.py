"""Options that several commands share, each written once.

A command that reads a cohort takes one argument, `columns`, and `takes_columns` puts the options
that make it up in its place on the command line.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from medclf.curate.cohort import Columns

COLUMNS_PANEL = "What the data say, where that is not found out"

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="A folder or zip with a sub-folder per class, a CSV or Parquet table of exams, or a "
        "known data file (MedMNIST .npz, IDX, CIFAR).",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]
Seed = Annotated[int, typer.Option(help="Every random draw comes from it.", min=0)]


def _column(flag: str, help_text: str, metavar: str) -> Any:
    return typer.Option(
        flag, help=help_text, metavar=metavar, rich_help_panel=COLUMNS_PANEL, show_default=False
    )


def columns_from(  # noqa: PLR0913 - each argument is an option of the command line
    path: Annotated[
        str | None, _column("--path", "Column that names the image; several with commas.", "NAME")
    ] = None,
    label: Annotated[
        str | None,
        _column("--label", "Column of the class; with commas, columns of 0 and 1.", "NAME"),
    ] = None,
    patient: Annotated[
        str | None, _column("--patient", "Column of the patient, or none.", "NAME")
    ] = None,
    split: Annotated[
        str | None, _column("--split", "Column that says train, val or test, or none.", "NAME")
    ] = None,
    exam: Annotated[
        str | None, _column("--exam", "Column that joins rows to one exam, or none.", "NAME")
    ] = None,
    view: Annotated[
        str | None, _column("--view", "Column that names the images of an exam, or none.", "NAME")
    ] = None,
    kind: Annotated[
        Literal["exclusive", "coexisting", "ranked"] | None,
        _column("--kind", "How classes relate.", "exclusive|coexisting|ranked"),
    ] = None,
    classes: Annotated[
        str | None, _column("--classes", "Class names in order, with commas.", "A,B,…")
    ] = None,
    images: Annotated[
        Path | None, _column("--images", "Folder or zip of the images of a table.", "PATH")
    ] = None,
    patient_pattern: Annotated[
        str | None,
        _column("--patient-pattern", "Regular expression: the patient in a path.", "REGEX"),
    ] = None,
    tidy_labels: Annotated[
        bool,
        typer.Option(
            "--tidy-labels",
            help="Merge labels that differ only in spaces or case.",
            rich_help_panel=COLUMNS_PANEL,
        ),
    ] = False,
) -> "Columns":
    """Make up what the person says of the data.

    Example:
        >>> columns_from(label="cyst,nodule", classes="cyst, nodule").label
        ('cyst', 'nodule')
    """
    from medclf.curate.cohort import Columns

    return Columns(
        path=_one_or_several(path),
        label=_one_or_several(label),
        patient=patient,
        split=split,
        exam=exam,
        view=view,
        kind=kind,
        classes=_listed(classes) if classes else None,
        images=images,
        patient_pattern=patient_pattern,
        tidy_labels=tidy_labels,
    )


def takes_columns(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's argument `columns` by the options of `columns_from`."""
    options = inspect.signature(columns_from).parameters
    own = inspect.signature(command).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        said = {name: given.pop(name) for name in options}
        command(**given, columns=columns_from(**said))

    kept = [own[name] for name in own if name != "columns"]
    merged = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in (*kept, *options.values())
    ]
    run.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in merged}
    return run


def _one_or_several(text: str | None) -> str | tuple[str, ...] | None:
    return _listed(text) if text and "," in text else text


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))
