"""The size of the images: what it brings on validation, within the same budget.

    python bench/sizes.py $MEDCLF_DATA/medmnist/adrenalmnist3d_64.npz --sizes 24x24x24,52x52x52

The plan at several sizes. Figures are of exams that the judging members never learnt from; the
test split stays shut. Prints rows of Markdown: mean and deviation over the seeds.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import medclf
from medclf.core.cohort import Cohort
from medclf.evaluate.ranking import macro_auc
from medclf.evaluate.score import log_losses
from medclf.evaluate.table import read_predictions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sizes", required=True)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--patient-pattern")
    args = parser.parse_args()
    print("| data | size | validation AUC | log loss | members x epochs | s |")
    print("|---|---|---|---|---|---|")
    cohort = medclf.read_cohort(args.data, patient_pattern=args.patient_pattern)
    for text in args.sizes.split(","):
        size = tuple(int(edge) for edge in text.split("x"))
        rows = [judge(cohort, size, args.minutes, seed) for seed in range(args.seeds)]
        (auc, loss, members, epochs, wall), (sd, spread, *_) = np.mean(rows, 0), np.std(rows, 0)
        told = f"{auc:.4f} ± {sd:.4f} | {loss:.4f} ± {spread:.4f}"
        print(
            f"| {args.data.stem} | {text} | {told} | {members:.1f} x {epochs:.1f} | {wall:.0f} |",
            flush=True,
        )


def judge(cohort: Cohort, size: tuple[int, ...], minutes: float, seed: int) -> tuple[float, ...]:
    """Train at a size, and give what validation says of it."""
    plan = medclf.plan(cohort, minutes, seed)
    prepare = plan.recipe.prepare
    if prepare.spacing_mm:
        shrunk = zip(prepare.spacing_mm, prepare.size, size, strict=True)
        prepare = replace(prepare, spacing_mm=tuple(mm * n / m for mm, n, m in shrunk))
    recipe = replace(plan.recipe, prepare=replace(prepare, size=size))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = medclf.train(
            cohort, out=Path(folder) / "run", recipe=recipe, seed=seed, minutes=minutes
        )
        wall = time.perf_counter() - start
        found = read_predictions(Path(folder) / "run" / "predictions.csv", cohort.task)
    found, fit = found.select(found.splits == "val"), run.trained.recipe.fit
    given = found.probabilities
    loss = float(log_losses(found.target, given).mean())
    return float(macro_auc(found.target, given)), loss, fit.members, fit.epochs, wall


if __name__ == "__main__":
    main()
