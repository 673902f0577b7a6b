"""Lesions of scans: screened, then judged; several second stages compared on the same candidates.

    python bench/lesions.py real --data $MEDCLF_DATA --minutes 10 --judges patch,near_and_far
    python bench/lesions.py brains --patients 40 --minutes 10 --turns 5
    python bench/lesions.py chests --patients 40 --minutes 10 --turns 5
    python bench/lesions.py chests --minutes 20 --judges near_and_far,near_and_far:800

Microbleeds and their mimics (veins, calcifications) planted into the ten T1 brains of IXI, so that
the background is real and the truth exact; microbleeds of phantom brains; nodules of phantom
chests. Only bleeds, or nodules, are marked. In each turn a fifth of the patients are searched that
nothing was learnt from, a tenth validate, and the others train. Figures are of all turns together:
sensitivity at 2.74 false positives in a scan, where Dou et al. report 93.16 % on 320 real scans of
their own, CPM, how many of each size are found, and what the second stage takes away: the false
positives of the screen that are gone where at most 3 % of its sensitivity are.

A second stage may be named with the candidates of a scan that it judges; without, they are 200.
Prints Markdown; intervals are by patient. What is done is kept in --out, and the same command goes
on. Samples of IXI's brains are 2 mm apart: bleeds smaller than two of them hardly show.
"""

import argparse
import csv
import shutil
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from medclf.curate.cohort import Columns
from medclf.curate.phantom.bleeds.cohort import Brain, make_bleeds
from medclf.curate.phantom.bleeds.plant import Planting
from medclf.curate.phantom.brain.cohort import make_brains
from medclf.curate.phantom.chest.cohort import make_chests
from medclf.curate.phantom.chest.lesion import NODULES
from medclf.evaluate.froc import Froc, Marked, free_response
from medclf.locate.scans import NEAREST_MM
from medclf.systems import locate
from medclf.systems.candidates import Candidates, kept_candidates
from medclf.systems.screening import OPTIONS
from medclf.systems.search import open_folder

