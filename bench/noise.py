"""How many wrong labels are found, and how many found ones are wrong: planted flips.

    python bench/noise.py $MEDCLF_DATA --minutes 2

Of the training and validation exams some get another label, drawn among the other classes.
Networks, each with one of four folds left out, then judge the exams of that fold, and confident
learning names the labels to look at again; folds for which the budget left no time are not judged.
The test split stays shut. What a published label has of errors by itself counts against precision.
Prints rows of Markdown.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

import medclf
from medclf.core.cohort import Cohort
from medclf.evaluate.noise import doubt_labels
from medclf.evaluate.table import read_predictions

FOLDS = 4
FIRST = 100  # of the doubtful labels, which a person would look at


def plant(cohort: Cohort, share: float, seed: int) -> tuple[Cohort, set[str]]:
    """Give some exams another label, and name them; those of the test split keep theirs."""
    rng = np.random.default_rng(seed)
    learnt = [i for i, record in enumerate(cohort.records) if record.split != "test"]
    records, classes = list(cohort.records), len(cohort.task.classes)
    flipped = rng.choice(learnt, round(share * len(learnt)), replace=False)
    for i in flipped:
        other = (records[i].label + rng.integers(1, classes)) % classes
        records[i] = replace(records[i], label=int(other))
    return replace(cohort, records=tuple(records)), {records[i].name for i in flipped}


def measure(cohort: Cohort, name: str, share: float, minutes: float, seed: int) -> None:
    noisy, planted = plant(cohort, share, seed)
    recipe = medclf.plan(noisy, minutes, seed).recipe
    fit = replace(recipe.fit, folds=FOLDS, members=FOLDS, mirror="no")
    recipe = replace(recipe, fit=fit, decide=replace(recipe.decide, resamples=20))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "run"
        medclf.train(noisy, out=place, recipe=recipe, minutes=minutes, seed=seed)
        found = read_predictions(place / "predictions.csv", noisy.task)
    found = found.select(found.splits == "val")
    wrong = np.isin(found.exams, list(planted))
    rows = [doubt.row for doubt in doubt_labels(found)]
    first, hits = wrong[rows[:FIRST]].mean(), wrong[rows].sum()
    print(
        f"| {name} | {share:.0%} | {wrong.sum()} of {len(found)} | {len(rows)} | "
        f"{hits / len(rows):.2f} | {hits / wrong.sum():.2f} | {first:.2f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    cohorts = {
        "PneumoniaMNIST": medclf.read_cohort(given.data / "medmnist/pneumoniamnist.npz"),
        "HAM10000": medclf.read_cohort(given.data / "ham10000", label="dx", patient="lesion_id"),
    }
    print(f"| data | flipped | wrong | doubted | precision | recall | of the first {FIRST} |")
    print("|---|---|---|---|---|---|---|")
    for name, cohort in cohorts.items():
        for share in (0.05, 0.1):
            measure(cohort, name, share, given.minutes, given.seed)


if __name__ == "__main__":
    main()
