"""All that a report tells, as plain values: whoever trains or evaluates fills it in.

Whatever is absent stays empty or `None`, and the page leaves its part out. No field holds who a
patient is; exams are named as the cohort names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from medclf.core.task import Task
from medclf.report.count import Counts
from medclf.report.judged import Judged
from medclf.report.picture import Picture

AXES = 3


@dataclass(frozen=True)
class Setting:
    """One choice of the plan.

    Args:
        name: The recipe's key, as "batch".
        value: As a person would read it, as "64" or "28 × 28".
        reason: Why, in a sentence.
    """

    name: str
    value: str
    reason: str


def tell_settings(recipe: object, reasons: Mapping[str, str]) -> tuple[Setting, ...]:
    """Tell what was chosen in a recipe, and why.

    Args:
        recipe: Of tables that have settings.
        reasons: By dotted key, as "fit.batch".
    """
    found = []
    for key, reason in reasons.items():
        table, name = key.split(".", 1)
        found.append(Setting(key, _say(getattr(getattr(recipe, table), name)), reason))
    return tuple(found)


def _say(value: object) -> str:
    if isinstance(value, tuple):
        edges = len(value) <= AXES and not any(isinstance(part, str) for part in value)
        return (" × " if edges else ", ").join(str(part) for part in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return str(value)


@dataclass(frozen=True)
class Epoch:
    """One row of the training log, `log.jsonl`.

    Args:
        member: Number of the network, from 0.
        epoch: Epochs done so far: 1, 2, …
        loss: Mean training loss of this epoch.
        val_loss: Log loss on validation, `None` where it was not taken.
        val_auc: AUC on validation, `None` where it was not taken.
        seconds: That this member's epochs have taken so far, this one included.
        rate: Learning rate at the end of this epoch.
    """

    member: int
    epoch: int
    loss: float
    val_loss: float | None = None
    val_auc: float | None = None
    seconds: float = 0.0
    rate: float = 0.0


@dataclass(frozen=True)
class Mistake:
    """A case that the model got wrong, see `find_mistakes`.

    Args:
        exam: Its name.
        truth: The right class.
        said: The class that was said instead.
        probability: What the model gave to what it said, 0 to 1.
        picture: The exam as the model saw it, or `None` where it cannot be shown.
    """

    exam: str
    truth: str
    said: str
    probability: float
    picture: Picture | None = None


@dataclass(frozen=True)
class Doubts:
    """Labels that may be wrong, see `find_doubts`.

    Args:
        labels: How many were looked at: those of exams that were not learnt from.
        doubted: How many of them a person should look at again.
        cases: The most doubtful ones; `truth` is the label.
    """

    labels: int
    doubted: int
    cases: tuple[Mistake, ...]


@dataclass(frozen=True)
class Contents:
    """What one report tells.

    Args:
        title: What was classified, as "Pneumonia on chest X-rays".
        task: The classes and their kind.
        version: The medclf that made it.
        date: When, as it should be read.
        origin: Where the data came from, as named on the command line.
        digest: Hash of the data.
        seed: Every random draw came from it.
        counts: Exams and patients by class and split, see `count_splits`.
        facts: What is known of the exams, by name (age, sex, modality, size, spacing …), each
            summed up in a line, see `summarise_facts`.
        notes: What was inferred while reading, in sentences.
        problems: What the audit found, in sentences.
        montage: Examples of the exams.
        split: How train, validation and test were parted, in a sentence or two.
        plan: Every choice with its reason.
        recipe: The same as TOML, which `medclf train --recipe` takes.
        log: The training, row by row.
        trees: The decision trees as text, where the networks have such.
        test: What was measured on the test split.
        validation: What was measured on validation, where choices were made.
        wrong: The most wrong cases of that split, worst first, see `find_mistakes`.
        doubts: Labels that may be wrong, on validation and test together.
        commands: Command lines that make this run again.
        cut: Whether the budget ended the run before the last epoch of its recipe, to which
            `commands` go on.
        limits: What the reader should beware of, in sentences, beside what the page says itself.
        intended: What the classifier is for, in a sentence.
    """

    title: str
    task: Task
    version: str
    date: str
    origin: str
    digest: str
    seed: int
    counts: tuple[Counts, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    montage: tuple[Picture, ...] = ()
    split: str = ""
    plan: tuple[Setting, ...] = ()
    recipe: str = ""
    log: tuple[Epoch, ...] = ()
    trees: str = ""
    test: Judged | None = None
    validation: Judged | None = None
    wrong: tuple[Mistake, ...] = ()
    doubts: Doubts | None = None
    commands: tuple[str, ...] = ()
    cut: bool = False
    limits: tuple[str, ...] = ()
    intended: str = ""
