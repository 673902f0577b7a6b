"""Where do structures of the brain lie? Networks that regress places, on real MR volumes.

    python bench/landmarks.py $MEDCLF_DATA --ways heat_map --seconds 45 --seeds 3
    python bench/landmarks.py $MEDCLF_DATA --ways votes --mm 4 --seconds 30

IXI: the middles of paired structures of the label maps, left and right as landmarks of their own.
Subjects are dealt into --folds parts (10: leave one out); each part is judged by the network that
learnt from the others, but for the next subject in line, on which it validates. Prints Markdown:
the mean error, its deviation over seeds, its interval by subject at the first seed, the largest
error of any seed, and what one volume takes; then the same by structure. Beside it stands the mean
place of the training subjects, in samples about the middle of the image: what not looking gives.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from judged import spread
from medclf.core.record import Source
from medclf.learn.committee import Part
from medclf.learn.places import fit_places, usual_fit
from medclf.learn.trained import Held
from medclf.locate.sought import Sought
from medclf.prepare.exam import place_image
from medclf.prepare.settings import Prepare
from medclf.read.image import read_image
from structures import PAIRS, SIDES, read_structures

EXTENT_MM = (216, 216, 180)
RESAMPLES = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--ways", default="heat_map,votes")
    parser.add_argument("--mm", type=float, default=3.0, help="edge of a sample")
    parser.add_argument("--pairs", type=int, default=10, help="the first so many structures")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=45.0, help="of each training")
    parser.add_argument("--epochs", type=int, default=0, help="0: what the seconds allow")
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--spread", type=float, default=0.0, help="of heat maps; 0: the usual one")
    parser.add_argument("--rate", type=float, default=0.0, help="0: the usual one")
    args = parser.parse_args()
    values, places = read_subjects(args.data / "ixi10", args.mm, args.pairs)
    names = list(PAIRS)[: args.pairs]
    blind = np.stack(
        [np.delete(places, test, 0).mean(0) - places[test] for test in range(len(places))]
    )
    show("| the mean place, not looking", [np.linalg.norm(blind * args.mm, axis=-1)], 0.0)
    for way in args.ways.split(","):
        rows, pace = [], []
        for seed in range(args.seeds):
            errors, each = judge(way, values, places, args, seed)
            rows.append(errors)
            pace.append(each)
            show(f"seed {seed}: {way}", rows[-1:], each)
        show(f"| {way}", rows, float(np.mean(pace)))
        print("\n| structure | mean of both sides, mm | largest |\n|---|---|---|")
        for number, name in enumerate(names):
            found = [errors[:, 2 * number : 2 * number + 2] for errors in rows]
            print(f"| {name} | {spread([f.mean() for f in found])} | {np.max(found):.1f} |")


def read_subjects(data: Path, mm: float, pairs: int) -> tuple[Any, Any]:
    """Prepare all subjects, (N, 1, *size), and give the middles of structures in samples."""
    size = tuple(round(extent / mm) for extent in EXTENT_MM)
    prepare = Prepare(size, 1, (mm,) * 3, orientation="patient", intensity="percentile")
    values, places = [], []
    for subject in read_structures(data, pairs):
        prepared = place_image(read_image(Source(subject.scan)), prepare, str(subject.scan))
        places.append(prepared.from_mm(np.stack(list(subject.middles.values()))))
        values.append(prepared.values)
    return np.stack(values), np.array(places, np.float32)


def judge(
    way: str, values: Any, places: Any, args: argparse.Namespace, seed: int
) -> tuple[Any, float]:
    """Give errors in mm of every subject, (N, L), and the seconds that a volume takes."""
    subjects = np.arange(len(values))
    errors = np.full(places.shape[:2], np.nan)
    names = tuple(f"{name} {side}" for name in list(PAIRS)[: args.pairs] for side in SIDES)
    settings = {"spread": args.spread} if args.spread else {}
    sought = Sought(way, names, 1, values.shape[2:], (args.mm,) * 3, settings=settings)
    rate = {"rate": args.rate} if args.rate else {}
    fit = usual_fit(sought.size, seed=seed, epochs=args.epochs, members=args.members, **rate)
    seconds = None if args.epochs else args.seconds
    spent = []
    for fold in range(args.folds):
        test = subjects[fold :: args.folds]
        rest = np.setdiff1d(subjects, test)
        held = rest[fold % len(rest)]
        part = Part(np.setdiff1d(rest, held), np.array([held]))
        folder = Path(tempfile.mkdtemp())
        finder = fit_places(folder, sought, Held(values), places, part, fit, seconds)
        for subject in test:
            start = time.perf_counter()
            found, _ = finder.locate(values[subject])
            spent.append(time.perf_counter() - start)
            errors[subject] = np.linalg.norm((found - places[subject]) * args.mm, axis=-1)
        print(
            f"fold {fold}: {finder.facts.fit.epochs} epochs, {errors[test].mean():.2f} mm",
            flush=True,
        )
        shutil.rmtree(folder)
    return errors, float(np.median(spent))


def show(name: str, rows: list[Any], seconds: float) -> None:
    """Print a row: mean ± sd over seeds, interval by subject, largest, seconds a volume."""
    rng = np.random.default_rng(0)
    subjects = rows[0].mean(1)
    drawn = rng.choice(subjects, (RESAMPLES, len(subjects))).mean(1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    mean = spread([errors.mean() for errors in rows])
    largest = max(errors.max() for errors in rows)
    print(
        f"{name} | {mean} | {low:.2f} to {high:.2f} | {largest:.1f} | {seconds:.2f} |", flush=True
    )


if __name__ == "__main__":
    main()
