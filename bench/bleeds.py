"""Microbleeds planted into real brains: screened, then judged; several second stages compared.

    python bench/bleeds.py $MEDCLF_DATA --minutes 10 --turns 5 --judges patch,multi_view

Lesions and mimics (veins, calcifications) are planted into the ten T1 brains of IXI, so that the
background is real and the truth exact; only bleeds are marked. In each turn two brains are searched
that nothing was learnt from, one validates and seven train. The second stages judge the same
candidates. Figures are of all turns together: sensitivity at 2.74 false positives in a scan, where
Dou et al. report 93.16 % on 320 real scans of their own, CPM, and what the second stage takes away:
the false positives of the screen that are gone where at most 3 % of its sensitivity are.

Prints Markdown; intervals are by patient. What is done is kept in --out, and the same command goes
on.
"""

import argparse
import csv
import shutil
from pathlib import Path

import numpy as np

from medclf.curate.cohort import Columns
from medclf.curate.phantom.bleeds.cohort import Brain, make_bleeds
from medclf.curate.phantom.bleeds.plant import Planting
from medclf.evaluate.froc import Froc, Marked, free_response
from medclf.systems import locate
from medclf.systems.candidates import Candidates, kept_candidates
from medclf.systems.search import open_folder

KIND = "bleed"
RATE = 2.74
LOST = 0.03
STAGE = ("judge", "findings.csv", "scores.json", "report.html", "found-val.npz", "found-test.npz")
"""What is made anew for another second stage."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--judges", default="patch")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=5, help="of two brains each")
    parser.add_argument("--bleeds", type=int, default=6, help="in a brain")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/bleeds"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    truth = plant(args.data / "ixi10", args.out / f"brains-{args.bleeds}", args.bleeds)
    judges = args.judges.split(",")
    found: dict[str, list[tuple[Marked, Candidates]]] = {judge: [] for judge in judges}
    for turn in range(args.turns):
        table = deal(truth, turn, args.out / f"turn-{turn}.csv")
        for judge in judges:
            place = args.out / f"turn-{turn}-{judge}-{args.seed}"
            first = args.out / f"turn-{turn}-{judges[0]}-{args.seed}"
            search(table, place, first, judge, args.minutes, args.seed)
            found[judge] += read(table, place)
            print(f"turn {turn}, {judge}: {place}", flush=True)
    show(found)


def plant(data: Path, out: Path, bleeds: int) -> Path:
    """Plant lesions into all brains, once, and return the table of what they are.

    There are two thirds as many veins as bleeds, and half as many calcifications.
    """
    if not out.exists():
        brains = []
        for scan in sorted((data / "nifti").glob("*.nii.gz")):
            subject = scan.name.partition("-T1")[0]
            (labels,) = (data / "dlmuse").glob(f"{subject}*.nii.gz")
            brains.append(Brain(scan, subject, labels))
        planting = Planting(bleeds, 2 * bleeds // 3, bleeds // 2)
        make_bleeds(out, brains, planting, seed=0)
    return out / "truth.csv"


def deal(truth: Path, turn: int, table: Path) -> Path:
    """Write a table that leaves two brains out of training, and validates on the next."""
    rows = list(csv.DictReader(truth.open(encoding="utf-8")))
    patients = sorted({row["patient"] for row in rows})
    tests = patients[2 * turn : 2 * turn + 2]
    val = patients[(2 * turn + 2) % len(patients)]
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "split"])
        writer.writeheader()
        for row in rows:
            whose = row["patient"]
            split = "test" if whose in tests else "val" if whose == val else "train"
            writer.writerow({**row, "path": truth.parent / row["path"], "split": split})
    return table


def search(table: Path, place: Path, first: Path, judge: str, minutes: float, seed: int) -> None:
    """Train a system, with the screen of the first where that is done."""
    begun = open_folder(place)
    if begun is None and place != first:
        shutil.copytree(first, place)
        for name in STAGE:
            gone = place / name
            shutil.rmtree(gone) if gone.is_dir() else gone.unlink(missing_ok=True)
        copied = open_folder(place)
        if copied is None:
            raise SystemExit(f"{first}: holds no system")
        kept = dict(copied.facts["search"])
        begun = copied.update(
            state="begun", search={**kept, "options": {**kept["options"], "judge": judge}}
        )
    if begun is not None and begun.done:
        return
    if begun is not None:
        locate.resume(place)
        return
    columns = Columns(label="kind")
    locate.train(
        *(table, place, minutes, seed, "screen_then_judge", [KIND], {"judge": judge}, columns)
    )


def read(table: Path, place: Path) -> list[tuple[Marked, Candidates]]:
    """Read what was found in the scans of the test, and what is there."""
    rows = [r for r in csv.DictReader(table.open(encoding="utf-8")) if r["split"] == "test"]
    paths = list(dict.fromkeys(row["path"] for row in rows))
    begun = open_folder(place)
    if begun is None:
        raise SystemExit(f"{place}: holds no system")
    edge, found = begun.search.edge_mm, kept_candidates(place / "found-test.npz", paths)
    marked = []
    for path in paths:
        own = [row for row in rows if row["path"] == path and row["kind"] == KIND]
        at = np.array([[float(row[f"{axis}_mm"]) for axis in "zyx"] for row in own])
        radius = np.array([float(row["diameter_mm"]) / 2 for row in own])
        one = found[path]
        reach = np.maximum(radius, 3 * edge)
        whose = next(row["patient"] for row in own)
        marked.append((Marked(whose, one.places_mm, one.scores, at, reach), one))
    return marked


def show(found: dict[str, list[tuple[Marked, Candidates]]]) -> None:
    """Print the table."""
    some = next(iter(found.values()))
    screens = [
        Marked(m.patient, m.marks_mm, one.screened, m.lesions_mm, m.radius_mm) for m, one in some
    ]
    screen = free_response(screens, (RATE,))
    heads = f"stages | sensitivity at {RATE} | at 1 | at 4 | CPM | found at most"
    print(f"\n{screen.lesions} bleeds in {screen.scans} brains\n")
    print(f"| {heads} | false positives a scan | taken away at {LOST:.0%} lost |")
    print("|---|---|---|---|---|---|---|---|")
    tell("screen alone", screen, screen)
    for judge, rows in found.items():
        tell(f"screen, then {judge}", free_response([m for m, _ in rows], (RATE,)), screen)


def tell(name: str, froc: Froc, screen: Froc) -> None:
    at = {point.false_positives: point.sensitivity for point in froc.points}
    cells = [f"{f.value:.3f} ({f.low:.3f}–{f.high:.3f})" for f in (at[RATE], at[1.0], at[4.0])]
    cells.append(f"{froc.cpm.value:.3f} ({froc.cpm.low:.3f}–{froc.cpm.high:.3f})")
    most = screen.found / screen.lesions
    kept = [c.false_positives for c in froc.curve if c.sensitivity >= most - LOST]
    alarms = screen.false_positives / screen.scans
    away = 1 - min(kept, default=alarms) / alarms if alarms else 0.0
    cells += [f"{froc.found / froc.lesions:.3f}", f"{froc.false_positives / froc.scans:.1f}"]
    print(f"| {name} | {' | '.join(cells)} | {'' if froc is screen else f'{away:.1%}'} |")


if __name__ == "__main__":
    main()
