"""Peak memory of predicting one scan as large as a CT, by every method that takes volumes.

    python bench/whole_scan.py runs/whole_scan
    python bench/whole_scan.py runs/whole_scan --methods volume,patch --scan 600,512,512

Trains each method for some seconds on small volumes of noise, half of them with a ball, and writes
a scan of 512 x 512 x 300 as .nii.gz, all in the folder. A process of its own then loads the run and
predicts the scan: of `patch` and `placed_patch` around a marked point, of the others all of it,
brought to --edge samples a side. Prints Markdown: the most memory that process ever held, what of
it is there before the scan is read, and the processor's seconds of the prediction.
"""

import argparse
import gzip
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd

import medclf
from medclf.contest.gauge import peak_memory_mb

METHODS = (
    "volume,three_planes,multi_view,random_views,near_and_far,filters_then_sequence,"
    "code_then_tree,patch,placed_patch"
)
POINTED = ("patch", "placed_patch")
SMALL = (40, 56, 56)
EXAMS = 24
COLUMNS = ("path", "label", "patient", "split", "z_mm", "y_mm", "x_mm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--scan", default="300,512,512", help="z, y, x")
    parser.add_argument("--dtype", default="int16", help="of the scan's values as stored")
    parser.add_argument("--edge", type=int, default=64)
    parser.add_argument("--predict", help="measure this method here, in this process")
    args = parser.parse_args()
    if args.predict:
        predict(args.out, args.predict)
        return
    write(args.out, tuple(map(int, args.scan.split(","))), args.dtype)
    print("| method | peak, MB | before the scan, MB | CPU seconds |\n|---|---|---|---|")
    for name in args.methods.split(","):
        if not (args.out / name).exists():
            train(args.out, name, args.edge)
        line = [sys.executable, __file__, str(args.out), "--predict", name]
        subprocess.run(line, check=True)


def write(out: Path, scan: tuple[int, ...], dtype: str) -> None:
    """Write the volumes to learn from and the scan, with their tables."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows = []
    for number in range(EXAMS):
        path, ill = out / f"small-{number}.nii.gz", number % 2
        write_volume(path, rng, SMALL, ill)
        split = ("train", "val", "test")[max(0, number - EXAMS + 8) // 3]
        rows.append((path.name, "ball" if ill else "none", number, split, *middle(SMALL)))
    write_volume(out / "scan.nii.gz", rng, scan, 1, dtype)
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame.to_csv(out / "pointed.csv", index=False)
    frame.drop(columns=["z_mm", "y_mm", "x_mm"]).to_csv(out / "whole.csv", index=False)
    one = pd.DataFrame([("scan.nii.gz", *middle(scan))], columns=["path", *COLUMNS[-3:]])
    one.to_csv(out / "scan.csv", index=False)


def write_volume(
    path: Path, rng: np.random.Generator, space: tuple[int, ...], ill: int, dtype: str = "int16"
) -> None:
    """Write noise of some HU, with a ball in the middle where there is one, 1 mm a voxel."""
    if path.exists():
        return
    values = rng.integers(-60, 60, space, np.int16) + np.int16(-800)
    if ill:
        z, y, x = (np.arange(n) - n // 2 for n in space)
        values[z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 < 64] += 800
    image = nibabel.Nifti1Image(values.T.astype(dtype), np.diag([-1.0, -1.0, 1.0, 1.0]))
    path.write_bytes(gzip.compress(image.to_bytes(), 1))


def middle(space: tuple[int, ...]) -> tuple[float, ...]:
    return tuple(float(n // 2) for n in space)


def train(out: Path, name: str, edge: int) -> None:
    table = out / ("pointed.csv" if name in POINTED else "whole.csv")
    cohort = medclf.read_cohort(table)
    plan = medclf.plan(cohort, 0.1, method=name)
    if name not in POINTED:
        prepare = replace(plan.recipe.prepare, size=(edge,) * 3)
        plan = replace(plan, recipe=replace(plan.recipe, prepare=prepare))
    medclf.train(cohort, out / name, 0.1, 0, plan)


def predict(out: Path, name: str) -> None:
    run = medclf.load(out / name)
    before, start = peak_memory_mb(), time.process_time()
    run.predict([out / ("scan.csv" if name in POINTED else "scan.nii.gz")])
    seconds = time.process_time() - start
    print(f"| {name} | {peak_memory_mb():.0f} | {before:.0f} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
