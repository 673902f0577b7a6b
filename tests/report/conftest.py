"""Synthetic predictions of every kind of task, and contents to report."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.evaluate.calibrate import Calibration
from medclf.evaluate.scores import score
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import fit_decision
from medclf.report.contents import Contents, Epoch, Setting
from medclf.report.count import count_splits, summarise_facts
from medclf.report.doubt import find_doubts
from medclf.report.judged import Judged
from medclf.report.mistake import find_mistakes
from medclf.report.picture import Picture

TASKS = {
    "binary": Task(("healthy", "nodule")),
    "exclusive": Task(("left", "middle", "right", "none")),
    "ranked": Task(("mild", "moderate", "severe"), "ranked"),
    "coexisting": Task(("effusion", "mass", "nodule"), "coexisting"),
    "many": Task(tuple(f"class {i}" for i in range(30))),
}


def draw_predictions(task: Task, exams: int, split: str = "test", seed: int = 0) -> Predictions:
    """Draw labels, and logits that know something of them; two exams per patient."""
    rng = np.random.default_rng([seed, len(split)])
    classes = len(task.classes)
    if task.kind == "coexisting":
        target = (rng.random((exams, classes)) < 0.3).astype(np.int64)
        p = 1 / (1 + np.exp(-(2 * target + rng.normal(size=target.shape) - 1)))
    else:
        target = np.arange(exams) % classes
        logits = rng.normal(size=(exams, classes))
        logits[np.arange(exams), target] += 1.8
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Predictions(
        task,
        np.array([f"{split}-{i:04d}" for i in range(exams)]),
        np.array([f"secret-patient-{split}-{i // 2}" for i in range(exams)]),
        np.full(exams, split),
        target,
        p,
        np.full(p.shape, 0.01),
        {"sex": tuple("FM"[i // 2 % 2] for i in range(exams))},
    )


def judge_predictions(predictions: Predictions, resamples: int = 60) -> Judged:
    decision = fit_decision(
        predictions.task, predictions.target, predictions.probabilities, "accuracy"
    )
    measured = score(predictions, decision, resamples=resamples)
    return Judged(predictions, measured, decision, Calibration(1.2))


def compose(kind: str, exams: int = 120) -> Contents:
    """Fill a report with everything it can tell."""
    task = TASKS[kind]
    test, validation = (
        judge_predictions(draw_predictions(task, exams, split)) for split in ("test", "val")
    )
    grey = Picture(np.arange(64, dtype=np.uint8).reshape(8, 8), "one exam")
    records = tuple(
        Record(
            str(p.exams[i]),
            {},
            str(p.patients[i]),
            tuple(p.target[i].tolist()) if p.target.ndim == 2 else int(p.target[i]),
            str(p.splits[i]),
            {"sex": p.facts["sex"][i]},
        )
        for p in (validation.predictions, test.predictions)
        for i in range(len(p))
    )
    cohort = Cohort(records, task, Path("exams.csv"))
    return Contents(
        title=f"A {kind} task",
        task=task,
        version="0.1.0",
        date="1 May 2025",
        origin="exams.csv",
        digest="sha256:0123456789abcdef",
        seed=7,
        counts=count_splits(cohort),
        facts=summarise_facts(records),
        notes=("The classes were read from the column label.",),
        problems=("Two images are alike.",),
        montage=(grey,) * 3,
        split="By patient and stratified.",
        plan=(Setting("batch", "64", "nine steps in an epoch"),),
        recipe="[fit]\nbatch = 64\n",
        log=tuple(Epoch(m, e, 1 / e, 1.2 / e, 0.9, e / 2, 1e-3) for m in (0, 1) for e in (1, 2, 3)),
        test=test,
        validation=validation,
        wrong=find_mistakes(test, 4),
        doubts=find_doubts(validation.predictions, 4),
        commands=("medclf train exams.csv --seed 7",),
        limits=("One hospital only.",),
        intended="A test.",
    )


@pytest.fixture(scope="session")
def composed() -> Callable[[str], Contents]:
    """Contents by the kind of task, each made once."""
    made: dict[str, Contents] = {}

    def get(kind: str) -> Contents:
        if kind not in made:
            made[kind] = compose(kind)
        return made[kind]

    return get


@pytest.fixture(scope="session")
def judge() -> Callable[..., Judged]:
    return judge_predictions


@pytest.fixture(scope="session")
def predict() -> Callable[..., Predictions]:
    return draw_predictions
