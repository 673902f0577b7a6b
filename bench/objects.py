"""Which structure of the brain lies at this point, and on which side? Methods on real MR volumes.

    python bench/objects.py $MEDCLF_DATA --minutes 5 --seeds 3 --out runs/objects

IXI: a table of marked points, the middles of paired structures of the label maps in mm of the
patient, each jittered by some mm as a detector would, left and right as classes of their own.
Subjects are dealt into --folds parts; each part is judged by the network that never learnt from
its subjects. `medclf compare` does the work, once a seed, in a folder of its own under --out; the
same command goes on. Prints Markdown: AUC and accuracy, mean ± sd over seeds, and the interval of
AUC by subject at the first seed; the accuracy of the structure whichever the side; that of the
side, left against right of the same structure, which tells what knowing the place adds; seconds of
training, and what one answer costs. Large cubes show the middle of the head beside a structure, and
so its side; those of --edge 16, 32 mm wide, show it less.
"""

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import medclf
from judged import COSTS, costs, figure, interval, spread
from medclf.comparison import Compared
from medclf.evaluate.standing import Result
from medclf.evaluate.table import Predictions
from medclf.learn.recipe import Recipe
from structures import PAIRS, read_structures

METHODS = (
    "patch,three_planes,multi_view,random_views,volume,near_and_far,placed_patch,"
    "filters_then_sequence,code_then_tree"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5, help="10: leave one subject out")
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="the first so many")
    parser.add_argument("--points", type=int, default=4, help="marked in each structure")
    parser.add_argument("--jitter", type=float, default=3.0, help="sd along each axis, mm")
    parser.add_argument("--edge", type=int, default=0, help="samples of a cube; 0: the plan's")
    parser.add_argument("--out", type=Path, default=Path("runs/objects"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    table = write_points(args.data / "ixi10", args.out, args.pairs, args.points, args.jitter)
    found = []
    for seed in range(args.seeds):
        place = args.out / f"seed-{seed}"
        begun = (place / "contest.json").exists()
        recipe = None if begun or not args.edge else cut(table, args.minutes, seed, args.edge)
        methods = args.methods.split(",")
        found.append(
            medclf.compare(
                table,
                place,
                None,
                args.minutes,
                args.folds,
                seed=seed,
                recipe=recipe,
                methods=methods,
            )
        )
        print(f"seed {seed}: {place / 'compare.html'}", flush=True)
    show(found)


def cut(table: Path, minutes: float, seed: int, edge: int) -> Recipe:
    """Change the plan to smaller cubes, which show less of what lies beside."""
    recipe = medclf.plan(medclf.read_cohort(table), minutes, seed).recipe
    return replace(recipe, prepare=replace(recipe.prepare, size=(edge,) * 3))


def write_points(data: Path, out: Path, pairs: int, points: int, jitter: float) -> Path:
    """Write the table of marked points; the last two subjects are validated on without folds."""
    rows, subjects = [], read_structures(data, pairs)
    for number, subject in enumerate(subjects):
        rng = np.random.default_rng(number)
        for name, (z, y, x) in subject.middles.items():
            for at in rng.normal((x, y, z), jitter, (points, 3)).round(2):
                split = "val" if number >= len(subjects) - 2 else "train"
                rows.append((subject.scan.resolve(), *at[::-1], name, subject.name, split))
    columns = ["path", "z_mm", "y_mm", "x_mm", "label", "patient", "split"]
    table = out / "points.csv"
    pd.DataFrame(rows, columns=columns).to_csv(table, index=False)
    return table


def show(found: list[Compared]) -> None:
    """Print the table, best first."""
    entries: dict[str, list[Result]] = defaultdict(list)
    for compared in found:
        for row in compared.standings:
            entries[row.result.name].append(row.result)
    print(f"\n| method | AUC | interval | accuracy | structure | side | {COSTS} |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in sorted(entries, key=lambda name: figure(entries[name], "auc"), reverse=True):
        rows = entries[name]
        apart = np.array([tell_apart(row.predictions) for row in rows])
        cells = [
            figure(rows, "auc"),
            interval(rows[0].scores.figures["auc"]),
            figure(rows, "accuracy"),
            spread(apart[:, 0]),
            spread(apart[:, 1]),
            *costs(rows),
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    for failure in {(f.name, f.reason) for compared in found for f in compared.failures}:
        print(f"{failure[0]} came to nothing: {failure[1]}")


def tell_apart(judged: Predictions) -> tuple[float, float]:
    """Give the accuracy of the structure, and of the side among the two of the true structure."""
    names = judged.task.classes
    structures = [name.rpartition(" ")[0] for name in names]
    order = sorted(set(structures))
    where = np.array([order.index(name) for name in structures])
    shares: Any = judged.probabilities
    joined = np.stack([shares[:, where == k].sum(1) for k in range(len(order))], axis=1)
    target = np.asarray(judged.target)
    other = np.array(
        [
            next(j for j in range(len(names)) if j != k and where[j] == where[k])
            for k in range(len(names))
        ]
    )
    exams = np.arange(len(target))
    right = shares[exams, target] > shares[exams, other[target]]
    return float((joined.argmax(1) == where[target]).mean()), float(right.mean())


if __name__ == "__main__":
    main()
