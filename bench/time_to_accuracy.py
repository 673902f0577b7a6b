"""Time to published accuracy: CPU-seconds of training, the published recipe against ours.

    python bench/time_to_accuracy.py $MEDCLF_DATA/medmnist/pneumoniamnist.npz --minutes 0.1

In one process, alternating: a piece of the published recipe's epoch is timed, then our training
with its own plan runs, for each seed. Two ratios are told. The first holds the whole published
recipe (100 epochs, three splits scored after each) against ours. The second is the fair one: the
published recipe with its schedule scaled to 1, 2, 3 … epochs, until it first reaches its own
published AUC on the test split. scikit-learn's PCA and boosting stands beside them.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

import medclf
from published import ACCURACY, AUC, Published

EPOCHS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=0.1, help="budget of our training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6, help="timed steps of the published epoch")
    parser.add_argument("--most", type=int, default=4, help="epochs of the scaled schedule tried")
    args = parser.parse_args()
    name = args.data.stem.split("_")[0]
    whole, ours = [], []
    for seed in range(100, 100 + args.seeds):
        whole.append(time_published(args.data, seed, args.steps))
        ours.append(time_ours(args.data, seed, args.minutes))
        print(
            f"seed {seed}: published recipe {whole[-1]:,.0f} CPU-s; ours {ours[-1][0]:.1f} CPU-s, "
            f"{ours[-1][1]:.1f} s wall, AUC {ours[-1][2]:.4f}, accuracy {ours[-1][3]:.4f}",
            flush=True,
        )
    cpu, wall, auc, accuracy = np.mean(ours, 0)
    print(
        f"{name}: published {AUC[name]} / {ACCURACY[name]}; ours AUC {auc:.4f} ± "
        f"{np.std(ours, 0)[2]:.4f}, accuracy {accuracy:.4f} in {cpu:.1f} CPU-s, {wall:.1f} s wall"
    )
    print(f"whole recipe {np.mean(whole):,.0f} CPU-s: {np.mean(whole) / cpu:,.0f} times ours")
    print(
        "PCA and boosting: CPU-s {:.1f}, AUC {:.4f}, accuracy {:.4f}".format(*classical(args.data))
    )
    if args.most:
        fair = first_reaches(args.data, AUC[name], args.most)
        if fair is not None:
            print(f"first reaches its AUC in {fair:,.0f} CPU-s: {fair / cpu:,.0f} times ours")


def time_published(path: Path, seed: int, steps: int) -> float:
    """CPU-seconds of the whole published recipe, from some steps of training and of scoring."""
    recipe = Published(path, EPOCHS, seed)
    recipe.train_epoch(1)
    start = time.process_time()
    done = recipe.train_epoch(steps)
    step = (time.process_time() - start) / done
    start = time.process_time()
    recipe.score("val")
    each = (time.process_time() - start) / len(recipe.sets["val"])
    exams = sum(len(images) for images in recipe.sets.values())
    steps_of_epoch = -(-len(recipe.sets["train"]) // 128)
    return EPOCHS * (steps_of_epoch * step + exams * each)


def time_ours(path: Path, seed: int, minutes: float) -> tuple[float, float, float, float]:
    """CPU-seconds and wall clock of our training, with its AUC and accuracy on test.

    Training is all from the first timed step to the last epoch, with its trial and validation.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = medclf.train(path, out=folder, minutes=minutes, seed=seed)
        spent, scores = run.run.facts["spent"], run.scores
    found = [scores[name]["value"] for name in ("auc", "accuracy")]
    return spent["cpu_seconds"], spent["seconds"], found[0], found[1]


def first_reaches(path: Path, wanted: float, most: int) -> float | None:
    """CPU-seconds of the shortest scaled published schedule that reaches its published AUC."""
    for epochs in range(1, most + 1):
        start = time.process_time()
        recipe = Published(path, epochs, 100)
        best = (0.0, 0.0)
        for _ in range(epochs):
            recipe.train_epoch()
            recipe.score("train")
            best = max(best, (recipe.score("val")[0], recipe.score("test")[0]))
        spent = time.process_time() - start
        print(
            f"published recipe over {epochs} epochs: AUC {best[1]:.4f}, {spent:,.0f} CPU-s",
            flush=True,
        )
        if best[1] >= wanted:
            return spent
    return None


def classical(path: Path) -> tuple[float, float, float]:
    """CPU-seconds, AUC and accuracy of PCA with gradient boosting."""
    with np.load(path) as packed:
        parts = {s: packed[f"{s}_images"] for s in ("train", "val", "test")}
        labels = {s: packed[f"{s}_labels"].ravel() for s in ("train", "val", "test")}
    flat = {s: values.reshape(len(values), -1).astype(np.float32) for s, values in parts.items()}
    start = time.process_time()
    model = make_pipeline(PCA(50, random_state=0), HistGradientBoostingClassifier(random_state=0))
    model.fit(flat["train"], labels["train"])
    spent = time.process_time() - start
    shares = model.predict_proba(flat["test"])[:, 1]
    right = (shares >= 0.5) == labels["test"]
    return spent, float(roc_auc_score(labels["test"], shares)), float(right.mean())


if __name__ == "__main__":
    main()
