"""HAM10000: pixels, facts about the patient, and both; facts all there, half missing, or none.

    python bench/facts.py $MEDCLF_DATA --minutes 10 --seeds 3

Age, sex and place on the body stand beside each photograph. Lesions are the patients: no lesion is
learnt from and tested on. `pixels` is the plan's, `both` the method image_and_facts with the joins
named in --joins, `facts` boosted trees of scikit-learn without a picture. At the test each fact is
missing by chance in half of the exams, or all are. Prints Markdown: AUC (mean over classes against
the rest), accuracy and balanced accuracy, mean ± sd over seeds; the interval of AUC by lesion, and
the difference of AUC from pixels with its interval, at the first seed.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import medclf
from judged import Judged, show_ways
from medclf.contest.boosted import Boosted, Trees
from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.evaluate.choice import choose
from medclf.evaluate.scores import score
from medclf.evaluate.tabulate import make_labels, tabulate
from medclf.learn.facts import encode_facts
from medclf.learn.run import apply_splits
from medclf.learn.settings import Facts
from medclf.verbs import TrainedRun

NAMES = ("auc", "accuracy", "balanced_accuracy")
FEWEST = 10  # lesions of each class, where some are kept by chance
Change = Callable[[Cohort, int], Cohort]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--joins", default="concatenation,modulation,late")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--lesions", type=int, default=0, help="by chance; 0 for all")
    args = parser.parse_args()
    found: dict[str, list[Judged]] = defaultdict(list)
    for seed in range(args.seeds):
        with tempfile.TemporaryDirectory() as folder:
            joins = args.joins.split(",")
            cohort = read(args.data / "ham10000", Path(folder), args.lesions, seed)
            for name, judged in judge(cohort, Path(folder), joins, args.minutes, seed):
                found[name].append(judged)
                print(f"seed {seed}, {name}: AUC {judged[1].figures['auc'].value:.4f}", flush=True)
    show(found)


def read(data: Path, folder: Path, lesions: int, seed: int) -> Cohort:
    """Read HAM10000 with its facts; how a label was proven is none."""
    table = pd.read_csv(data / "HAM10000_metadata.csv")
    if lesions:
        mixed = table.drop_duplicates("lesion_id").sample(frac=1, random_state=seed)
        rare = mixed.groupby("dx").head(FEWEST)  # so that each split has some
        kept = pd.concat([mixed.head(lesions), rare]).lesion_id
        table = table[table.lesion_id.isin(kept)]
    frame = table.rename(columns={"image_id": "path", "dx": "label", "lesion_id": "patient"})
    frame.drop(columns="dx_type").to_csv(folder / "exams.csv", index=False)
    return medclf.read_cohort(folder / "exams.csv", images=data / "images.zip")


def judge(
    cohort: Cohort, folder: Path, joins: list[str], minutes: float, seed: int
) -> list[tuple[str, Judged]]:
    """Train each way, and judge the test exams with all facts, half of them, and none."""
    plan = medclf.plan(cohort, minutes, seed)
    run = medclf.train(cohort, folder / "pixels", minutes=minutes, seed=seed, recipe=plan)
    found = [("pixels", measure(run, cohort))]
    plan = medclf.plan(cohort, minutes, seed, method="image_and_facts")
    split = apply_splits(folder / "pixels", cohort)
    facts = judge_facts(split, plan.recipe.facts, seed)
    found += [(f"facts, {name}", facts(change(split, seed))) for name, change in MISSING.items()]
    for join in joins:
        method = replace(plan.recipe.method, options={"join": join})
        recipe = replace(plan, recipe=replace(plan.recipe, method=method))
        run = medclf.train(cohort, folder / join, minutes=minutes, seed=seed, recipe=recipe)
        for name, change in MISSING.items():
            found.append((f"both by {join}, {name}", measure(run, change(cohort, seed))))
    return found


def measure(run: TrainedRun, cohort: Cohort) -> Judged:
    judged = run.judge(cohort)
    return judged, run.measure(judged)


def judge_facts(cohort: Cohort, settings: Facts, seed: int) -> Callable[[Cohort], Judged]:
    """Grow trees on the facts of training exams, and return what judges by them."""
    task = cohort.task
    rows = {
        name: np.flatnonzero([r.split == name for r in cohort.records])
        for name in ("train", "val", "test")
    }
    target = make_labels(cohort.records)
    x = numbers(cohort, settings)
    learnt, held = rows["train"], rows["val"]
    trees = Boosted(task, Trees(seed=seed), x[learnt], target[learnt])
    rounds, _ = trees.best_rounds(x[held], target[held])
    trees = Boosted(task, Trees(rounds=rounds, seed=seed), x[learnt], target[learnt])
    shares = trees.probabilities(x[held])
    _, decision = choose(task, target[held], shares, "none", "accuracy")

    def judged(changed: Cohort) -> Judged:
        shares = trees.probabilities(numbers(changed, settings)[rows["test"]])
        found = tabulate(changed, rows["test"], shares, np.zeros_like(shares))
        return found, score(found, decision, seed)

    return judged


def numbers(cohort: Cohort, settings: Facts) -> np.ndarray:
    encoded = encode_facts(cohort.records, settings)
    if encoded is None:
        raise SystemExit("the table has no facts")
    return encoded.numpy()


def all_there(cohort: Cohort, seed: int) -> Cohort:
    return cohort


def half_missing(cohort: Cohort, seed: int) -> Cohort:
    """Hide each fact of each exam with a chance of one half."""
    rng = np.random.default_rng(seed)

    def hide(record: Record) -> Record:
        facts = {name: None if rng.random() < 0.5 else fact for name, fact in record.facts.items()}
        return replace(record, facts=facts)

    return replace(cohort, records=tuple(map(hide, cohort.records)))


def none_there(cohort: Cohort, seed: int) -> Cohort:
    bare = (replace(r, facts=dict.fromkeys(r.facts)) for r in cohort.records)
    return replace(cohort, records=tuple(bare))


MISSING: dict[str, Change] = {
    "all there": all_there,
    "half missing": half_missing,
    "none there": none_there,
}


def show(found: dict[str, list[Judged]]) -> None:
    """Print the table."""
    print("\n| way | AUC | interval | accuracy | balanced accuracy | AUC less that of pixels |")
    print("|---|---|---|---|---|---|")
    show_ways(found, NAMES, "pixels")


if __name__ == "__main__":
    main()
