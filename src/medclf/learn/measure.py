"""Measure a run: calibrate and decide on validation, then open the test split, once.

Every validation exam is judged by the members that never learnt from it. What is chosen from that
is used on the test exams as it stands.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from torch import Tensor

from medclf.core.cohort import Cohort
from medclf.core.whole import write_whole
from medclf.evaluate.choice import choose
from medclf.evaluate.scores import score
from medclf.evaluate.table import write_predictions
from medclf.evaluate.tabulate import make_labels, tabulate
from medclf.learn.committee import Part
from medclf.learn.facts import encode_facts
from medclf.learn.keep import load_kept
from medclf.learn.loop import Indices
from medclf.learn.run import Run
from medclf.learn.settle import FEWEST_STEPS
from medclf.learn.trained import Shares, Trained, assemble
from medclf.prepare.store import Rows

CHOSEN_ON = (
    "There is no test split: these are the exams by which threshold, calibration and settings were "
    "chosen, so the figures flatter."
)


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
    load_kept(run.weights, trained.members)
    facts = encode_facts(cohort.records, run.recipe.facts)
    held, shares, spread = _left_out(trained, store, parts, facts)
    labels = make_labels([cohort.records[i] for i in held])
    recipe = run.recipe.decide
    how = recipe.calibrate, recipe.threshold, recipe.sensitivity
    calibration, decision = choose(cohort.task, labels, shares, *how)
    shares = calibration.mend(cohort.task, shares)
    trained = replace(trained, calibration=calibration, decision=decision)
    test = np.flatnonzero([record.split == "test" for record in cohort.records])
    if len(test):
        shares_test, spread_test = trained.probabilities(store, test, facts)
        shares = np.concatenate([shares, shares_test])
        spread = np.concatenate([spread, spread_test])
    found = tabulate(cohort, np.concatenate([held, test]), shares, spread)
    write_predictions(run.folder / "predictions.csv", found)
    measured = found.select(found.splits == ("test" if len(test) else "val"))
    scores = score(measured, decision, seed=run.recipe.fit.seed, resamples=recipe.resamples)
    seen = () if len(test) else (CHOSEN_ON,)
    scores = replace(scores, notes=(*scores.notes, *seen, *_cautions(run)))
    write_whole(run.folder / "scores.json", json.dumps(scores.to_json(), indent=1))
    return run.update(state="done", calibration=asdict(calibration), decision=asdict(decision))


def _cautions(run: Run) -> list[str]:
    """Warn of copies that scores count, and of a training so short that they say little."""
    told = list(run.facts.get("data", {}).get("copied", []))
    steps = run.recipe.fit.epochs * run.recipe.fit.steps
    if 0 < steps < FEWEST_STEPS:
        least = f"{steps} of {FEWEST_STEPS} steps at least"
        told.append(f"The budget allowed {least}: give more minutes.")
    return told


def _left_out(
    trained: Trained, store: Rows, parts: Sequence[Part], facts: Tensor | None
) -> tuple[Indices, Shares, Shares]:
    """Judge every validation exam by the members that never learnt from it."""
    held = np.unique(np.concatenate([part.validation for part in parts]))
    judged = trained.judge_each(store, [part.validation for part in parts], facts)
    apart = np.stack([np.isin(held, part.validation) for part in parts])
    means, spreads = np.zeros((2, *apart.shape, len(trained.task.classes)))
    for number, (part, (mean, spread)) in enumerate(zip(parts, judged, strict=True)):
        place = np.searchsorted(held, part.validation)
        means[number, place], spreads[number, place] = mean, spread
    weight = (apart / apart.sum(0))[:, :, None]
    mean = (weight * means).sum(0)
    return held, mean, np.sqrt((weight * (spreads**2 + (means - mean) ** 2)).sum(0))
