"""Shortcuts: does what is no disease tell the class? How an image was made, who was imaged.

One hospital's sick patients have larger images, its portable scanner serves the bedridden, its
letters stand in a corner: a network learns such first. Boosted trees see nothing but facts of the
making, judge patients they never learnt from, and their AUC says how far that leads. A shortcut
is told where the low end of its interval lies above .6. Two things are told beside, and are none:
facts of the patient, as age and sex, which bear on disease; and light and colour, which change
with the disease as well as with the scanner.

Source: Zech et al. Variable generalization performance of a deep learning model to detect
pneumonia in chest radiographs. PLOS Medicine 2018; DeGrave, Janizek, Lee. AI for radiographic
COVID-19 detection selects shortcuts over signal. Nature Machine Intelligence 2021.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.core.record import Fact, Record
from medclf.core.task import Task
from medclf.curate.bookkeeping import is_missing
from medclf.curate.fold import assign_folds
from medclf.curate.problem import Problem
from medclf.curate.survey import Look
from medclf.curate.traces import GROUPS
from medclf.errors import CohortError
from medclf.evaluate.figures import find_figures
from medclf.evaluate.interval import Figure
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision

FOLDS = 4
FEWEST = 40
FEWEST_PATIENTS = 10
TELLING = 0.6
NAMED = 3
WORDS = 30
RESAMPLES = 200
MADE, SEEN, WHO = "acquisition", "light", "patient"
OF_THE_PATIENT = frozenset(
    {"age", "sex", "gender", "race", "ethnicity", "weight", "bmi", "smoker", "smoking", "history"}
    | {"symptom", "symptoms", "localization", "localisation", "anatomy", "anatom", "body"}
    | {"laterality", "side", "survival", "temperature", "count", "saturation", "offset"}
    | {"intubated", "intubation", "extubated", "icu", "o2"}
)
"""Words in the name of a fact by which it is one of the patient; all others are of the making."""

Columns = NDArray[np.float64]


def is_of_the_patient(name: str) -> bool:
    """Tell by its name whether a fact is one of the patient, not of how an image was made.

    Example:
        >>> is_of_the_patient("Age_years"), is_of_the_patient("scanner")
        (True, False)
    """
    return bool(OF_THE_PATIENT & set(re.split(r"[^a-z0-9]+", name.casefold())))


@dataclass(frozen=True)
class Foretold:
    """How well facts of one kind foretell the class.

    Args:
        kind: "acquisition", "light" or "patient".
        auc: Of exams whose patients were not learnt from, mean over classes; interval by patient.
        alone: AUC of each group of facts by itself, the largest first; empty where all of them
            together foretell nothing.
    """

    kind: str
    auc: Figure
    alone: Mapping[str, float]


def foretell_classes(cohort: Cohort, looks: Sequence[Look], seed: int = 0) -> tuple[Foretold, ...]:
    """Foretell the class of each exam without looking at what it shows.

    Args:
        cohort: Findings that coexist, and rare classes, are passed over.
        looks: At its images; the first of an exam counts.
        seed: Deals the folds.

    Returns:
        One for each kind of which there are facts that differ; none where exams are few.
    """
    records, classes = _enough(cohort)
    if len(classes) < 2:
        return ()
    task = Task(classes)
    first = {look.exam: look for look in reversed(looks) if not look.failure}
    records = [record for record in records if record.name in first]
    patients = {record.patient for record in records}
    if len(records) < FEWEST or len(patients) < FEWEST_PATIENTS:
        return ()
    try:
        part = assign_folds(records, task.classes, FOLDS, seed)
    except CohortError:  # The patients of a class bear others as well: not measured.
        return ()
    found = []
    for kind, groups in _gather(records, [first[r.name] for r in records]).items():
        if groups:
            auc = _judge(list(groups.values()), records, task, part)
            told = auc.low > TELLING
            each = {n: _judge([g], records, task, part).value for n, g in groups.items() if told}
            alone = dict(sorted(each.items(), key=lambda pair: -pair[1]))
            found.append(Foretold(kind, auc, alone))
    return tuple(found)


def check_shortcut(foretold: Sequence[Foretold]) -> Iterator[Problem]:
    """Tell of a shortcut, where facts of the making foretell the class."""
    for found in foretold:
        if found.kind != MADE or not found.alone:
            continue
        carried = ", ".join(f"{name} {auc:.2f}" for name, auc in [*found.alone.items()][:NAMED])
        beside = [f"{other.kind} {other.auc.value:.2f}" for other in foretold if other.kind != MADE]
        message = (
            "how the images were made foretells the class of patients never seen: AUC "
            f"{found.auc.value:.2f} ({found.auc.low:.2f} to {found.auc.high:.2f}); "
            f"by itself {carried}"
        )
        message += f"; no shortcut, but beside it: {', '.join(beside)}" if beside else ""
        yield Problem("shortcut", False, message)


def _enough(cohort: Cohort) -> tuple[list[Record], tuple[str, ...]]:
    """Keep the classes of which there are patients for every fold, numbered anew.

    Patients alone bind them: were sites kept together, no site could foretell anything.
    """
    if cohort.task.kind == "coexisting":
        return [], ()
    whose: dict[int, set[str]] = {}
    for record in cohort.records:
        if isinstance(record.label, int):
            whose.setdefault(record.label, set()).add(record.patient)
    kept = sorted(label for label, patients in whose.items() if len(patients) >= FEWEST_PATIENTS)
    records = [
        replace(r, label=kept.index(r.label), group="")
        for r in cohort.records
        if isinstance(r.label, int) and r.label in kept
    ]
    return records, tuple(cohort.task.classes[label] for label in kept)


@dataclass(frozen=True)
class _Group:
    """Columns that belong together: (N, columns) numbers, or numbers that stand for words."""

    values: Columns
    words: bool = False


def _gather(records: Sequence[Record], looks: Sequence[Look]) -> dict[str, dict[str, _Group]]:
    """Lay out all facts that differ, by kind and group."""
    forms = [next(iter(r.images.values())) for r in records]
    space = np.array([(1.0, 1.0, *look.space)[-3:] for look in looks])
    numbers = {
        "image size": np.column_stack([space, space[:, -1] / space[:, -2]]),
        "channels": np.array([[float(look.channels)] for look in looks]),
        "bit depth": np.array([[float(look.bits)] for look in looks]),
        "spacing": np.array([_three(look.spacing_mm) for look in looks]),
    }
    numbers |= {
        group: np.array([[look.traces[name] for name in names] for look in looks])
        for group, names in GROUPS.items()
    }
    words: dict[str, Sequence[Fact]] = {
        "modality": [look.modality for look in looks],
        "file form": [(f.member or f.path.name).rpartition(".")[2].lower() for f in forms],
    }
    found: dict[str, dict[str, _Group]] = {MADE: {}, SEEN: {}, WHO: {}}
    for name, values in numbers.items():
        found[SEEN if name in ("light", "colour") else MADE][name] = _Group(values)
    for name, facts in words.items():
        found[MADE][name] = _coded(facts)
    for name in dict.fromkeys(name for record in records for name in record.facts):
        kind = WHO if is_of_the_patient(name) else MADE
        found[kind][name] = _coded([record.facts.get(name) for record in records])
    return {kind: {n: g for n, g in some.items() if _differs(g)} for kind, some in found.items()}


def _three(spacing_mm: tuple[float, ...] | None) -> tuple[float, ...]:
    return (np.nan, *spacing_mm)[-3:] if spacing_mm else (np.nan,) * 3


def _differs(group: _Group) -> bool:
    rows = np.nan_to_num(group.values, nan=-1.0)
    return bool((rows != rows[:1]).any())


def _coded(facts: Sequence[Fact]) -> _Group:
    """Keep numbers, and number words by how common they are; what stands once tells nothing."""
    known = [fact for fact in facts if not is_missing(fact)]
    if all(isinstance(fact, int | float) for fact in known):
        values = [np.nan if is_missing(fact) else float(fact or 0) for fact in facts]
        return _Group(np.array(values)[:, None])
    common = [word for word, n in Counter(map(str, known)).most_common(WORDS) if n > 1]
    codes = [
        np.nan if is_missing(f) else float(common.index(str(f)) if str(f) in common else WORDS)
        for f in facts
    ]
    return _Group(np.array(codes)[:, None], words=True)


def _judge(
    groups: Sequence[_Group], records: Sequence[Record], task: Task, part: NDArray[np.int64]
) -> Figure:
    """Learn from three folds and judge the fourth, each in turn."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    x = np.column_stack([group.values for group in groups])
    words = np.concatenate([np.full(g.values.shape[1], g.words) for g in groups])
    target = np.array([record.label for record in records], np.int64)
    p = np.empty((len(records), len(task.classes)))
    for fold in range(FOLDS):
        trees = HistGradientBoostingClassifier(
            max_iter=25,
            learning_rate=0.2,
            max_leaf_nodes=8,
            categorical_features=words,
            random_state=0,
        )
        trees.fit(x[part != fold], target[part != fold])
        p[part == fold] = trees.predict_proba(x[part == fold])
    names, patients = (
        np.array([getattr(r, what) for r in records]) for what in ("name", "patient")
    )
    none = np.full(len(records), "")
    judged = Predictions(task, names, patients, none, target, p, np.zeros_like(p))
    decision = Decision((0.5,)) if len(task.classes) == 2 else Decision()
    return find_figures(judged, decision, resamples=RESAMPLES).whole["auc"]
