"""`medclf predict`: what a run says of new images."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medclf.cli.evaluate import RunFolder
from medclf.cli.locate import find_in, is_search
from medclf.cli.options import Images, Json, SeriesPattern
from medclf.cli.output import expect_place, write_output
from medclf.cli.progress import show_progress

if TYPE_CHECKING:
    from medclf.core.prediction import Prediction


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

    Of exams with several images it is told how much each counted. A run that locates gives places
    in mm of the patient, with scores. An exam that cannot be read gets a row that says why, and the
    command ends with exit code 1 when it has answered the others.

    Example: medclf predict runs/first new/*.dcm --out predictions.csv
    """
    from medclf import verbs

    expect_place(out)
    found: list[Prediction] = []
    with show_progress("Predicting", quiet=as_json) as count:
        watch = verbs.Watch(count=count)
        if is_search(run):
            _expect_none(run, [site, images], "--site and --images want a run that classifies")
            text = find_in(run, files, watch, series, fill, as_json)
        else:
            _expect_none(run, [fill], "--fill wants a run that locates landmarks")
            loaded = verbs.load(run)
            found = loaded.predict(files, watch, site, series, images, skip_unreadable=True)
            text = _tell(found, loaded.run.task.classes, as_json)
    if out is not None:
        write_output(out, text)
    else:
        sys.stdout.write(text)
    _expect_read(found)


def _expect_read(found: Sequence["Prediction"]) -> None:
    """Check that all exams have an answer."""
    from medclf.errors import ReadError

    if unread := [one for one in found if not one.probabilities]:
        told = f"{len(unread)} of {len(found)} exams cannot be read, the first: "
        raise ReadError(told + unread[0].warnings[0])


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
    several = ["images"] if any(one.images for one in found) else []
    writer.writerow(["file", "decided", *shares, *spreads, *several, "warnings"])
    for one in found:
        numbers = [f"{x:.6f}" for x in (*one.probabilities, *one.spread)]
        numbers = numbers or [""] * len([*shares, *spreads])
        counted = (
            ["; ".join(f"{name} {share:.3f}" for name, share in one.images)] if several else []
        )
        warnings = "; ".join(one.warnings)
        writer.writerow([one.name, "|".join(one.decided), *numbers, *counted, warnings])
    return text.getvalue()
