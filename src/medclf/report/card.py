"""A short model card: what the classifier is for, what it rests on, and where it ends.

Source: Mitchell et al. Model Cards for Model Reporting. FAT* 2019.
"""

from dataclasses import dataclass

from medclf.report.contents import Contents
from medclf.report.headline import cautions
from medclf.report.judged import Judged
from medclf.report.words import count, name_of, number, span

ALWAYS = (
    "Other hospitals, devices and patients may give other figures: measure on your own exams "
    "before you rely on it.",
    "Labels may be wrong too; all figures are agreement with the labels.",
    "This is research software and not a medical device; a person must answer for every decision.",
)
INTENDED = "Research, and a first opinion that a person checks"
THRESHOLDS_SHOWN = 12


@dataclass(frozen=True)
class Card:
    """The card: facts by name, and limits in sentences."""

    facts: tuple[tuple[str, str], ...]
    limits: tuple[str, ...]


def tell_card(contents: Contents) -> Card:
    """Sum the report up as a model card."""
    facts = [("Intended for", contents.intended or INTENDED)]
    sizes = {c.split: c for c in contents.counts}
    if "train" in sizes:
        learnt = sizes["train"]
        words = f"{count(learnt.all_exams, 'exam')} of {count(learnt.all_patients, 'patient')}"
        facts.append(("Learnt from", words))
    judged = contents.test or contents.validation
    if judged is not None:
        split = "" if contents.test else ", of the validation split"
        scores = judged.scores
        words = f"{count(scores.exams, 'exam')} of {count(scores.patients, 'patient')}{split}"
        facts += [("Measured on", words), ("Figures", _figures(judged))]
        facts.append(("Decides by", _decision(judged)))
    return Card(tuple(facts), (*cautions(contents), *ALWAYS))


def _figures(judged: Judged) -> str:
    main = [(name, judged.scores.figures.get(name)) for name in ("auc", "accuracy", "kappa")]
    shown = [(name_of(name), figure) for name, figure in main if figure is not None]
    return "; ".join(f"{n} {number(f.value)} ({span(f) or 'no interval'})" for n, f in shown)


def _decision(judged: Judged) -> str:
    aims = {
        "accuracy": "accuracy",
        "between": "the mean of accuracy and balanced accuracy",
        "balanced": "balanced accuracy",
        "f1": "F1",
    }
    given, classes = judged.decision.thresholds, judged.task.classes
    if not given:
        return "the likeliest class"
    aim = f", chosen on validation for {aims.get(judged.decision.aim, judged.decision.aim)}"
    if judged.decision.sensitivity:
        aim += f", to keep a sensitivity of {number(judged.decision.sensitivity)} there"
    if judged.binary and len(given) == 1:
        return f"“{classes[1]}” from a probability of {number(given[0])} on{aim}"
    if len(given) > THRESHOLDS_SHOWN:
        return f"a threshold for each of {len(given)} classes{aim}"
    pairs = zip(classes, given, strict=True)
    return f"{', '.join(f'{name} {number(t)}' for name, t in pairs)}{aim}"
