"""`medclf predict`: what a run says of new images."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.evaluate import RunFolder
from medclf.cli.locate import fill_found, find_in, is_search, tell_found
from medclf.cli.options import Images, Json, SeriesPattern
from medclf.cli.output import expect_folder, expect_place, write_output
from medclf.cli.progress import show_progress

if TYPE_CHECKING:
    from medclf.core.finding import Findings
    from medclf.core.prediction import Prediction

READABLE = 9  # views of an exam that a row of a table names; JSON names all


def predict(
    run: RunFolder,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILES…",
            help="Images, folders of the DICOM files of a volume, or tables of exams; a run that "
            "locates takes no tables.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a CSV here, instead of printing it.")
    ] = None,
    site: Annotated[
        str,
        typer.Option(metavar="NAME", help="Their site or data set, if the run goes by it."),
    ] = "",
    series: SeriesPattern = None,
    images: Images = None,
    fill: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write label maps here too, of CT scans in which landmarks were located.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict new exams: a calibrated probability of each class, and what makes it doubtful.

    Of exams of several images or views it is told what each says of the class decided on, or how
    far it moves that probability, with its sign; --json tells it for all classes. A run that
    locates gives places in mm of the patient, with scores. An exam that cannot be read gets a row
    that says why, as does an exam of a table that has no image, and the command ends with exit code
    1 when it has answered the others. What is inferred of a table stands on the error stream.

    Example: medclf predict runs/first new/*.dcm --out predictions.csv
    """
    from medclf import verbs

    expect_place(out)
    expect_folder(fill)
    searched, notes = list["Findings"](), dict[str, None]()
    with show_progress("Predicting", quiet=as_json) as count:
        watch = verbs.Watch(count=count, note=notes.setdefault)
        if is_search(run):
            _expect_none(run, [site, images], "--site and --images want a run that classifies")
            searched = find_in(run, files, watch, series, fill)
            text, exams = tell_found(searched, as_json), len(searched)
            unread = [one.warnings[0] for one in searched if not one.searched]
        else:
            _expect_none(run, [fill], "--fill wants a run that locates landmarks")
            loaded = verbs.load(run)
            found = loaded.predict(files, watch, site, series, images, skip_unreadable=True)
            text, exams = _tell(found, loaded.run.task.classes, as_json), len(found)
            unread = [one.warnings[0] for one in found if not one.probabilities]
    _give(text, out, notes)
    unfilled = [] if fill is None else fill_found(run, searched, fill, series)
    _expect_answers(exams, {"cannot be read": unread, "have no label map": unfilled})


def _give(text: str, out: Path | None, notes: Iterable[str]) -> None:
    """Write what was found, and beside it how the exams were read."""
    sys.stderr.writelines(f"{note}\n" for note in notes)
    if out is not None:
        write_output(out, text)
    else:
        sys.stdout.write(text)


def _expect_answers(exams: int, left: Mapping[str, Sequence[str]]) -> None:
    """Check that all exams have an answer, and a map where it was asked for."""
    from medclf.errors import ReadError

    told = [
        f"{len(why)} of {exams} exams {what}, the first: {why[0]}"
        for what, why in left.items()
        if why
    ]
    if told:
        raise ReadError("; ".join(told))


def _expect_none(run: Path, said: list[object], told: str) -> None:
    """Check that nothing is said that this run has no use for."""
    from medclf.errors import SettingError

    if any(said):
        raise SettingError(f"{run}: {told}")


def _tell(found: Sequence["Prediction"], classes: Sequence[str], as_json: bool) -> str:
    if as_json:
        return json.dumps([asdict(prediction) for prediction in found]) + "\n"
    return _table(found, classes)


def _table(found: Sequence["Prediction"], classes: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    shares = [f"p_{name}" for name in classes]
    spreads = [f"spread_{name}" for name in classes]
    several = ["views"] if any(0 < len(one.views) <= READABLE for one in found) else []
    writer.writerow(["file", "decided", *shares, *spreads, *several, "warnings"])
    for one in found:
        numbers = [f"{x:.6f}" for x in (*one.probabilities, *one.spread)]
        numbers = numbers or [""] * len([*shares, *spreads])
        counted = [_tell_views(one, classes)] if several else []
        warnings = "; ".join(one.warnings)
        writer.writerow([one.name, "|".join(one.decided), *numbers, *counted, warnings])
    return text.getvalue()


def _tell_views(one: "Prediction", classes: Sequence[str]) -> str:
    """Tell of each view what it did to the probability of the class decided on."""
    if not 0 < len(one.views) <= READABLE:
        return ""
    decided = [classes.index(name) for name in one.decided or classes]
    k = max(decided, key=lambda number: one.probabilities[number])
    told = [f"{v.alone[k]:.3f}" if v.alone else f"{v.moved[k]:+.3f}" for v in one.views]
    return "; ".join(f"{view.view} {number}" for view, number in zip(one.views, told, strict=True))
