"""Grades that rank: plain classes against ordered heads, on phantom knees that readers graded.

    python bench/grades.py --out runs/knees --patients 400 --minutes 1 --seeds 3

The phantoms are made once, in --out. A label is the word of one of three readers, who differ; the
true grade is known. `plain classes` and the steps of `whole_image` differ in the task that they are
told of: classes that exclude each other, or that rank. Prints Markdown, mean ± sd over seeds on the
test split: quadratic kappa with the labels and with the truth, its interval by patient at the first
seed, accuracy and mean error in grades against the truth, and the AUC against the labels. The last
row is the most that may be expected: two readers with each other, and the labels with the truth.
"""

import argparse
import json
import shutil
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

import medclf
from judged import COSTS, costs, figure, interval, spread
from medclf.core.cohort import Cohort
from medclf.core.task import Task
from medclf.curate.phantom.knee.cohort import make_knees
from medclf.evaluate.scores import Scores, score
from medclf.evaluate.standing import Result
from medclf.evaluate.table import Predictions
from ways import Terms, Way, choose_ways, hold

FIRST, KINDS = "exclusive", ("exclusive", "ranked")  # the recipe is planned for the first
PLAIN = "plain classes"
WAYS = {
    PLAIN: Way("whole_image"),
    "ordered_grade, cumulative": Way("ordered_grade", {"loss": "cumulative"}),
    "ordered_grade, regression": Way("ordered_grade", {"loss": "regression"}),
    "ordered_grade, both": Way("ordered_grade", {"loss": "both"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=400)
    parser.add_argument("--ways", default="", help="separated by semicolons; all if not named")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/knees"))
    args = parser.parse_args()
    knees = args.out / f"{args.patients}-patients"
    if not knees.exists():
        make_knees(knees, args.patients)
    ways = choose_ways(WAYS, args.ways)
    found: dict[str, list[Result]] = defaultdict(list)
    for seed in range(args.seeds):
        terms = Terms(args.minutes, seed)
        places = {kind: args.out / f"{args.patients}-{kind}-seed-{seed}" for kind in KINDS}
        for kind, place in places.items():
            cohort = medclf.read_cohort(knees / "cohort.csv", kind=kind)
            chosen = {name: way for name, way in ways.items() if (name == PLAIN) == (kind == FIRST)}
            for name, result in hold(cohort, chosen, place, terms).items():
                found[name].append(result)
            if kind == FIRST:
                places["ranked"].mkdir(exist_ok=True)
                shutil.copy(place / "recipe.toml", places["ranked"])
    show(found, cohort, json.loads((knees / "truth.json").read_text())["kappa"])


def show(found: dict[str, list[Result]], cohort: Cohort, expected: dict[str, float]) -> None:
    """Print the table."""
    severity = {record.name: float(str(record.facts["severity"])) for record in cohort.records}
    print(f"\n| way | kappa, labels | kappa, truth | interval | accuracy | error | AUC | {COSTS} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, rows in found.items():
        told = [measure(ranked(row.predictions), row) for row in rows]
        true = [measure(with_truth(row.predictions, severity), row) for row in rows]
        cells = [
            spread([scores.figures["kappa"].value for scores in told]),
            spread([scores.figures["kappa"].value for scores in true]),
            interval(true[0].figures["kappa"]),
            spread([scores.figures["accuracy"].value for scores in true]),
            spread([error(with_truth(row.predictions, severity), row) for row in rows]),
            figure(rows, "auc"),
            *costs(rows),
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    labels, truth = label_kappa(expected), expected["label-truth"]
    print(f"| what labels allow, whole cohort | {labels} | {truth:.3f} | | | | | | | |")


def label_kappa(expected: dict[str, float]) -> str:
    """Tell the kappa of two different readers, the least and the largest."""
    pairs = [value for name, value in expected.items() if not name.endswith("-truth")]
    return f"{min(pairs):.3f}–{max(pairs):.3f}"


def ranked(judged: Predictions) -> Predictions:
    """Take what was said of classes as said of classes that rank."""
    return replace(judged, task=Task(judged.task.classes, "ranked"))


def with_truth(judged: Predictions, severity: dict[str, float]) -> Predictions:
    """Put the true grades in place of the labels."""
    true = np.array([min(int(severity[str(exam)]), 4) for exam in judged.exams])
    return replace(ranked(judged), target=true)


def measure(judged: Predictions, result: Result) -> Scores:
    return score(judged, result.scores.decision, result.scores.seed, result.scores.resamples)


def error(judged: Predictions, result: Result) -> float:
    """Compute the mean absolute error in grades."""
    said = result.scores.decision.decide(judged.probabilities)
    return float(np.abs(said - judged.target).mean())


if __name__ == "__main__":
    main()
