"""Structures of real brains found by `medclf train --task locate`: systems for landmarks compared.

    python bench/landmark_systems.py $MEDCLF_DATA --systems landmark_slices,heat_map --minutes 2

IXI: the middles of 10 paired structures of the label maps, as bench/landmarks.py has them, but from
files to findings by the command's own way. In each of --folds turns two subjects are searched that
nothing was learnt from, and the next one validates. Prints Markdown: mean error in mm, its interval
by subject, the median, the largest; what is kept in --out is not made again.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medclf.evaluate.interval import loss
from medclf.systems import locate
from medclf.systems.candidates import kept_candidates
from medclf.systems.search import open_folder
from structures import read_structures

PAIRED = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--systems", default="landmark_slices,heat_map")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/landmarks"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    marks = read_marks(args.data / "ixi10")
    rows = []
    for system in args.systems.split(","):
        found = []
        for turn in range(args.folds):
            table = args.out / f"turn-{turn}.csv"
            deal(marks, turn, args.folds).to_csv(table, index=False)
            place = args.out / f"{system}-{turn}-{args.seed}"
            begun = open_folder(place)
            if begun is None:
                locate.train(table, place, args.minutes, args.seed, system)
            elif not begun.done:
                locate.resume(place)
            found.append(measure(place, pd.read_csv(table)))
            print(f"{system}, turn {turn}: {np.concatenate(found[-1]).mean():.2f} mm", flush=True)
        errors = [one for some in found for one in some]
        whose = np.repeat(np.arange(len(errors)), [len(one) for one in errors])
        rows.append((system, np.concatenate(errors), whose))
    print(
        "\n| system | mean error, mm | by subject, 95 % | median | largest |\n|---|---|---|---|---|"
    )
    for system, errors, whose in rows:
        figure = loss(errors, whose)
        told = f"{figure.value:.2f} | {figure.low:.2f} to {figure.high:.2f}"
        print(f"| `{system}` | {told} | {np.median(errors):.2f} | {errors.max():.1f} |")


def read_marks(data: Path) -> pd.DataFrame:
    """Give a row for each structure of each subject."""
    rows = [
        (str(subject.scan.resolve()), subject.name, name, *at.round(2))
        for subject in read_structures(data, PAIRED)
        for name, at in subject.middles.items()
    ]
    columns = ["path", "patient", "label", "z_mm", "y_mm", "x_mm"]
    return pd.DataFrame(rows, columns=columns)


def deal(marks: pd.DataFrame, turn: int, folds: int) -> pd.DataFrame:
    """Leave every so many-th subject out, and validate on the next one of the others."""
    subjects = sorted(marks.patient.unique())
    tests = subjects[turn::folds]
    rest = [subject for subject in subjects if subject not in tests]
    split = {**dict.fromkeys(rest, "train"), rest[turn % len(rest)]: "val"}
    split |= dict.fromkeys(tests, "test")
    return marks.assign(split=marks.patient.map(split))


def measure(place: Path, table: pd.DataFrame) -> list[Any]:
    """Give the errors of each test scan in mm."""
    begun = open_folder(place)
    if begun is None:
        raise SystemExit(f"{place}: holds no system")
    kinds = begun.search.kinds
    tests = table[table.split == "test"]
    paths = list(dict.fromkeys(tests.path))
    found = kept_candidates(place / "found-test.npz", paths)
    errors = []
    for path in paths:
        own = tests[tests.path == path].set_index("label").loc[list(kinds)]
        truth = own[["z_mm", "y_mm", "x_mm"]].to_numpy()
        errors.append(np.linalg.norm(found[path].places_mm - truth, axis=-1))
    return errors


if __name__ == "__main__":
    main()
