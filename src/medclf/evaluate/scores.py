"""Scores: everything that is measured on a run, as one value and as plain JSON.

Source: Collins et al. TRIPOD+AI statement. BMJ 2024 (what must be told, with intervals and by
subgroup).
"""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.task import Task
from medclf.errors import ReadError
from medclf.evaluate.bootstrap import held_by
from medclf.evaluate.figures import RESAMPLES, find_figures
from medclf.evaluate.interval import Figure
from medclf.evaluate.ranking import indicators
from medclf.evaluate.subgroup import Subgroup, find_subgroups
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision

Json = dict[str, Any]


@dataclass(frozen=True)
class ClassScores:
    """One class against the rest, or one finding."""

    exams: int
    patients: int
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Scores:
    """What was measured.

    Args:
        figures: By name: auc, accuracy, balanced_accuracy, f1, average_precision, log_loss, brier,
            ece; with two classes and with findings sensitivity, specificity, precision; with
            ranked classes kappa.
        exams: Labelled exams scored.
        patients: Whose they are.
        per_class: By class name.
        subgroups: By fact.
        decision: How probabilities became classes.
        notes: What a reader must know: classes left out, exams without a label.
        seed: Of the bootstrap.
        resamples: Bootstrap samples.
    """

    figures: dict[str, Figure]
    exams: int
    patients: int
    per_class: dict[str, ClassScores]
    subgroups: dict[str, tuple[Subgroup, ...]] = field(default_factory=dict)
    decision: Decision = field(default_factory=Decision)
    notes: tuple[str, ...] = ()
    seed: int = 0
    resamples: int = RESAMPLES

    def to_json(self) -> Json:
        """Give plain dictionaries, lists, numbers and words; nan and infinity become null."""
        return {
            **_plain(self.figures),
            "n_exams": self.exams,
            "n_patients": self.patients,
            "per_class": {
                name: {"n_exams": c.exams, "n_patients": c.patients, **_plain(c.figures)}
                for name, c in self.per_class.items()
            },
            "subgroups": {
                fact: {
                    g.name: {
                        "n_exams": g.exams,
                        "n_patients": g.patients,
                        "note": g.note,
                        **_plain(g.figures),
                    }
                    for g in groups
                }
                for fact, groups in self.subgroups.items()
            },
            "decision": asdict(self.decision),
            "notes": list(self.notes),
            "seed": self.seed,
            "resamples": self.resamples,
        }

    @classmethod
    def from_json(cls, plain: Json) -> "Scores":
        """Take back what `to_json` gave.

        Raises:
            ReadError: a part is missing or of another kind.
        """
        try:
            classes = {
                name: ClassScores(c["n_exams"], c["n_patients"], _figures(c))
                for name, c in plain["per_class"].items()
            }
            groups = {
                fact: tuple(
                    Subgroup(name, g["n_exams"], g["n_patients"], _figures(g), g["note"])
                    for name, g in groups.items()
                )
                for fact, groups in plain["subgroups"].items()
            }
            counts = plain["n_exams"], plain["n_patients"]
            how = plain["decision"]
            decision = Decision(**{**how, "thresholds": tuple(how["thresholds"])})
            notes, seed, resamples = tuple(plain["notes"]), plain["seed"], plain["resamples"]
        except (KeyError, TypeError, AttributeError) as problem:
            raise ReadError(f"scores are damaged: cannot find or use {problem}") from problem
        figures = _figures(plain)
        return cls(figures, *counts, classes, groups, decision, notes, seed, resamples)


def score(
    predictions: Predictions, decision: Decision, seed: int = 0, resamples: int = RESAMPLES
) -> Scores:
    """Measure predictions in every way that their task knows.

    Args:
        predictions: Of one split; exams without a label are left out, with a note.
        decision: How probabilities become classes.
        seed: Of the bootstrap.
        resamples: Bootstrap samples.

    Raises:
        CohortError: no exam has a label.
        SettingError: the decision is of another kind of task.
    """
    found = find_figures(predictions, decision, seed, resamples)
    labelled = predictions.select(predictions.labelled)
    task, sides = predictions.task, indicators(labelled.target, len(predictions.task.classes))
    people, whose = np.unique(labelled.patients, return_inverse=True)
    exams, patients = sides.sum(0), held_by(whose, sides).sum(0)
    classes = {
        name: ClassScores(
            int(exams[k]), int(patients[k]), {what: f[k] for what, f in found.each.items()}
        )
        for k, name in enumerate(task.classes)
    }
    notes = [*predictions.notes, *_one_sided(task, exams, len(labelled))]
    if task.sets:
        notes.append(
            "classes of several data sets, told apart at once: read the figures of each of them"
        )
    if len(labelled) < len(predictions):
        notes.append(f"{len(predictions) - len(labelled)} exams without a label are left out")
    groups = find_subgroups(labelled, decision, seed, resamples)
    return Scores(
        found.whole,
        len(labelled),
        len(people),
        classes,
        groups,
        decision,
        tuple(notes),
        seed,
        resamples,
    )


def _one_sided(task: Task, exams: NDArray[np.int64], among: int) -> list[str]:
    """Say which means go without a class that no exam has, or a finding that all have.

    F1 and precision count a class that is decided on but never there as 0; specificity and the
    accuracy of findings count it too.
    """
    both = task.kind == "coexisting"
    areas = [] if len(task.classes) == 2 and not both else ["AUC", "average precision"]
    without = {0: [*areas, *(["sensitivity"] if both else []), "balanced accuracy"]}
    if both:
        without[among] = ["AUC", "specificity", "balanced accuracy"]
    notes = []
    for name, n in zip(task.classes, exams.tolist(), strict=True):
        if n in without:
            *some, last = without[n]
            means = f"the means of {', '.join(some)} and {last}" if some else last
            has = "every exam has the class" if n else "no exam has the class"
            notes.append(f"{has} {name!r}: it is left out of {means}")
    return notes


def _plain(figures: dict[str, Figure]) -> Json:
    return {
        name: {key: x if math.isfinite(x) else None for key, x in asdict(figure).items()}
        for name, figure in figures.items()
    }


def _figures(plain: Json) -> dict[str, Figure]:
    return {
        name: Figure(
            *(math.nan if part[key] is None else part[key] for key in ("value", "low", "high"))
        )
        for name, part in plain.items()
        if isinstance(part, dict) and part.keys() == {"value", "low", "high"}
    }
