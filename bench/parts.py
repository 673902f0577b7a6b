"""What the stereotypical parts do: activation, norm, dropout, stochastic depth, on real data.

    python bench/parts.py $MEDCLF_DATA/medmnist/{breastmnist,pneumoniamnist}.npz

ResNet-18, narrow (16 channels first), trained for the same passes with each part in turn changed.
Figures are of validation exams that the judging network never learnt from; the test split stays
shut. Prints rows of Markdown: mean and deviation over the seeds.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import medclf
from medclf.evaluate.ranking import macro_auc
from medclf.evaluate.score import log_losses
from medclf.evaluate.table import read_predictions
from medclf.learn.settings import Net

EXAMS = 20_000  # that each network sees
PARTS: dict[str, dict[str, object]] = {
    "batch norm, ReLU": {},
    "leaky ReLU": {"activation": "leaky_relu"},
    "GELU": {"activation": "gelu"},
    "SiLU": {"activation": "silu"},
    "group norm": {"norm": "group"},
    "instance norm": {"norm": "instance"},
    "standardised weights": {"norm": "weights"},
    "no norm": {"norm": "plain"},
    "stochastic depth .2": {"drop_path": 0.2},
    "dropout .3": {"dropout": 0.3},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--parts", default=";".join(PARTS), help="separated by semicolons")
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    print("| data | part | validation AUC | log loss | s |\n|---|---|---|---|---|")
    for data in args.data:
        for part in args.parts.split(";"):
            rows = [judge(data, dict(PARTS[part]), seed) for seed in range(args.seeds)]
            (auc, loss, wall), (sd, spread, _) = np.mean(rows, 0), np.std(rows, 0)
            told = f"{auc:.4f} ± {sd:.4f} | {loss:.4f} ± {spread:.4f} | {wall:.0f}"
            print(f"| {data.stem} | {part} | {told} |", flush=True)


def judge(data: Path, options: dict[str, object], seed: int) -> tuple[float, float, float]:
    """Train with some parts, and give AUC and log loss on validation, and the seconds."""
    cohort = medclf.read_cohort(data)
    recipe = medclf.plan(cohort, seed=seed).recipe
    learnt = sum(record.split == "train" for record in cohort.records)
    dropout = float(options.pop("dropout", 0.0))
    fit = replace(recipe.fit, members=1, folds=0, epochs=round(EXAMS / learnt), mirror="no")
    net = Net("resnet18", {"width": 16, **options}, dropout=dropout)
    recipe = replace(recipe, net=net, fit=fit, decide=replace(recipe.decide, resamples=20))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = medclf.train(cohort, out=Path(folder) / "run", recipe=recipe, seed=seed)
        wall = time.perf_counter() - start
        found = read_predictions(Path(folder) / "run" / "predictions.csv", cohort.task)
        found = found.select(found.splits == "val")
        assert run.run.done
    given = found.probabilities
    return (
        float(macro_auc(found.target, given)),
        float(log_losses(found.target, given).mean()),
        wall,
    )


if __name__ == "__main__":
    main()
