"""Every family learns on real pictures and volumes, is cut short, goes on, is loaded and predicts.

    python bench/families.py $MEDCLF_DATA

BreastMNIST in 2D and AdrenalMNIST3D in 3D, a few steps each: whether a family learns well is for
bench/compare.py. A run that is interrupted after its first epoch and resumed must end with the
weights of an undisturbed one, to the bit; loaded again, it must judge as it did. Prints rows of
Markdown.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import medclf
from medclf.contest.entries import choose_networks
from medclf.core.cohort import Cohort
from medclf.learn.member import load_tensors
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Decide, Fit, Net
from medclf.prepare.exam import Prepare
from medclf.verbs import Watch, resume

SETS = {2: "medmnist/breastmnist.npz", 3: "medmnist/adrenalmnist3d.npz"}
EXAMS = {2: 24, 3: 8}  # of each split
FIT = Fit(epochs=2, steps=2, batch=4, rate=1e-3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--dims", type=int, choices=SETS, help="2 or 3; both by default")
    parser.add_argument("--nets", help="names, with commas; the first of each family by default")
    args = parser.parse_args()
    names = choose_networks(args.nets and args.nets.split(","))
    print(
        "| network | dims | resumed as undisturbed | loaded as it was | s |\n|---|---|---|---|---|"
    )
    for dims in (args.dims,) if args.dims else SETS:
        cohort = few_of(medclf.read_cohort(args.data / SETS[dims]), EXAMS[dims])
        for name in names:
            start = time.perf_counter()
            same, loaded = judge(cohort, dims, name)
            wall = time.perf_counter() - start
            print(f"| {name} | {dims} | {same} | {loaded} | {wall:.0f} |", flush=True)


def few_of(cohort: Cohort, count: int) -> Cohort:
    """Keep the first exams of each split, both classes among them."""
    kept = []
    for split in ("train", "val", "test"):
        for label in (0, 1):
            there = [r for r in cohort.records if (r.split, r.label) == (split, label)]
            kept += there[: count // 2]
    return replace(cohort, records=tuple(kept))


def judge(cohort: Cohort, dims: int, name: str) -> tuple[bool, bool]:
    """Train twice, once with an interruption; tell what is equal."""
    size = (28,) * dims
    recipe = Recipe(
        Prepare(size=size, channels=1), net=Net(name), fit=FIT, decide=Decide(resamples=20)
    )

    def interrupt(progress: object) -> None:
        raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as folder:
        whole, cut = Path(folder) / "whole", Path(folder) / "cut"
        run = medclf.train(cohort, out=whole, recipe=recipe)
        try:
            medclf.train(cohort, out=cut, recipe=recipe, watch=Watch(tell=interrupt))
        except KeyboardInterrupt:
            resume(cut, cohort)
        one, other = (load_tensors(place / "weights.safetensors")[0] for place in (whole, cut))
        same = all(torch.equal(tensor, other[key]) for key, tensor in one.items())
        again = medclf.load(whole)
        first, second = (np.array(each.judge(cohort).probabilities) for each in (run, again))
    return same, bool(np.array_equal(first, second))


if __name__ == "__main__":
    main()
