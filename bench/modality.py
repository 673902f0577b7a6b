"""Which kind of picture is it: X-ray, ultrasound, MR, CT, skin, or no medical picture at all?

    python bench/modality.py $MEDCLF_DATA --minutes 2 --seeds 3 --out runs/modality

Pictures of every set in the folder, dealt by patient, are written as PNG below --out with a table
for each deal. Of the kinds that two sets have, `first` and `second` hold one whole set back for the
test: in `first` covid_chestxray's X-rays, all of `volumes` and the ImageNet photographs; `second`
is the reverse. `all` learns from each set; the run of its first seed, OUT/all-0, is that which
`medclf inspect DATA --expect xray --by OUT/all-0` may ask. Shapes without texture (AdrenalMNIST3D)
are held back always, as something never seen. X-rays of patients who have a CT too are left out.

So that size and colour do not give the answer away, half of the photographs are made grey, and of
larger pictures that are learnt from a third is shrunk to 28 pixels; grey pictures of digits stand
among the others. PneumoniaMNIST is Kermany's made small: test images are never learnt from, but a
few validation images are, in the other size. Volumes are cut along all three planes, in the middle
half. Of each set and kind --most pictures are learnt from, and a quarter and half as many validated
and tested on. Choices (the plan's, calibration, the level of a stranger) are made on validation.

Prints Markdown. Of each kind and set: sensitivity, mean ± sd over seeds, its interval by patient at
the first seed. AUC of each kind against the rest. Confusion, summed over seeds. And strangers:
where one kind is expected, the share of its test images that is flagged all the same, and of others
that are found: as `inspect` does it, below the level of 1 % of validation, and below one half. A
dash stands where there are none, or where `inspect` refuses a run that does not tell the kind.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import medclf
from judged import interval, spread
from medclf.curate.stranger import LIKELY, find_level, lowest_usual
from medclf.evaluate.interval import proportion
from medclf.evaluate.ranking import Ranking
from medclf.evaluate.table import Predictions, read_predictions
from modality_sets import SETS, Shot, Shots, write

Mask = NDArray[np.bool_]
WHOLE = {
    "first": {"covid xray", "volumes mr", "volumes ct", "imagenet none", "adrenal none"},
    "second": {
        *("kermany xray", "pneumonia xray", "ixi mr", "covid ct", "cifar none", "adrenal none"),
    },
    "all": {"adrenal none"},
}


@dataclass(frozen=True)
class Answer:
    """What a run said of its validation and test pictures, and which class it decided on."""

    table: Predictions
    decided: NDArray[np.int64]

    def where(self, split: str, held: str = "", kind: str = "", name: str = "") -> Mask:
        """Find the pictures of a split, held whole or in part, of a kind, of a set."""
        table, chosen = self.table, self.table.splits == split
        for fact, wanted in (("held", held), ("set", name)):
            if wanted:
                chosen &= np.array([value == wanted for value in table.facts[fact]])
        return chosen & (table.target == table.task.classes.index(kind)) if kind else chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--deals", default=",".join(WHOLE))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--most", type=int, default=300, help="of a set and kind, learnt from")
    parser.add_argument("--out", type=Path, default=Path("runs/modality"))
    args = parser.parse_args()
    (args.out / "pictures").mkdir(parents=True, exist_ok=True)
    for deal in args.deals.split(","):
        found = []
        for seed in range(args.seeds):
            data = args.out / f"{deal}-{seed}.csv"
            rows = write_table(args.data, args.out, WHOLE[deal], args.most, seed)
            rows.to_csv(data, index=False)
            run = medclf.train(data, args.out / f"{deal}-{seed}", args.minutes, seed)
            table = read_predictions(run.run.folder / "predictions.csv", run.run.task)
            found.append(Answer(table, run.trained.decision.decide(table.probabilities)))
            print(f"{deal}, seed {seed}: AUC {run.scores['auc']['value']:.4f}", flush=True)
        show_sets(deal, found)
        show_areas(deal, found)
        show_confusion(deal, found)
        show_strangers(deal, found)


def write_table(data: Path, out: Path, whole: set[str], most: int, seed: int) -> pd.DataFrame:
    """Deal the shots of all sets, take some of each part, and write their pictures."""
    rows = []
    for number, (name, read) in enumerate(SETS.items()):
        parts = defaultdict(list)
        rng = np.random.default_rng((seed, number))
        for kind, shots in by_kind(read(data)).items():
            held = f"{name} {kind}" in whole
            for split, shot in deal(shots, held, rng):
                parts[kind, split].append(shot)
        for (kind, split), shots in parts.items():
            few = {"train": most, "val": most // 4, "test": most // 2}[split]
            chosen = np.sort(rng.permutation(len(shots))[:few])
            for shot in (shots[i] for i in chosen):
                path = write(shot, out / "pictures", name, small=split != "test")
                row = {"path": path.relative_to(out), "label": kind, "split": split}
                held = "whole" if f"{name} {kind}" in whole else "part"
                rows.append({**row, "patient": f"{name} {shot.patient}", "set": name, "held": held})
    return pd.DataFrame(rows)


def by_kind(shots: Shots) -> dict[str, list[Shot]]:
    found = defaultdict(list)
    for shot in shots:
        found[shot.kind].append(shot)
    return found


def deal(
    shots: Sequence[Shot], whole: bool, rng: np.random.Generator
) -> Iterator[tuple[str, Shot]]:
    """Deal by patient: what is for the test stays there; else a fifth is; 15 % validate."""
    stated = any(shot.test for shot in shots)
    people = sorted({shot.patient for shot in shots if not shot.test})
    mixed = [people[i] for i in rng.permutation(len(people))]
    tests = 0 if stated else round(0.2 * len(mixed))
    checks = max(1, round(0.15 * len(mixed)))
    split = dict.fromkeys(mixed, "train") | dict.fromkeys(mixed[: tests + checks], "val")
    split |= dict.fromkeys(mixed[:tests], "test")
    for shot in shots:
        yield "test" if whole or shot.test else split[shot.patient], shot


def show_sets(deal: str, found: Sequence[Answer]) -> None:
    """Print a row of each kind and set: how many of its test pictures are named rightly."""
    print(f"\n| {deal}: kind | set | held | pictures | patients | sensitivity | interval |")
    print("|---|---|---|---|---|---|---|")
    first = found[0].table
    tests = found[0].where("test")
    named = zip(first.target, first.facts["set"], first.facts["held"], strict=True)
    for k, name, held in sorted({row for row, test in zip(named, tests, strict=True) if test}):
        kind = first.task.classes[k]
        masks = [answer.where("test", held, kind, str(name)) for answer in found]
        hits = [(a.decided == k)[mask] for a, mask in zip(found, masks, strict=True)]
        patients = first.patients[masks[0]]
        sure = interval(proportion(hits[0], patients))
        told = f"{spread([hit.mean() for hit in hits])} | {sure}"
        counts = f"{len(patients)} | {len(np.unique(patients))}"
        print(f"| {kind} | {name} | {held} | {counts} | {told} |", flush=True)


def show_areas(deal: str, found: Sequence[Answer]) -> None:
    """Print the AUC of each kind against all others, and accuracy, of sets in part and whole."""
    classes = found[0].table.task.classes
    print(f"\n| {deal}: AUC | {' | '.join(classes)} | mean | accuracy |")
    print("|---" * (len(classes) + 3) + "|")
    for held in ("part", "whole"):
        rows = []
        for answer in found:
            mask = answer.where("test", held)
            target, shares = answer.table.target[mask], answer.table.probabilities[mask]
            each = [
                float(Ranking(target == k, shares[:, k]).areas()[0]) for k in range(len(classes))
            ]
            right = np.mean(answer.decided[mask] == target)
            there = [value for value in each if np.isfinite(value)]
            rows.append([*each, np.mean(there) if there else np.nan, right])
        cells = [spread(list(column)) for column in zip(*rows, strict=True)]
        told = " | ".join(cell.replace("nan ± nan", "–") for cell in cells)
        print(f"| {held} | {told} |", flush=True)


def show_confusion(deal: str, found: Sequence[Answer]) -> None:
    """Print what test pictures were taken for, summed over the seeds."""
    classes = found[0].table.task.classes
    print(f"\n| {deal}: is, held | {' | '.join(classes)} |")
    print("|---" * (len(classes) + 1) + "|")
    for held in ("part", "whole"):
        for kind in classes:
            counts = sum(
                np.bincount(a.decided[a.where("test", held, kind)], minlength=len(classes))
                for a in found
            )
            if np.sum(counts):
                print(f"| {kind}, {held} | {' | '.join(map(str, counts))} |", flush=True)


def show_strangers(deal: str, found: Sequence[Answer]) -> None:
    """Print how many pictures are flagged where a kind is expected: of it, and of others."""
    print(f"\n| {deal}: expected, of | {' | '.join(HEADS)} |\n|---" + "|---" * len(HEADS) + "|")
    for split, held in (("val", ""), ("test", "part"), ("test", "whole")):
        for k, kind in enumerate(found[0].table.task.classes):
            rows = [flagged(answer, k, answer.where(split, held)) for answer in found]
            cells = [spread(list(column)) for column in zip(*rows, strict=True)]
            told = " | ".join(cell.replace("nan ± nan", "–") for cell in cells)
            print(f"| {kind}, {held or 'validation'} | {told} |", flush=True)


HEADS = [
    f"{which}, {how}"
    for which in ("its own", "strangers")
    for how in ("inspect", "level of 1 %", "one half")
]


def flagged(answer: Answer, k: int, some: Mask) -> list[float]:
    """Give the shares of some pictures that are flagged, in the order of `HEADS`."""
    shares, own, held = (
        answer.table.probabilities[:, k],
        answer.table.target == k,
        answer.where("val"),
    )
    level = find_level(shares[held], own[held])
    levels = (
        (level.value if level.tells else np.nan),
        lowest_usual(shares[held & own], 0.01),
        LIKELY,
    )
    parts = some & own, some & ~own
    return [share_below(shares[part], value) for part in parts for value in levels]


def share_below(shares: NDArray[np.float64], value: float) -> float:
    return float((shares < value).mean()) if len(shares) and value >= 0 else float("nan")


if __name__ == "__main__":
    main()
