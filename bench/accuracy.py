"""Accuracy within a budget: the plan as it stands, fresh seeds, the test split opened once a seed.

    python bench/accuracy.py $MEDCLF_DATA/medmnist/breastmnist.npz --minutes 2 --seeds 3

Prints a row of Markdown for docs/experiments.md: mean and standard deviation over the seeds of the
figures of `scores.json`, and the wall clock of each training with all that belongs to it.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

import medclf
from medclf.curate.cohort import Columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--patient-pattern")
    parser.add_argument("--keep", type=Path, help="a folder to keep the runs in")
    args = parser.parse_args()
    names = ("auc", "accuracy", "balanced_accuracy", "log_loss", "ece")
    rows = []
    columns = Columns(patient_pattern=args.patient_pattern)
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        folder = Path(tempfile.mkdtemp()) if args.keep is None else args.keep / f"seed-{seed}"
        start = time.perf_counter()
        run = medclf.train(args.data, out=folder, minutes=args.minutes, seed=seed, columns=columns)
        wall = time.perf_counter() - start
        rows.append([run.scores[name]["value"] for name in names] + [wall])
        fit = run.trained.recipe.fit
        told = ", ".join(f"{n} {v:.4f}" for n, v in zip(names, rows[-1], strict=False))
        print(
            f"seed {seed}: {told}; {fit.members} members x {fit.epochs} epochs, {wall:.0f} s",
            flush=True,
        )
        if args.keep is None:
            shutil.rmtree(folder)
    mean, deviation = np.mean(rows, 0), np.std(rows, 0)
    cells = [f"{m:.4f} ± {d:.4f}" for m, d in zip(mean, deviation, strict=True)]
    print(f"| {args.data.stem} | {args.minutes:g} | {args.seeds} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
