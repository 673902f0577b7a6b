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
from medclf.cli.options import Json
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
            help="Images, folders of the DICOM files of a volume, or tables of exams.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a CSV here, instead of printing it.")
    ] = None,
    site: Annotated[
        str,
        typer.Option(metavar="NAME", help="Their site or data set, if the run goes by it."),
    ] = "",
    series: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="Which DICOM series of a folder is meant."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict new exams: a calibrated probability of each class, and what makes it doubtful.

    Of exams with several images it is told how much each counted.

    Example: medclf predict runs/first new/*.dcm --out predictions.csv
    """
    from medclf import verbs

    expect_place(out)
    loaded = verbs.load(run)
    with show_progress("Predicting", quiet=as_json) as count:
        found = loaded.predict(files, verbs.Watch(count=count), site, series)
    if as_json:
        text = json.dumps([asdict(prediction) for prediction in found]) + "\n"
    else:
        text = _table(found, loaded.run.task.classes)
    if out is not None:
        write_output(out, text)
    else:
        sys.stdout.write(text)


def _table(found: Sequence["Prediction"], classes: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    shares = [f"p_{name}" for name in classes]
    spreads = [f"spread_{name}" for name in classes]
    several = ["images"] if any(one.images for one in found) else []
    writer.writerow(["file", "decided", *shares, *spreads, *several, "warnings"])
    for one in found:
        numbers = [f"{x:.6f}" for x in (*one.probabilities, *one.spread)]
        counted = (
            ["; ".join(f"{name} {share:.3f}" for name, share in one.images)] if several else []
        )
        warnings = "; ".join(one.warnings)
        writer.writerow([one.name, "|".join(one.decided), *numbers, *counted, warnings])
    return text.getvalue()
