"""The table of all families on several data sets: AUC and accuracy, mean and spread over seeds.

    python bench/compare.py $MEDCLF_DATA --sets pneumonia,breast --minutes 0.5 --out runs/table

Runs `medclf compare` once a seed on each data set, in a folder of its own under --out; whatever is
done is kept, so that the same command goes on. Prints a table of Markdown for each data set, best
network first: test AUC and accuracy over the seeds, the 95 % interval of AUC by patient at the
first seed, in how many seeds Holm's corrected test tells it from the best, and what it costs.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

import medclf

SETS = {
    "pneumonia": "medmnist/pneumoniamnist.npz",
    "breast": "medmnist/breastmnist.npz",
    "adrenal": "medmnist/adrenalmnist3d.npz",
    "mnist": "mnist",
    "cifar": "cifar10_jpeg/images_subset.zip",
}
SURE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--nets", help="names, with commas; the first of each family by default")
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/table"))
    parser.add_argument("--pretrained", action="store_true")
    args = parser.parse_args()
    nets = args.nets and args.nets.split(",")
    for name in args.sets.split(","):
        found = []
        for seed in range(args.seeds):
            place = args.out / f"{name}-{seed}"
            data = args.data / SETS[name]
            done = medclf.compare(
                data, place, nets, args.minutes, seed=seed, pretrained=args.pretrained
            )
            found.append(done.table)
            print(f"{name}, seed {seed}: done", flush=True)
        show(name, found)


def show(name: str, tables: list[list[dict[str, object]]]) -> None:
    """Print the table of a data set."""
    entries = defaultdict(list)
    for table in tables:
        for row in table:
            entries[row["entry"]].append(row)
    heads = f"{name} | AUC | interval, seed 0 | accuracy | passes | differs | weights | M mult-adds"
    print(f"\n| {heads} | ms an image | MB |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    whole = {e: rows for e, rows in entries.items() if not any(row["failure"] for row in rows)}
    for entry in sorted(whole, key=lambda e: -_mean(whole[e], "auc")):
        print(_line(entry, whole[entry]), flush=True)
    for entry in entries.keys() - whole.keys():
        reasons = {row["failure"] for row in entries[entry]} - {""}
        print(f"| {entry} | {'; '.join(map(str, reasons))} | | | | | | | | |", flush=True)


def _line(entry: str, rows: list[dict[str, object]]) -> str:
    first = rows[0]
    apart = sum(row["p_holm"] is not None and float(row["p_holm"]) < SURE for row in rows)
    cells = [
        _spread(rows, "auc"),
        f"{first['auc_low']:.3f}–{first['auc_high']:.3f}",
        _spread(rows, "accuracy"),
        "" if first["epochs"] is None else f"{_mean(rows, 'epochs'):.1f}",
        f"{apart} of {len(rows)}",
        "" if first["weights"] is None else f"{first['weights']:,}",
        "" if first["multiply_adds"] is None else f"{first['multiply_adds'] / 1e6:.1f}",
        f"{_mean(rows, 'latency_ms'):.2g}",
        f"{_mean(rows, 'memory_mb'):.0f}",
    ]
    return f"| {entry} | {' | '.join(cells)} |"


def _mean(rows: list[dict[str, object]], key: str) -> float:
    return float(np.mean([row[key] for row in rows]))


def _spread(rows: list[dict[str, object]], key: str) -> str:
    return f"{_mean(rows, key):.4f} ± {np.std([row[key] for row in rows]):.4f}"


if __name__ == "__main__":
    main()
