"""Ways to learn X-rays whose brightness and sharpness give the class away, judged where they lie.

    python bench/shifted.py $MEDCLF_DATA --minutes 1 --folds 2

Kermany's training patients alone, in four folds; the published test split stays shut. Boosted trees
see nothing but corners, frame, light and sharpness of an image. The quarter of the normal images
that look most ill to them, and of the ill that look most normal, are the hard cases: there a
network that learnt the same cues errs. Prints rows of Markdown, one for each way and fold.
"""

import argparse
import io
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

import medclf
from medclf.evaluate.table import read_predictions
from medclf.learn.recipe import Recipe

FOLDS, VALIDATION, HARD = 4, 6, 0.25
WAYS: dict[str, dict[str, dict[str, object]]] = {
    "the plan's own": {},
    "z-scores": {"prepare": {"intensity": "zscore"}},
    "percentiles": {"prepare": {"intensity": "percentile"}},
    "more light": {"augment": {"brightness": 0.5, "contrast": 0.5}},
    "noise": {"augment": {"noise": 0.05}},
    "more stretch": {"augment": {"scale": 0.3, "shear": 0.1}},
    "96 pixels": {"prepare": {"size": (96, 96)}},
    "64 pixels": {"prepare": {"size": (64, 64)}},
    "44 pixels": {"prepare": {"size": (44, 44)}},
}

Array = NDArray[np.float32]


def read_training(data: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.str_]]:
    """Read images (N, 224, 224), whether each is ill, and the patient of each."""
    with ZipFile(data / "kermany_chest_xray" / "images.zip") as archive:
        names = [name for name in archive.namelist() if re.match(r"train/.*\.jpeg", name)]
        opened = (Image.open(io.BytesIO(archive.read(name))).convert("L") for name in names)
        images = np.stack([np.asarray(image) for image in opened])
    ill = np.array(["PNEUMONIA" in name for name in names], np.int64)
    patient = np.array([re.findall(r"person\d+|IM-\d+", name)[0] for name in names])
    return images, ill, patient


def measure_cues(images: Array) -> Array:
    """Give corners, frame, light and sharpness of each image: (N, Y, X) -> (N, 17)."""
    edge, rim = 24, 12
    corners = [images[:, y, x].mean((1, 2)) for y in _ends(edge) for x in _ends(edge)]
    frame = [images[:, y].mean((1, 2)) for y in _ends(rim)]
    frame += [images[:, :, x].mean((1, 2)) for x in _ends(rim)]
    levels = np.percentile(images.reshape(len(images), -1), (1, 25, 50, 75, 99), axis=1)
    light = [images.mean((1, 2)), images.std((1, 2)), *levels]
    sharpness = [np.abs(np.diff(images, axis=axis)).mean((1, 2)) for axis in (1, 2)]
    return np.stack(corners + frame + light + sharpness, 1)


def _ends(size: int) -> tuple[slice, slice]:
    return slice(None, size), slice(-size, None)


def change(recipe: Recipe, way: dict[str, dict[str, object]]) -> Recipe:
    """Change settings of a recipe, by table and key."""
    tables = {table: replace(getattr(recipe, table), **keys) for table, keys in way.items()}
    return replace(recipe, **tables)


def judge(path: Path, way: str, minutes: float, seed: int) -> NDArray[np.float64]:
    """Train on a data file and give the probability of illness of each test image."""
    with tempfile.TemporaryDirectory() as place:
        recipe = medclf.plan(medclf.read_cohort(path), minutes=minutes).recipe
        out = Path(place) / "run"
        recipe = change(recipe, WAYS[way])
        run = medclf.train(path, out=out, minutes=minutes, seed=seed, recipe=recipe)
        found = read_predictions(out / "predictions.csv", run.trained.task)
    chance: NDArray[np.float64] = found.probabilities[found.splits == "test", 1]
    return chance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--folds", type=int, default=FOLDS, help="of four")
    parser.add_argument("--ways", default=";".join(WAYS), help="separated by semicolons")
    args = parser.parse_args()
    images, ill, patient = read_training(args.data)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=1)
    cues, trees = measure_cues(images.astype(np.float32)), HistGradientBoostingClassifier()
    dealt = {"groups": patient, "cv": folds, "method": "predict_proba"}
    told = cross_val_predict(trees, cues, ill, **dealt)[:, 1]
    print(f"cues alone: AUC {roc_auc_score(ill, told):.3f}", flush=True)
    print("| way | fold | AUC | accuracy | hard AUC | hard log loss | hard specificity |")
    print("|---|---|---|---|---|---|---|")
    for fold, (rest, held) in enumerate(folds.split(images, ill, patient)):
        if fold == args.folds:
            break
        inner = StratifiedGroupKFold(VALIDATION, shuffle=True, random_state=2)
        learn, choose = next(inner.split(images[rest], ill[rest], patient[rest]))
        parts = {"train": rest[learn], "val": rest[choose], "test": held}
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "fold.npz"
            arrays = {f"{name}_images": images[of] for name, of in parts.items()}
            labels = {f"{name}_labels": ill[of, None] for name, of in parts.items()}
            np.savez(path, **arrays, **labels)
            for way in args.ways.split(";"):
                chance = judge(path, way, args.minutes, fold)
                print(f"| {way} | {fold} | {row(ill[held], chance, told[held])} |", flush=True)


def row(ill: NDArray[np.int64], chance: NDArray[np.float64], told: NDArray[np.float64]) -> str:
    """Give the cells of a row: of all held-out images, and of the hard ones among them."""
    well = ill == 0
    normal = well & (told >= np.quantile(told[well], 1 - HARD))
    hard = normal | (~well & (told <= np.quantile(told[~well], HARD)))
    cells = (
        roc_auc_score(ill, chance),
        ((chance > 0.5) == ill).mean(),
        roc_auc_score(ill[hard], chance[hard]),
        log_loss(ill[hard], chance[hard]),
        (chance[normal] <= 0.5).mean(),
    )
    return " | ".join(f"{cell:.4f}" for cell in cells)


if __name__ == "__main__":
    main()
