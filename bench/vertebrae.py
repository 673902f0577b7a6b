"""Which vertebra is where? Systems that locate, on phantom CTs of whole and cut spines.

    python bench/vertebrae.py OUT --patients 40 --systems vertebra_chain,heat_map --minutes 5

Phantoms as `medclf.curate.phantom.spine` draws them: three in four show a part of the spine only,
one in ten has a vertebra more or fewer. Each seed deals patients anew and trains each system for
--minutes; its test scans are then searched file by file, and filled with labels, which are held
against the phantoms' own. OUT keeps phantoms and runs. Prints Markdown: vertebrae that are
identified (within 20 mm of the right middle, nearest to it, and taken for there), those whose
presence is told right, the mean distance and the largest, Dice over vertebrae in the scan (0 for
one that was not found), and what one volume takes to be searched, all means over seeds; asked are
.90 and 5 mm.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from judged import spread
from medclf.core.record import Source
from medclf.curate.cohort import Columns
from medclf.curate.phantom.spine.cohort import make_spines
from medclf.curate.phantom.spine.levels import NUMBERS
from medclf.read.image import read_image
from medclf.systems import locate
from medclf.systems.label_and_fill import fill_scan

FIGURES = ("identified", "presence", "mean mm", "largest mm", "Dice", "s a volume")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--systems", default="vertebra_chain,heat_map,vertebra_votes")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--mm", type=float, nargs=3, default=(3.0, 1.5, 1.5), help="of voxels")
    args = parser.parse_args()
    spines = args.out / f"spines-{args.patients}"
    if not spines.exists():
        make_spines(spines, args.patients, 0, tuple(args.mm), labels=True)
    rows = []
    for system in args.systems.split(","):
        found = [judge(system, spines, args, seed) for seed in range(args.seeds)]
        told = (spread(column) for column in zip(*found, strict=True))
        rows.append(f"| {system} | {' | '.join(told)} |")
    print(f"\n| system | {' | '.join(FIGURES)} |\n|{'---|' * (1 + len(FIGURES))}")
    print("\n".join(rows))


def judge(system: str, spines: Path, args: argparse.Namespace, seed: int) -> Sequence[float]:
    """Train a system, and give its figures."""
    place = args.out / f"{system}-{seed}"
    table = spines / "cohort.csv"
    run = locate.train(table, place, args.minutes, seed, system, columns=Columns(label="name"))
    scores = run.scores["distances"]
    dice, seconds = fill(run, spines)
    figures = (
        *(scores[name]["value"] for name in ("identified", "known", "error_mm")),
        *(scores["largest_mm"], dice, seconds),
    )
    told = ", ".join(f"{name} {x:.3f}" for name, x in zip(FIGURES, figures, strict=True))
    low, high = scores["identified"]["low"], scores["identified"]["high"]
    whose = f"{scores['scans']} scans, interval of identified {low:.3f} to {high:.3f}"
    print(f"{system}, seed {seed}: {told}; {whose}", flush=True)
    return figures


def fill(run: locate.TrainedSearch, spines: Path) -> tuple[float, float]:
    """Search and fill the test scans: mean Dice, and the seconds a search takes."""
    truth = pd.read_csv(spines / "cohort.csv")
    kinds, sizes = run.folder.search.kinds, run.folder.facts["sizes_mm"]
    dice, seconds = [], []
    for name in pd.read_csv(run.folder.path / "findings.csv").file.unique():
        start = time.perf_counter()
        found = run.predict([spines / name])
        seconds.append(time.perf_counter() - start)
        sure = [one for one in found if one.sure]
        labels = fill_scan(read_image(Source(spines / name)), sure, kinds, sizes)
        path = spines / "labels" / Path(name).name
        wanted = read_image(Source(path)).values[0]
        for kind in truth.name[truth.path == f"volumes/{path.name}"]:
            mine, true = labels == kinds.index(kind) + 1, wanted == NUMBERS[kind]
            dice.append(2 * (mine & true).sum() / (mine.sum() + true.sum()))
    return float(np.mean(dice)), float(np.mean(seconds))


if __name__ == "__main__":
    main()
