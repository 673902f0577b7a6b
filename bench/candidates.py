"""How hard the candidates of the phantom chests are: from one plane, and from three.

    python bench/candidates.py OUT --patients 10 --nodules 22 --lookalikes 34

Makes the cohort in OUT unless it is there. Features of 23 x 23 voxels about each mark (rings of
brightness and of gradient, and gradients by direction in nine cells) go to extremely randomised
trees; five folds by patient. Prints rows of Markdown: AUC, mean and deviation over seeds of the
trees.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from medclf.core.cohort import Cohort
from medclf.curate.cohort import read_cohort
from medclf.curate.phantom.chest.cohort import make_chests
from medclf.read.image import read_image

HALF = 11
RINGS = (0, 1.5, 3, 4.5, 6, 8, 11)
LOW_HU, HIGH_HU = -1000, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patients", type=int, default=10)
    parser.add_argument("--nodules", type=float, default=22)
    parser.add_argument("--lookalikes", type=int, default=34)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trees", type=int, default=3, help="seeds of the trees")
    args = parser.parse_args()
    records = make(args.out, args.patients, args.nodules, args.lookalikes, args.seed).records
    planes = cut_planes(records)
    labels = np.array([record.label for record in records])
    patients = [record.patient for record in records]
    each = [describe(planes[:, axis]) for axis in range(3)]
    print(f"{len(labels)} candidates, {labels.sum()} nodules, {len(set(patients))} patients")
    print("| seen | AUC |")
    print("|---|---|")
    for name, seen in (("one axial plane", each[0]), ("three planes", np.hstack(each))):
        scores = []
        for seed in range(args.trees):
            trees = ExtraTreesClassifier(400, min_samples_leaf=2, random_state=seed)
            folds = {"groups": patients, "cv": GroupKFold(5), "method": "predict_proba"}
            judged = cross_val_predict(trees, seen, labels, **folds)[:, 1]
            scores.append(roc_auc_score(labels, judged))
        print(f"| {name} | {np.mean(scores):.3f} ± {np.std(scores):.3f} |")


def make(
    out: Path, patients: int, nodules: float = 22, lookalikes: int = 34, seed: int = 0
) -> Cohort:
    """Make the phantoms unless they are there, and read the table of candidates."""
    if not out.exists():
        make_chests(out, patients, seed, nodules=nodules, lookalikes=lookalikes)
    return read_cohort(out / "cohort.csv")


def cut_planes(records) -> np.ndarray:
    """Cut the axial, coronal and sagittal plane about each mark, (N, 3, Y, X), 0 to 1."""
    planes, path = [], None
    for record in records:
        source = record.images["image"]
        if source.path != path:
            path, image = source.path, read_image(source)
            shown = (image.values[0] - np.float32(LOW_HU)) / (HIGH_HU - LOW_HU)
            padded = np.pad(shown.clip(0, 1), HALF, mode="edge")
        at = np.rint(image.grid.from_mm(np.array(source.point.at))).astype(int)
        z, y, x = (slice(n, n + 2 * HALF + 1) for n in at)
        cube = padded[z, y, x]
        planes.append([cube[HALF], cube[:, HALF], cube[:, :, HALF]])
    return np.array(planes)


def describe(planes: np.ndarray) -> np.ndarray:
    """Describe planes (N, Y, X) by rings about the middle and by directions of gradients."""
    up, across = np.gradient(planes, axis=(1, 2))
    strength, angle = np.hypot(up, across), np.arctan2(up, across) % (2 * np.pi)
    y, x = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1]
    reach = np.hypot(y, x)
    outward = (across * x + up * y) / np.maximum(reach, 1e-3)
    told = []
    for low, high in pairwise(RINGS):
        ring = (reach >= low) & (reach < high)
        bright, steep = planes[:, ring], outward[:, ring]
        told += [
            bright.mean(1),
            bright.std(1),
            bright.max(1),
            bright.min(1),
            (bright > 0.6).mean(1),
        ]
        told += [steep.mean(1), steep.std(1)]
    eighth = (angle / (2 * np.pi) * 8).astype(int) % 8
    for row in (2, 8, 14):
        for column in (2, 8, 14):
            cell = slice(None), slice(row, row + 7), slice(column, column + 7)
            told += [(strength[cell] * (eighth[cell] == n)).sum((1, 2)) for n in range(8)]
    return np.column_stack(told)


if __name__ == "__main__":
    main()
