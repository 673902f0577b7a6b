"""Compose the report of a run: gather what its folder, its cohort and its store hold."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.task import Task
from medclf.evaluate.scores import Scores, score
from medclf.evaluate.table import Predictions, read_predictions
from medclf.learn.align import say_columns
from medclf.learn.join import PARTS
from medclf.learn.recipe import format_recipe
from medclf.learn.run import Run
from medclf.learn.trained import read_choices
from medclf.prepare.store import Store, first_images
from medclf.report.contents import Contents, Doubts, Epoch, Mistake, tell_settings
from medclf.report.count import count_splits, summarise_facts
from medclf.report.doubt import find_doubts
from medclf.report.judged import Judged
from medclf.report.mistake import find_mistakes
from medclf.report.page import write_report
from medclf.report.picture import Picture, make_picture

SHOWN, NAMED = 12, 4


def compose_report(run: Run, cohort: Cohort, store: Store) -> Path:
    """Write `report.html` into the folder of a run that has come to its end.

    Args:
        run: The run.
        cohort: Split as the run split it.
        store: Its images, prepared, in the same order.
    """
    found = read_predictions(run.folder / "predictions.csv", run.task)
    test, validation = _judged(run, found)
    rows = {record.name: row for row, record in enumerate(cohort.records)}
    shown = test or validation
    data = run.facts["data"]
    contents = Contents(
        title=_title(run.task, cohort.origin.name),
        task=run.task,
        version=run.facts["medclf"],
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        origin=str(cohort.origin),
        digest=data["digest"],
        seed=run.recipe.fit.seed,
        counts=count_splits(cohort),
        facts=summarise_facts(cohort.records),
        notes=tuple(run.facts["notes"]),
        problems=(
            *data["problems"],
            *(f"{name} was left out: {why}" for name, why in data["left_out"]),
        ),
        montage=_montage(cohort, store),
        split=_tell_split(run),
        plan=tell_settings(run.recipe, run.facts["reasons"]),
        recipe=format_recipe(run.recipe, run.facts["reasons"]),
        log=tuple(_log(run)),
        trees=_trees(run),
        test=test,
        validation=validation,
        wrong=_drawn(find_mistakes(shown, SHOWN), store, rows) if shown is not None else (),
        doubts=_doubts(found, store, rows),
        commands=_commands(run),
        cut=_is_cut(run),
    )
    return write_report(run.folder / "report.html", contents)


def _title(task: Task, origin: str) -> str:
    few = len(task.classes) <= NAMED
    return f"{' or '.join(task.classes) if few else f'{len(task.classes)} classes'} in {origin}"


def _is_cut(run: Run) -> bool:
    """Tell whether the budget ended a member before the last epoch, which patience may too."""
    fit, done = run.recipe.fit, Counter(int(row["member"]) for row in _kept(run))
    return not fit.patience and any(epochs < fit.epochs for epochs in done.values())


def _judged(run: Run, found: Predictions) -> tuple[Judged | None, Judged | None]:
    """Join test and validation predictions with their scores, as far as they are there."""
    calibration, decision = read_choices(run)
    kept = run.scores()
    test, validation = (found.select(found.splits == split) for split in ("test", "val"))
    scores = Scores.from_json(kept)
    if not len(test):
        return None, Judged(validation, scores, decision, calibration)
    recipe = run.recipe
    other = score(validation, decision, recipe.fit.seed, recipe.decide.resamples)
    return Judged(test, scores, decision, calibration), Judged(
        validation, other, decision, calibration
    )


def _montage(cohort: Cohort, store: Store) -> tuple[Picture, ...]:
    """Show training exams of every class, each of another patient."""
    by_class: dict[Any, dict[str, int]] = {}
    for row, record in enumerate(cohort.records):
        if record.split == "train" and record.label is not None:
            by_class.setdefault(record.label, {}).setdefault(record.patient, row)
    each = max(1, SHOWN // max(1, len(by_class)))
    chosen = [
        (label, row)
        for label, rows in sorted(by_class.items())
        for row in list(rows.values())[:each]
    ]
    return tuple(
        make_picture(first_images(store, np.array([row]))[0], cohort.task.describe(label))
        for label, row in chosen[: 2 * SHOWN]
    )


def _doubts(found: Predictions, store: Store, rows: Mapping[str, int]) -> Doubts:
    """Show the labels that may be wrong, of all exams that were not learnt from."""
    doubts = find_doubts(found, SHOWN)
    return replace(doubts, cases=_drawn(doubts.cases, store, rows))


def _drawn(cases: Sequence[Mistake], store: Store, rows: Mapping[str, int]) -> tuple[Mistake, ...]:
    """Add to each case its picture, as the network saw it."""

    def picture(exam: str) -> Picture:
        return make_picture(first_images(store, np.array([rows[exam]]))[0], exam)

    return tuple(replace(case, picture=picture(case.exam)) for case in cases)


def _tell_split(run: Run) -> str:
    told = [note.rstrip(".") for note in run.facts["notes"] if "split" in note.lower()]
    folds = run.recipe.fit.folds
    if folds:
        told.append(
            f"Training and validation exams are dealt into {folds} folds by patient and class: "
            "each member validates on a fold that it never learnt from"
        )
    return "".join(f"{sentence}. " for sentence in told).rstrip()


def _kept(run: Run) -> list[dict[str, float]]:
    """Take the log of the members that the run keeps, which the budget may have made fewer.

    Where a code is learnt, the row of its head is left out: it has another kind of loss.
    """
    coded = run.recipe.transfer.learn == "code"
    log = [row for row in run.log() if row["member"] < run.recipe.fit.members]
    return [row for row in log if not (coded and "val_auc" in row)]


def _trees(run: Run) -> str:
    place = run.folder / "tree.txt"
    return place.read_text(encoding="utf-8") if place.exists() else ""


def _log(run: Run) -> list[Epoch]:
    spent: dict[int, float] = {}
    found = []
    for row in _kept(run):
        member = int(row["member"])
        spent[member] = spent.get(member, 0.0) + row["seconds"]
        found.append(
            Epoch(
                member,
                int(row["epoch"]),
                row["loss"],
                row.get("val_loss"),
                row.get("val_auc"),
                spent[member],
                row["rate"],
            )
        )
    return found


def _commands(run: Run) -> tuple[str, ...]:
    data, folder = run.facts["data"], run.folder.absolute()
    said = say_columns(data)
    if parts := run.facts.get(PARTS):
        places = [str(folder / PARTS / part["name"]) for part in parts]
        way = ["--way", run.facts["combination"]["way"], "--out", "again"]
        return (
            shlex.join(["medclf", "join", *places, *way]),
            shlex.join(["medclf", "evaluate", str(folder), data["origin"], *said]),
        )
    skip = ["--skip-unreadable"] if data["left_out"] else []
    recipe = ["--recipe", str(folder / "recipe.toml"), "--out", "again"]
    return (
        shlex.join(["medclf", "train", data["origin"], *said, *skip, *recipe]),
        shlex.join(["medclf", "evaluate", str(folder), data["origin"], *said]),
    )
