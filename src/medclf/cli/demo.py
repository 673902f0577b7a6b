"""`medclf demo`: the whole way through, on patients that are made on the spot."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from medclf.cli.options import Seed
from medclf.cli.output import write_output
from medclf.cli.progress import show_progress
from medclf.cli.scores import show_scores
from medclf.cli.train import fresh_folder, watch_training

PATIENTS = 240
MINUTES = 1.0


def demo(
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Where everything goes; new, or empty.", show_default="demo"
        ),
    ] = None,
    patients: Annotated[int, typer.Option(help="Phantom patients to make.", min=40)] = PATIENTS,
    minutes: Annotated[float, typer.Option(help="Budget of the training.", min=0.05)] = MINUTES,
    seed: Seed = 0,
) -> None:
    """Make chest radiographs of phantoms, then inspect, train, measure, report and predict.

    Needs no data and no network. The best possible AUC of the phantoms is known and below 1.

    Example: medclf demo --out demo
    """
    from medclf import verbs
    from medclf.curate.audit import audit
    from medclf.curate.phantom.cohort import make_phantoms
    from medclf.learn.begin import expect_free

    out = fresh_folder(Path("demo")) if out is None else out
    expect_free(out)
    say = sys.stdout.write
    say(f"Making radiographs of {patients} phantom patients\n")
    with show_progress("Making phantoms") as progress:
        table = make_phantoms(out / "data", patients, seed, progress=progress)
    truth = json.loads((out / "data" / "truth.json").read_text(encoding="utf-8"))
    cohort = verbs.read_cohort(table)
    with show_progress("Inspecting") as progress:
        found = audit(cohort, progress)
    say(f"Inspected {len(cohort.records)} images: {len(found.problems)} remarks, ")
    say(f"which medclf inspect {table} tells\n")
    say(f"Training for {minutes:g} {'minute' if minutes == 1 else 'minutes'} at most\n")
    with watch_training(quiet=False) as watch:
        done = verbs.train(cohort, out / "run", minutes, seed, watch=watch)
    show_scores(done.scores)
    say(f"The best possible AUC of these phantoms is {truth['best_auc']:.3f}\n")
    new = make_phantoms(out / "new", 1, seed + 1).parent / "images"
    (prediction, *_) = done.predict(sorted(new.iterdir()))
    write_output(out / "prediction.json", json.dumps(asdict(prediction), indent=1))
    shares = zip(done.run.task.classes, prediction.probabilities, strict=True)
    told = ", ".join(f"{name} {share:.2f}" for name, share in shares)
    say(f"predicted  {prediction.name}: {told}\n")
    say(f"run        {out / 'run'}\n")
    say(f"report     {out / 'run' / 'report.html'}\n")
