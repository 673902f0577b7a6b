"""Measure a run: calibrate and decide on validation, then open the test split, once.

Every validation exam is judged by the members that never learnt from it. What is chosen from that
is used on the test exams as it stands.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.evaluate.calibrate import Calibration, fit_calibration, inverse_link
from medclf.evaluate.scores import score
from medclf.evaluate.table import Predictions, write_predictions
from medclf.evaluate.threshold import fit_decision
from medclf.learn.committee import Part
from medclf.learn.exams import Rows
from medclf.learn.loop import Indices
from medclf.learn.run import Run, write_whole
from medclf.learn.trained import Shares, Trained, assemble, load_weights


def measure_run(run: Run, cohort: Cohort, store: Rows, parts: Sequence[Part]) -> Run:
    """Write predictions and scores of a run whose members are trained.

    Args:
        run: With its weights.
        cohort: With every exam in a split.
        store: The same exams prepared, in the same order.
        parts: What each member validated on.

    Returns:
        The run, done.
    """
    trained = assemble(run)
    for number, member in enumerate(trained.members):
        load_weights(run, member, number)
    held, shares, spread = _left_out(trained, store, parts)
    labels = make_labels([cohort.records[i] for i in held], cohort.task)
    recipe = run.recipe.decide
    logits = inverse_link(cohort.task, shares)
    calibration = _calibrate(cohort.task, logits, labels, recipe.calibrate)
    shares = calibration.apply(cohort.task, logits)
    decision = fit_decision(cohort.task, labels, shares, recipe.threshold)
    trained = replace(trained, calibration=calibration, decision=decision)
    test = np.flatnonzero([record.split == "test" for record in cohort.records])
    if len(test):
        shares_test, spread_test = trained.probabilities(store, test)
        shares = np.concatenate([shares, shares_test])
        spread = np.concatenate([spread, spread_test])
    found = tabulate(cohort, np.concatenate([held, test]), shares, spread)
    write_predictions(run.folder / "predictions.csv", found)
    measured = found.select(found.splits == ("test" if len(test) else "val"))
    scores = score(measured, decision, seed=run.recipe.fit.seed, resamples=recipe.resamples)
    write_whole(run.folder / "scores.json", json.dumps(scores.to_json(), indent=1))
    return run.update(state="done", calibration=asdict(calibration), decision=asdict(decision))


def _calibrate(task: Task, logits: Shares, labels: Indices, how: str) -> Calibration:
    if how == "none":
        return Calibration()
    return fit_calibration(task, logits, labels, bias=how == "bias")


def _left_out(
    trained: Trained, store: Rows, parts: Sequence[Part]
) -> tuple[Indices, Shares, Shares]:
    """Judge every validation exam by the members that never learnt from it."""
    held = np.unique(np.concatenate([part.validation for part in parts]))
    judged = trained.judge_each(store, [part.validation for part in parts])
    apart = np.stack([np.isin(held, part.validation) for part in parts])
    means, spreads = np.zeros((2, *apart.shape, len(trained.task.classes)))
    for number, (part, (mean, spread)) in enumerate(zip(parts, judged, strict=True)):
        place = np.searchsorted(held, part.validation)
        means[number, place], spreads[number, place] = mean, spread
    weight = (apart / apart.sum(0))[:, :, None]
    mean = (weight * means).sum(0)
    return held, mean, np.sqrt((weight * (spreads**2 + (means - mean) ** 2)).sum(0))


def make_labels(records: Sequence[Record], task: Task) -> Indices:
    """Write labels as `evaluate` takes them: (N,) class numbers, or (N, K) 0 and 1."""
    return np.array([record.label for record in records], dtype=np.int64)


def tabulate(cohort: Cohort, chosen: Indices, shares: Shares, spread: Shares) -> Predictions:
    """Join probabilities with exams, labels and facts; patients become numbers.

    The table goes to disk and into reports: it groups exams by patient without saying who it is.
    """
    records = [cohort.records[i] for i in chosen]
    order = sorted({record.patient for record in cohort.records})
    number = {patient: f"patient-{i + 1:05d}" for i, patient in enumerate(order)}
    facts = sorted({fact for record in records for fact in record.facts})
    return Predictions(
        task=cohort.task,
        exams=np.array([record.name for record in records]),
        patients=np.array([number[record.patient] for record in records]),
        splits=np.array(["test" if record.split == "test" else "val" for record in records]),
        target=make_labels(records, cohort.task),
        probabilities=shares,
        spread=spread,
        facts={fact: tuple(record.facts.get(fact) for record in records) for fact in facts},
    )
