"""Options that several commands share, each written once.

A command that reads a cohort takes the argument `columns`; `takes_columns` puts in its place, on
the command line, the options that make it up.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from medclf.curate.cohort import Columns

PANEL = "What the data say, where that is not found out"


def _say(flag: str, told: str, metavar: str | None = None) -> Any:
    return typer.Option(flag, help=told, metavar=metavar, rich_help_panel=PANEL, show_default=False)


Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="A folder or zip with a sub-folder per class, a table of exams (CSV, Parquet, "
        "Excel), or a known data file (MedMNIST .npz, IDX, CIFAR).",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
SkipUnreadable = Annotated[
    bool, typer.Option("--skip-unreadable", help="Leave out images that cannot be read.")
]
Seed = Annotated[int, typer.Option("--seed", help="Every random draw comes from it.", min=0)]

PathColumn = Annotated[
    str | None, _say("--path", "Column that names the image; several with commas.", "NAME")
]
Label = Annotated[
    str | None, _say("--label", "Column of the class; columns of 0 and 1 with commas.", "NAME")
]
Patient = Annotated[str | None, _say("--patient", "Column of the patient, or none.", "NAME")]
Split = Annotated[
    str | None, _say("--split", "Column that says train, val or test, or none.", "NAME")
]
Exam = Annotated[
    str | None, _say("--exam", "Column that joins several rows to one exam, or none.", "NAME")
]
View = Annotated[
    str | None, _say("--view", "Column that names the images of such an exam, or none.", "NAME")
]
Kind = Annotated[
    Literal["exclusive", "coexisting", "ranked"] | None, _say("--kind", "How the classes relate.")
]
Classes = Annotated[str | None, _say("--classes", "Class names in order, with commas.", "A,B,…")]
Images = Annotated[
    Path | None, _say("--images", "Folder or zip of the images that a table names.", "PATH")
]
PatientPattern = Annotated[
    str | None,
    _say("--patient-pattern", "Regular expression that finds the patient in a path.", "REGEX"),
]
TidyLabels = Annotated[
    bool, _say("--tidy-labels", "Merge labels that differ only in spaces or case.")
]
HoldOut = Annotated[
    str | None,
    _say("--hold-out", "Sites that are tested alone, by a column.", "COLUMN=VALUE[,VALUE]"),
]
SeriesPattern = Annotated[
    str | None,
    _say(
        "--series",
        "Regular expression that tells an exam's DICOM series from others; several by name.",
        "REGEX|NAME=REGEX,…",
    ),
]
PointColumns = Annotated[
    str | None,
    _say("--point", "Columns of the marked point, z first; in mm if they end in _mm.", "Z,Y,X"),
]
MaskColumn = Annotated[
    str | None, _say("--mask", "Column of the file that masks what is judged, or none.", "NAME")
]
Slices = Annotated[bool, _say("--slices", "Take each DICOM file as an image of its own.")]
Group = Annotated[
    str | None,
    _say("--group", "Column, as of the site, that splits and folds do not part.", "NAME"),
]


def columns_from(  # noqa: PLR0913 - each argument is an option of the command line
    path: PathColumn = None,
    label: Label = None,
    patient: Patient = None,
    split: Split = None,
    exam: Exam = None,
    view: View = None,
    kind: Kind = None,
    classes: Classes = None,
    images: Images = None,
    patient_pattern: PatientPattern = None,
    tidy_labels: TidyLabels = False,
    hold_out: HoldOut = None,
    group: Group = None,
    series: SeriesPattern = None,
    slices: Slices = False,
    point: PointColumns = None,
    mask: MaskColumn = None,
) -> "Columns":
    """Make up what the person says of the data.

    Example:
        >>> columns_from(label="cyst,nodule", patient="name").label
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
        hold_out=hold_out,
        group=group,
        series=series,
        slices=slices,
        point=_listed(point) if point else None,
        mask=mask,
    )


def takes_columns(command: Callable[..., None]) -> Callable[..., None]:
    """Replace a command's argument `columns` by the options of `columns_from`."""
    options = inspect.signature(columns_from).parameters
    own = inspect.signature(command).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        said = {name: given.pop(name) for name in options}
        command(**given, columns=columns_from(**said))

    kept = [parameter for name, parameter in own.items() if name != "columns"]
    named = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*kept, *options.values())]
    run.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in named}
    return run


def _one_or_several(text: str | None) -> str | tuple[str, ...] | None:
    return _listed(text) if text and "," in text else text


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))
