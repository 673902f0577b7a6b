"""What a threshold should aim at, where the patients in use are others than those of training.

    python bench/aim.py $MEDCLF_DATA/ham10000 --minutes 1 --seeds 3

HAM10000, malignant against benign, by lesion. One region of the body at a time is left out and is
the test split, as another clinic with another prevalence would be. Thresholds for each aim are
fitted to the same validation exams. Prints rows of Markdown for docs/experiments.md.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import medclf
from medclf.evaluate.table import read_predictions
from medclf.evaluate.threshold import fit_decision

MALIGNANT = ("mel", "bcc", "akiec")
REGIONS = {
    "head": ("face", "scalp", "ear", "neck"),
    "trunk": ("chest", "back", "abdomen", "trunk"),
    "arm": ("upper extremity", "hand"),
    "leg": ("lower extremity", "foot", "acral"),
}
AIMS = ("accuracy", "between", "balanced")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of HAM10000")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    rows = []
    for region in REGIONS:
        for seed in range(args.seeds):
            rows.append(judge(args.data, region, args.minutes, seed))
            told = ", ".join(f"{name} {value:.4f}" for name, value in rows[-1].items())
            print(f"{region}, seed {seed}: {told}", flush=True)
    mean = pd.DataFrame(rows).mean()
    print("| aim | accuracy | balanced accuracy |\n|---|---|---|")
    for aim in AIMS:
        print(f"| {aim} | {mean[aim + ' accuracy']:.4f} | {mean[aim + ' balanced']:.4f} |")


def judge(data: Path, region: str, minutes: float, seed: int) -> dict[str, float]:
    """Train on the other regions, and decide on this one by each aim."""
    table = pd.read_csv(data / "HAM10000_metadata.csv")
    table = table[table.localization.isin(sum(REGIONS.values(), ()))]
    left_out = table.localization.isin(REGIONS[region])
    # A lesion photographed in two regions would stand on both sides.
    both = set(table.lesion_id[left_out]) & set(table.lesion_id[~left_out])
    rng = np.random.default_rng(seed)
    held = set(rng.permutation(table.lesion_id.unique())[: table.lesion_id.nunique() // 5])
    split = np.where(left_out, "test", np.where(table.lesion_id.isin(held), "val", "train"))
    frame = pd.DataFrame(
        {
            "path": table.image_id + ".jpg",
            "label": np.where(table.dx.isin(MALIGNANT), "malignant", "benign"),
            "patient": table.lesion_id,
            "split": split,
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "exams.csv"
        frame[~table.lesion_id.isin(both)].to_csv(path, index=False)
        images = data / "images.zip"
        cohort = medclf.read_cohort(path, images=images, classes=("benign", "malignant"))
        medclf.train(cohort, out=Path(folder) / "run", minutes=minutes, seed=seed)
        found = read_predictions(Path(folder) / "run" / "predictions.csv", cohort.task)
    val, test = found.select(found.splits == "val"), found.select(found.splits == "test")
    told = {"prevalence": val.target.mean(), "left out": test.target.mean()}
    for aim in AIMS:
        decision = fit_decision(found.task, val.target, val.probabilities, aim)
        decided = decision.decide(test.probabilities)
        told[f"{aim} accuracy"] = float((decided == test.target).mean())
        told[f"{aim} balanced"] = float(
            np.mean([(decided == test.target)[test.target == k].mean() for k in (0, 1)])
        )
    return told


if __name__ == "__main__":
    main()
