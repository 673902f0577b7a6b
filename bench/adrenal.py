"""Methods on adrenal glands in 3D (AdrenalMNIST3D), beside the published rows.

    python bench/adrenal.py $MEDCLF_DATA --sizes 28 --minutes 0.5 --seeds 3 --out runs/adrenal

The splits are the published ones. Each way is a method with the plan's network from scratch, for
the same budget; the best is chosen by the mean AUC on validation. Prints Markdown, best on
validation first: AUC on validation and on test and accuracy, mean ± sd over seeds; the interval of
the test AUC by patient at the first seed; seconds of training, and what one answer costs. The same
command goes on with what is there in --out.

Published rows: Yang et al. MedMNIST v2. Scientific Data 2023.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import medclf
from judged import COSTS, costs, figure, interval, spread
from medclf.evaluate.standing import Result
from ways import Terms, Way, best_first, choose_ways, hold

FILES = {28: "adrenalmnist3d.npz", 64: "adrenalmnist3d_64.npz"}
WAYS = {
    "volume": Way("volume"),
    "volume, ACS": Way("volume", net={"volume": "acs"}),
    "three_planes": Way("three_planes"),
    "three_planes, mean projections": Way("three_planes", {"shown": "mean"}),
    "multi_view": Way("multi_view"),
    "random_views": Way("random_views"),
    "near_and_far": Way("near_and_far"),
    "filters_then_sequence": Way("filters_then_sequence"),
    "code_then_tree": Way("code_then_tree"),
}
PUBLISHED = {  # AUC and accuracy, as far as they are known here
    "published: ResNet-18, 3D": (".827", ".721"),
    "published: ResNet-18, ACS": (".839", ""),
    "published: auto-sklearn": ("", ".802"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sizes", default="28,64")
    parser.add_argument("--ways", default="", help="separated by semicolons; all if not named")
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/adrenal"))
    args = parser.parse_args()
    ways = choose_ways(WAYS, args.ways)
    for size in map(int, args.sizes.split(",")):
        cohort = medclf.read_cohort(args.data / "medmnist" / FILES[size])
        found: dict[str, list[Result]] = defaultdict(list)
        for seed in range(args.seeds):
            place = args.out / f"{size}-seed-{seed}"
            for name, result in hold(cohort, ways, place, Terms(args.minutes, seed)).items():
                found[name].append(result)
        show(size, found)


def show(size: int, found: dict[str, list[Result]]) -> None:
    """Print the table of one size."""
    print(f"\n| {size}³ | validation AUC | test AUC | interval | accuracy | {COSTS} |")
    print("|---|---|---|---|---|---|---|---|")
    for name in best_first(found):
        rows = found[name]
        cells = [
            spread([row.validation_auc for row in rows]),
            figure(rows, "auc"),
            interval(rows[0].scores.figures["auc"]),
            figure(rows, "accuracy"),
            *costs(rows),
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    if size == min(FILES):
        for name, (area, right) in PUBLISHED.items():
            print(f"| {name} | | {area} | | {right} | | | |")


if __name__ == "__main__":
    main()
