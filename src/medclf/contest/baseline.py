"""A classical entry at work: it learns, chooses and is judged as a network is.

Nothing here imports torch, so that the peak of memory is that of the method.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from medclf.contest.boosted import Features, Trees, fit_rounds
from medclf.contest.classical import Classical, choose_setting, deadline_after, describe
from medclf.contest.gauge import peak_memory_mb, time_answers
from medclf.contest.judged import Indices, open_exams, take_turns
from medclf.contest.outcome import Outcome, Step, Tell
from medclf.core.cohort import Cohort
from medclf.core.whole import write_whole
from medclf.errors import RunError
from medclf.evaluate.calibrate import inverse_link
from medclf.evaluate.choice import choose
from medclf.evaluate.score import Classes, Numbers
from medclf.evaluate.scores import score
from medclf.evaluate.standing import Cost
from medclf.evaluate.table import write_predictions
from medclf.evaluate.tabulate import make_labels, tabulate
from medclf.evaluate.threshold import Aim
from medclf.prepare.exam import Prepare
from medclf.prepare.store import Rows, open_store

CHOOSING = 0.7  # of the budget; the rest is for learning with what was chosen
AT_ONCE = 256  # images whose pixels are in memory together


@dataclass(frozen=True)
class Terms:
    """What holds for every entry, as far as a classical one needs to know.

    Args:
        prepare: How images are prepared.
        digest: Of the prepared images.
        minutes: Budget of an entry.
        folds: As in the recipe.
        seed: All chance comes from it.
        balanced: Whether rare classes weigh more.
        calibrate: As in the recipe.
        aim: As in the recipe.
        sensitivity: As in the recipe.
        resamples: Bootstrap samples behind each interval.
    """

    prepare: Prepare
    digest: str
    minutes: float
    folds: int
    seed: int
    balanced: bool
    calibrate: Literal["none", "temperature", "bias"]
    aim: Aim
    sensitivity: float
    resamples: int


@dataclass(frozen=True)
class Baseline:
    """The work of a classical entry.

    Args:
        name: One of `classical.CLASSICAL`.
        folder: Where predictions and scores go.
        cohort: Split.
        terms: What holds for every entry.
    """

    name: str
    folder: Path
    cohort: Cohort
    terms: Terms

    def run(self, tell: Tell) -> Outcome:
        """Learn, choose, judge and measure.

        Raises:
            RunError: the images have changed, or the folder cannot be written.
            MedclfError: the exams do not allow it.
        """
        terms, start = self.terms, time.monotonic()
        store = open_store(self.cohort.records, terms.prepare, skip_unreadable=True)
        if store.digest != terms.digest:
            raise RunError(f"{self.cohort.origin}: the images have changed since the start")
        cohort, rows = open_exams(self.cohort, store, terms.folds)
        features = _describe_all(self.name, rows)
        target = make_labels(cohort.records)
        shares, judges, note = self._judge(cohort, features, target, tell)
        seconds = time.monotonic() - start
        self._measure(cohort, shares)
        memory = peak_memory_mb()

        def answer() -> Numbers:
            return judges.judge(describe_exams(self.name, rows, np.array([0])))

        with threadpool_limits(1):
            latency = time_answers(answer)
        cost = Cost(None, None, None, seconds, latency, time_answers(answer), memory)
        if rows.images.shape[1] > 1:
            note += " An exam is described by the mean over its images."
        return Outcome(cost, note)

    def _judge(
        self, cohort: Cohort, features: Features, target: Classes, tell: Tell
    ) -> tuple[Numbers, Classical, str]:
        """Judge every exam that is not learnt from: (N, K), nan for those that are."""
        terms = self.terms
        turns = take_turns(cohort, terms.folds, terms.seed)
        shares = np.full((len(target), len(cohort.task.classes)), np.nan)
        start = fit_rounds(cohort.task, Trees(balanced=terms.balanced, seed=terms.seed))
        seconds = CHOOSING * terms.minutes * 60 / len(turns)
        chosen = []
        for number, turn in enumerate(turns):
            tell(Step(number, len(turns)))
            learnt, held = ((features[i], target[i]) for i in (turn.training, turn.validation))
            in_time = deadline_after(seconds)
            setting = choose_setting(self.name, cohort.task, start, learnt, held, in_time)
            rest = np.setdiff1d(np.arange(len(target)), turn.judged)
            judge = Classical(self.name, cohort.task, setting, features[rest], target[rest])
            shares[turn.judged] = judge.judge(features[turn.judged])
            chosen.append(str(setting))
        return shares, judge, f"Chosen on validation: {chosen[0]}."

    def _measure(self, cohort: Cohort, shares: Numbers) -> None:
        """Calibrate and decide on validation; write predictions and scores."""
        terms, task = self.terms, cohort.task
        splits = np.array([record.split for record in cohort.records])
        tests = np.flatnonzero(splits == "test")
        held = np.flatnonzero(np.isfinite(shares).all(1) & (splits != "test"))
        labels = make_labels([cohort.records[i] for i in held])
        how = terms.calibrate, terms.aim, terms.sensitivity
        calibration, decision = choose(task, labels, shares[held], *how)
        order = np.concatenate([held, tests])
        sure = calibration.apply(task, inverse_link(task, shares[order]))
        found = tabulate(cohort, order, sure, np.zeros_like(sure))
        self.folder.mkdir(parents=True, exist_ok=True)
        write_predictions(self.folder / "predictions.csv", found)
        judged = found.select(found.splits == ("test" if len(tests) else "val"))
        scores = score(judged, decision, terms.seed, terms.resamples)
        write_whole(self.folder / "scores.json", json.dumps(scores.to_json(), indent=1))


def describe_exams(name: str, rows: Rows, exams: Indices) -> Features:
    """Describe exams by the mean over their images: (N,) -> (N, F)."""
    table = rows.images[exams]
    there = table >= 0
    each, counts = describe(name, rows.batch(table[there])), there.sum(1)
    total = np.add.reduceat(each, counts.cumsum() - counts)
    return np.asarray(total / counts[:, None].astype(each.dtype))


def _describe_all(name: str, rows: Rows) -> Features:
    parts = np.array_split(np.arange(len(rows.images)), -(-rows.images.size // AT_ONCE))
    return np.concatenate([describe_exams(name, rows, part) for part in parts])
