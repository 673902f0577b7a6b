"""Nodule or not? Methods on marked candidates in phantom chest CTs, folds by patient.

    python bench/nodules.py --out runs/nodules --patients 15 --minutes 1 --seeds 3

The phantoms are made once, in --out, as bench/candidates.py makes them; it tells what hand-made
features reach. Each way is a method with the plan's network from scratch and the same budget; every
candidate is judged by the member that learnt from other patients. Prints Markdown, best first: AUC
and the sensitivity at 1 and 4 false positives a scan, mean ± sd over seeds; intervals by patient at
the first seed; the difference of AUC from one plane with its interval, at the first seed; seconds
of training, and what one answer costs. The same command goes on with what is there in --out.
"""

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from candidates import make
from judged import COSTS, costs, figure, interval, spread
from medclf.core.cohort import Cohort
from medclf.evaluate.compare import compare_areas
from medclf.evaluate.froc import Froc, Marked, free_response
from medclf.evaluate.standing import Result
from ways import Terms, Way, choose_ways, hold

FIRST = "one plane"
WAYS = {
    FIRST: Way("three_planes", {"side": "axial"}),
    "three_planes": Way("three_planes"),
    "multi_view, committee": Way("multi_view", {"fusion": "committee"}),
    "multi_view, late": Way("multi_view", {"fusion": "late"}),
    "multi_view, mixed": Way("multi_view", {"fusion": "mixed"}),
    "random_views": Way("random_views"),
    "volume": Way("volume"),
    "near_and_far": Way("near_and_far"),
}
FOLDS = 5
TINY_MM = 0.01  # a mark finds the candidate that it lies on, and no other
RATES = (1.0, 4.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=15)
    parser.add_argument("--ways", default="", help="separated by semicolons; all if not named")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/nodules"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    cohort = untested(make(args.out / f"{args.patients}-patients", args.patients))
    ways = choose_ways(WAYS, args.ways)
    found: dict[str, list[Result]] = defaultdict(list)
    for seed in range(args.seeds):
        place = args.out / f"{args.patients}-seed-{seed}"
        for name, result in hold(cohort, ways, place, Terms(args.minutes, seed, FOLDS)).items():
            found[name].append(result)
    show(found, cohort)


def untested(cohort: Cohort) -> Cohort:
    """Leave no patient to a test split: folds judge them all."""
    patients = list(dict.fromkeys(record.patient for record in cohort.records))
    held = patients[-len(patients) // FOLDS :]
    splits = {name: "val" if name in held else "train" for name in patients}
    records = tuple(replace(record, split=splits[record.patient]) for record in cohort.records)
    return replace(cohort, records=records)


def show(found: dict[str, list[Result]], cohort: Cohort) -> None:
    """Print the table."""
    if FIRST not in found:
        raise SystemExit(f"{FIRST!r} is what the others are compared with, and it is not there")
    told = {name: [find(row, cohort) for row in rows] for name, rows in found.items()}
    first = [rows[0].predictions for rows in found.values()]
    apart = dict(zip(found, compare_areas(first, list(found).index(FIRST)), strict=True))
    heads = "AUC | interval | at 1 | interval | at 4 | interval | AUC less that of one plane"
    print(f"\n| way | {heads} | {COSTS} |\n|---|---|---|---|---|---|---|---|---|---|---|")
    for name in sorted(found, key=lambda name: figure(found[name], "auc"), reverse=True):
        rows, less = found[name], apart[name]
        cells = [figure(rows, "auc"), interval(rows[0].scores.figures["auc"])]
        for rate in RATES:
            read = [
                next(p.sensitivity for p in one.points if p.false_positives == rate)
                for one in told[name]
            ]
            cells += [spread([one.value for one in read]), interval(read[0])]
        cells.append(f"{less.value:+.3f} ({less.low:+.3f} to {less.high:+.3f})")
        print(f"| {name} | {' | '.join([*cells, *costs(rows)])} |")


def find(result: Result, cohort: Cohort) -> Froc:
    """Take each candidate as a mark, and the nodules among them as what is to be found."""
    judged = result.predictions
    scores = dict(zip(judged.exams.tolist(), judged.probabilities[:, 1], strict=True))
    scans = []
    for patient in dict.fromkeys(record.patient for record in cohort.records):
        records = [record for record in cohort.records if record.patient == patient]
        marks = np.array([record.images["image"].point.at for record in records])
        given = np.array([scores[record.name] for record in records])
        nodules = np.array([record.label == 1 for record in records])
        scans.append(Marked(patient, marks, given, marks[nodules], TINY_MM))
    return free_response(scans)


if __name__ == "__main__":
    main()
