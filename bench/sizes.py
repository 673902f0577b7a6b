"""The size of the images: what it costs in training, and what it brings on validation.

    python bench/sizes.py --pace
    python bench/sizes.py $MEDCLF_DATA/medmnist/adrenalmnist3d_64.npz --sizes 24x24x24,52x52x52

With `--pace`: exams a second that two sprints train on side by side, with augmentation, and the
positions of the map behind their stem that this makes, from which a plan reckons. With data: the
plan at several sizes, the same budget; figures are of exams that the judging members never learnt
from, the test split stays shut. Prints rows of Markdown: mean and deviation over the seeds.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import torch

import medclf
from medclf.core.cohort import Cohort
from medclf.core.task import Task
from medclf.evaluate.ranking import macro_auc
from medclf.evaluate.score import log_losses
from medclf.evaluate.table import read_predictions
from medclf.learn.committee import build_method, side_by_side
from medclf.learn.exams import Exams
from medclf.learn.loop import run_epoch
from medclf.learn.member import Member
from medclf.learn.recipe import Fit, Net, Recipe
from medclf.learn.trained import Held
from medclf.look.augment import Augment
from medclf.net.family.sprint import stem_strides
from medclf.prepare.exam import Prepare

SIZES = ((28, 28), (64, 64), (92, 92), (128, 128), (224, 224), *((n,) * 3 for n in (24, 44, 64)))
BATCHES, ROUNDS = 3, 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--pace", action="store_true")
    parser.add_argument("--sizes", default="")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--patient-pattern")
    args = parser.parse_args()
    if args.pace:
        pace()
    if args.data is None:
        return
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


def pace() -> None:
    """Time sprints of all sizes in turn, and print the best of several rounds."""
    print("| size | exams/s | 10^6 positions/s |\n|---|---|---|")
    made = {size: [step_of(size, number) for number in range(2)] for size in SIZES}
    best = dict.fromkeys(SIZES, np.inf)
    for turn in range(1 + ROUNDS):
        for size, steps in made.items():
            start = time.perf_counter()
            side_by_side(lambda place, steps=steps: steps[place](), 2, 2)
            if turn:
                best[size] = min(best[size], time.perf_counter() - start)
    for size, seconds in best.items():
        exams = 2 * BATCHES * batch_of(size) / seconds
        strides = stem_strides(len(size), size, None)
        positions = prod(-(-n // step) for n, step in zip(size, strides, strict=True))
        edges = " x ".join(map(str, size))
        print(f"| {edges} | {exams:.0f} | {exams * positions / 1e6:.2f} |")


def batch_of(size: tuple[int, ...]) -> int:
    return 64 if len(size) == 2 else 32


def step_of(size: tuple[int, ...], number: int):
    """Make a sprint as the plan has it, with a few batches of noise to pass over."""
    dims, exams = len(size), BATCHES * batch_of(size)
    fit = Fit(batch=batch_of(size), epochs=1)
    net = Net("sprint", {"width": 32 if dims == 2 else 16}, pool="mean+max")
    recipe = Recipe(Prepare(size=size, channels=1), Augment(), net, fit=fit)
    rng = np.random.default_rng(number)
    rows = Held(rng.integers(0, 256, (exams, 1, *size), dtype=np.uint8))
    target = torch.eye(2)[torch.arange(exams) % 2]
    given = Exams(rows, target, (127.0,), (60.0,), torch.device("cpu"))
    member = Member(build_method(recipe, Task(("no", "yes")), number, given.device), fit, number)
    return lambda: run_epoch(member, given, np.arange(exams), 1000)


if __name__ == "__main__":
    main()
