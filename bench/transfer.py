"""From scratch, frozen or fine-tuned: what pretraining brings, on real data of four kinds.

    python bench/transfer.py $MEDCLF_DATA --sets kermany10,kermany,ham,ixi --minutes 2 --seeds 3

Ways: the plan as it stands (from scratch), features of EfficientNet-Lite0 kept as they are under a
logistic curve, and the same network fine-tuned. Sets: Kermany's X-rays (all of them, and a tenth of
the training patients), HAM10000 by lesion, and patches about 16 brain structures of IXI, where two
of ten subjects are left out. The test split is judged once a seed; intervals are by patient.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd

import medclf
from medclf.core.cohort import Cohort
from medclf.learn.borrowed import READY, take_network
from medclf.learn.plan import Plan
from medclf.learn.transfer import Transfer

PERSON = r"((?:train|test)/[A-Z]+/(?:person\d+|NORMAL2-IM-\d+|IM-\d+))"
STRUCTURES = 16  # the largest label regions that all subjects have
EDGE = 24  # voxels of 2 mm
NAMES = ("auc", "accuracy", "balanced_accuracy", "log_loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    print("| data | way | " + " | ".join(NAMES) + " |\n|---|---|---|---|---|---|")
    for one in args.sets.split(","):
        for way in args.ways.split(","):
            rows = [judge(args.data, one, way, args.minutes, seed) for seed in range(args.seeds)]
            pairs = zip(np.mean(rows, 0), np.std(rows, 0), strict=True)
            cells = " | ".join(f"{mean:.4f} ± {sd:.4f}" for mean, sd in pairs)
            print(f"| {one} | {way} | {cells} |", flush=True)


def judge(data: Path, one: str, way: str, minutes: float, seed: int) -> list[float]:
    """Train one way on one set, and give its test figures."""
    with tempfile.TemporaryDirectory() as folder:
        cohort = SETS[one](data, Path(folder), seed)
        plan = WAYS[way](cohort, medclf.plan(cohort, minutes, seed), minutes)
        run = medclf.train(
            cohort, out=Path(folder) / "run", minutes=minutes, seed=seed, recipe=plan
        )
        return [run.scores[name]["value"] for name in NAMES]


def scratch(cohort: Cohort, plan: Plan, minutes: float) -> Plan:
    """Keep the plan."""
    return plan


def frozen(cohort: Cohort, plan: Plan, minutes: float) -> Plan:
    """Fit a logistic curve to features of the pretrained network."""
    return take_network(plan, cohort.task, READY, True, 0, minutes)


def tuned(cohort: Cohort, plan: Plan, minutes: float) -> Plan:
    """Let all of the pretrained network learn on."""
    changed = take_network(plan, cohort.task, READY, True, 10**9, 10**9)
    recipe = changed.recipe
    fit = replace(recipe.fit, epochs=0, batch=32)
    return replace(changed, recipe=replace(recipe, transfer=Transfer(decay=0.8), fit=fit))


def kermany(data: Path, folder: Path, seed: int) -> Cohort:
    """Read Kermany's X-rays, with the published test split."""
    images = data / "kermany_chest_xray" / "images.zip"
    return medclf.read_cohort(images, patient_pattern=PERSON)


def kermany_tenth(data: Path, folder: Path, seed: int) -> Cohort:
    """Keep a tenth of the training patients."""
    cohort = kermany(data, folder, seed)
    learnt = sorted({r.patient for r in cohort.records if r.split != "test"})
    rng = np.random.default_rng(seed)
    kept = set(rng.permutation(learnt)[: len(learnt) // 10])
    records = [r for r in cohort.records if r.split == "test" or r.patient in kept]
    return replace(cohort, records=tuple(records))


def ham(data: Path, folder: Path, seed: int) -> Cohort:
    """Read HAM10000; lesions are the patients, and the split is made by them."""
    table = pd.read_csv(data / "ham10000" / "HAM10000_metadata.csv")
    frame = pd.DataFrame(
        {"path": table.image_id + ".jpg", "label": table.dx, "patient": table.lesion_id}
    )
    frame.to_csv(folder / "exams.csv", index=False)
    images = data / "ham10000" / "images.zip"
    return medclf.read_cohort(folder / "exams.csv", images=images)


def ixi(data: Path, folder: Path, seed: int) -> Cohort:
    """Cut cubes about the largest structures of each brain; two subjects are the test split."""
    scans, marks = (sorted((data / "ixi10" / k).glob("*.nii.gz")) for k in ("nifti", "dlmuse"))
    labels = [np.asarray(nibabel.load(path).dataobj).astype(int) for path in marks]
    sizes = np.array([np.bincount(one.ravel(), minlength=256) for one in labels]).min(0)
    largest = np.argsort(sizes[1:])[::-1][:STRUCTURES] + 1
    left_out = set(np.random.default_rng(seed).permutation(len(scans))[:2])
    rows = []
    for number, path in enumerate(scans):
        values = np.pad(np.asarray(nibabel.load(path).dataobj, np.float32), EDGE)
        for structure in largest:
            middle = np.argwhere(labels[number] == structure).mean(0).round().astype(int) + EDGE
            for turn in range(4):  # jittered, as a detector would find them
                shift = np.random.default_rng([number, structure, turn]).integers(-2, 3, 3)
                low = middle + shift - EDGE // 2
                cube = values[tuple(slice(n, n + EDGE) for n in low)]
                name = f"{number}-{structure}-{turn}.npy"
                np.save(folder / name, cube)
                split = "test" if number in left_out else "train"
                rows.append((name, f"structure {structure}", f"subject {number}", split))
    frame = pd.DataFrame(rows, columns=["path", "label", "patient", "split"])
    frame.to_csv(folder / "exams.csv", index=False)
    return medclf.read_cohort(folder / "exams.csv")


SETS: dict[str, Callable[[Path, Path, int], Cohort]] = {
    "kermany10": kermany_tenth,
    "kermany": kermany,
    "ham": ham,
    "ixi": ixi,
}
WAYS: dict[str, Callable[[Cohort, Plan, float], Plan]] = {
    "scratch": scratch,
    "frozen": frozen,
    "tuned": tuned,
}


if __name__ == "__main__":
    main()