KINDS = {"real": "bleed", "brains": "bleed", "chests": "nodule"}
RATE = 2.74
LOST = 0.03
SIZES_MM = (2, 4, 6, 12)
STAGE = (
    *("judge", "candidates.json", "candidates.npz", "findings.csv", "scores.json", "report.html"),
    *("found-val.npz", "found-test.npz"),
)
"""What is made anew for another second stage; the screen is not."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("where", choices=KINDS)
    parser.add_argument("--data", type=Path, help="for real brains")
    parser.add_argument("--patients", type=int, default=40, help="phantoms")
    parser.add_argument("--judges", default="near_and_far")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--bleeds", type=int, default=6, help="in a real brain")
    parser.add_argument("--smallest", type=float, default=2.0, help="in mm, in real brains")
    parser.add_argument("--contrast", type=float, nargs=2, default=(0.35, 0.85), help="the same")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/lesions"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    truth, kind = make(args, args.out / f"scans-{args.where}"), KINDS[args.where]
    judges = args.judges.split(",")
    found: dict[str, list[Searched]] = {judge: [] for judge in judges}
    for turn in range(args.turns):
        table = deal(truth, turn, args.out / f"turn-{turn}.csv")
        for judge in judges:
            place = args.out / f"turn-{turn}-{judge.replace(':', '-')}-{args.seed}"
            first = args.out / f"turn-{turn}-{judges[0].replace(':', '-')}-{args.seed}"
            search(table, place, first, kind, judge, args.minutes, args.seed)
            found[judge] += read(table, place, kind)
            print(f"turn {turn}, {judge}: {place}", flush=True)
    show(found)


def make(args: argparse.Namespace, out: Path) -> Path:
    """Make the scans, once, and return the table of what lies in them."""
    if out.exists():
        return out / "truth.csv"
    if args.where == "brains":
        make_brains(out, args.patients, args.seed)
    elif args.where == "chests":
        make_chests(out, args.patients, args.seed)
    else:
        brains = []
        for scan in sorted((args.data / "ixi10" / "nifti").glob("*.nii.gz")):
            subject = scan.name.partition("-T1")[0]
            (labels,) = (args.data / "ixi10" / "dlmuse").glob(f"{subject}*.nii.gz")
            brains.append(Brain(scan, subject, labels))
        counts = (args.bleeds, 2 * args.bleeds // 3, args.bleeds // 2)
        sizes, contrast = (args.smallest, 10.0), tuple(args.contrast)
        make_bleeds(out, brains, Planting(*counts, contrast=contrast, sizes_mm=sizes), args.seed)
    return out / "truth.csv"


def deal(truth: Path, turn: int, table: Path) -> Path:
    """Write a table that leaves a fifth of the patients out, and validates on a tenth."""
    rows = list(csv.DictReader(truth.open(encoding="utf-8")))
    patients = sorted({row["patient"] for row in rows})
    fifth, tenth = len(patients) // 5, len(patients) // 10
    tests = patients[fifth * turn : fifth * (turn + 1)]
    after = fifth * (turn + 1) % len(patients)
    val = patients[after : after + tenth]
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "split"])
        writer.writeheader()
        for row in rows:
            whose = row["patient"]
            split = "test" if whose in tests else "val" if whose in val else "train"
            kind = "nodule" if row["kind"] in NODULES else row["kind"]
            path = truth.parent / row["path"]
            writer.writerow({**row, "path": path, "kind": kind, "split": split})
    return table


def search(
    table: Path, place: Path, first: Path, kind: str, judge: str, minutes: float, seed: int
) -> None:
    """Train a system, with the screen of the first where that is done."""
    begun, (name, _, most) = open_folder(place), judge.partition(":")
    options = {"judge": name, "most": int(most or OPTIONS["most"])}
    if begun is None and place != first:
        shutil.copytree(first, place)
        for part in STAGE:
            gone = place / part
            shutil.rmtree(gone) if gone.is_dir() else gone.unlink(missing_ok=True)
        copied = open_folder(place)
        if copied is None:
            raise SystemExit(f"{first}: holds no system")
        kept = dict(copied.facts["search"])
        begun = copied.update(
            state="begun", search={**kept, "options": {**kept["options"], **options}}
        )
    if begun is not None and begun.done:
        return
    if begun is not None:
        locate.resume(place)
        return
    columns = Columns(label="kind")
    locate.train(*(table, place, minutes, seed, "screen_then_judge", [kind], options, columns))


@dataclass(frozen=True)
class Searched:
    """A scan of the test: what was found and what is there, and the sizes of that."""

    marked: Marked
    candidates: Candidates
    sizes_mm: np.ndarray


def read(table: Path, place: Path, kind: str) -> list[Searched]:
    """Read what was found in the scans of the test, and what is there."""
    rows = [r for r in csv.DictReader(table.open(encoding="utf-8")) if r["split"] == "test"]
    paths = list(dict.fromkeys(row["path"] for row in rows))
    begun = open_folder(place)
    if begun is None:
        raise SystemExit(f"{place}: holds no system")
    found = kept_candidates(place / "found-test.npz", paths)
    marked = []
    for path in paths:
        own = [row for row in rows if row["path"] == path and row["kind"] == kind]
        at = np.array([[float(row[f"{axis}_mm"]) for axis in "zyx"] for row in own]).reshape(-1, 3)
        sizes = np.array([float(row["diameter_mm"]) for row in own])
        one = found[path]
        reach = np.maximum(sizes / 2, NEAREST_MM)
        whose = next(row["patient"] for row in rows if row["path"] == path)
        marked.append(Searched(Marked(whose, one.places_mm, one.scores, at, reach), one, sizes))
    return marked


def show(found: dict[str, list[Searched]]) -> None:
    """Print the table."""
    some = next(iter(found.values()))
    screens = [replace(one.marked, scores=one.candidates.screened) for one in some]
    screen = free_response(screens, (RATE,))
    heads = f"stages | sensitivity at {RATE} | at 1 | at 4 | CPM | found at most"
    print(f"\n{screen.lesions} lesions in {screen.scans} scans\n")
    print(f"| {heads} | false positives a scan | taken away at {LOST:.0%} lost |")
    print("|---|---|---|---|---|---|---|---|")
    tell("screen alone", screen, screen)
    for judge, rows in found.items():
        tell(f"screen, then {judge}", free_response([one.marked for one in rows], (RATE,)), screen)
    names = [f"screen, then {judge}" for judge in found]
    print(f"\n| size, mm | lesions | {' | '.join(('screen alone', *names))} |")
    print("|---|---|---|" + "---|" * len(names))
    for least, most in pairwise(SIZES_MM):
        own = [(one.sizes_mm >= least) & (one.sizes_mm < most) for one in some]
        if not sum(map(np.sum, own)):
            continue
        ways = [screens, *([one.marked for one in rows] for rows in found.values())]
        frocs = [of_size(way, own) for way in ways]
        cells = [
            f"{next(p for p in f.points if p.false_positives == RATE).sensitivity.value:.3f}"
            for f in frocs
        ]
        print(f"| {least:g} to {most:g} | {frocs[0].lesions} | {' | '.join(cells)} |")


def of_size(scans: list[Marked], own: list[np.ndarray]) -> Froc:
    """Measure how lesions of some size are found; the others count neither way."""
    chosen = [replace(one, counts=some) for one, some in zip(scans, own, strict=True)]
    return free_response(chosen, (RATE,))


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
