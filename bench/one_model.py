"""One model of four data sets against a model for each: breast, two of the chest, and skin.

    python bench/one_model.py $MEDCLF_DATA --minutes 2 --seeds 3

BreastMNIST, PneumoniaMNIST, Kermany's chest X-rays and HAM10000 (by lesion) are joined by a list of
data sets. `own` trains the plan's method on each by itself, --minutes for each; `any_modality` one
model on all, for as long as the four took together, or --one-minutes; `shared` the same with norms
that all data sets share; `plain` the plan's method on the union of all classes, which knows nothing
of data sets. All judge the same test exams: those that the data state, and lesions dealt once for
all ways. The X-rays of PneumoniaMNIST are Kermany's, made small: both keep one test split, so that
no test image is learnt from, but Kermany's validation images, which are dealt, may be.

Prints Markdown: for each data set AUC (mean over its classes against the rest) and accuracy among
its own classes, mean ± sd over seeds; the interval of AUC by patient at the first seed; and how
often the data set of a test exam is recognised where nobody names it.
"""

import argparse
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

import medclf
from medclf.core.cohort import Cohort
from medclf.core.task import Task
from medclf.curate.split import split_cohort
from medclf.evaluate.narrow import narrow
from medclf.evaluate.scores import Scores, score
from medclf.evaluate.table import Predictions, read_predictions
from medclf.learn.exams import standardised
from medclf.learn.plan import Plan
from medclf.method.any_modality import AnyModality
from medclf.prepare.store import open_store
from medclf.verbs import TrainedRun

LIST = """
[breast]
data = "{data}/medmnist/breastmnist.npz"

[chest28]
data = "{data}/medmnist/pneumoniamnist.npz"

[chest]
data = "{data}/kermany_chest_xray/images.zip"
patient_pattern = '((?:train|test)/[A-Z]+/(?:person\\d+|NORMAL2-IM-\\d+|IM-\\d+))'

[skin]
data = "{data}/ham10000"
label = "dx"
patient = "lesion_id"
"""
WAYS = ("own", "plain", "shared", "any_modality")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=2.0, help="of each model of its own")
    parser.add_argument("--one-minutes", type=float, help="of one model; all four together")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--exams", type=int, default=0, help="of each set and split; 0 for all")
    args = parser.parse_args()
    found: dict[tuple[str, str], list[Scores]] = defaultdict(list)
    known: dict[str, list[float]] = defaultdict(list)
    for seed in range(args.seeds):
        cohort = read(args.data, seed, args.exams)
        for way in args.ways.split(","):
            minutes = args.minutes if way == "own" else args.one_minutes or 4 * args.minutes
            with tempfile.TemporaryDirectory() as folder:
                judge(cohort, way, minutes, seed, Path(folder), found, known)
            print(f"seed {seed}, {way}: done", flush=True)
    show(found, known)


def read(data: Path, seed: int, most: int) -> Cohort:
    """Read the four sets as one cohort, split; and keep some of its exams where so is said."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "sets.toml"
        place.write_text(LIST.format(data=data.absolute()))
        cohort = split_cohort(medclf.read_cohort(place), seed)
    if not most:
        return cohort
    order = np.random.default_rng(seed).permutation(len(cohort.records))
    taken: dict[tuple[object, str], int] = defaultdict(int)
    kept = []
    for record in (cohort.records[i] for i in order):
        part = (record.facts["dataset"], record.split)
        taken[part] += 1
        if taken[part] <= most:
            kept.append(record)
    return replace(cohort, records=tuple(kept))


def judge(
    cohort: Cohort,
    way: str,
    minutes: float,
    seed: int,
    folder: Path,
    found: dict[tuple[str, str], list[Scores]],
    known: dict[str, list[float]],
) -> None:
    """Train one way, and score its test exams by data set."""
    if way == "own":
        for name in names(cohort):
            run = train(alone(cohort, name), "", minutes, seed, folder / name)
            found[name, way].append(measure(run, tested(run)))
        return
    method = "" if way == "plain" else "any_modality"
    run = train(cohort, method, minutes, seed, folder / way, shared=way == "shared")
    judged = tested(run)
    for name in names(cohort):
        mask = np.array([word == name for word in judged.facts["dataset"]])
        part = judged.select(mask)
        found[name, way].append(measure(run, among(part) if way == "plain" else part))
    if way == "any_modality":
        for name, share in recognised(run, cohort).items():
            known[name].append(share)


def names(cohort: Cohort) -> list[str]:
    return list(dict.fromkeys(str(record.facts["dataset"]) for record in cohort.records))


def alone(cohort: Cohort, name: str) -> Cohort:
    """Take the exams of one set, with its classes."""
    classes = dict(cohort.task.sets)[name]
    place = {cohort.task.classes.index(word): k for k, word in enumerate(classes)}
    records = [record for record in cohort.records if record.facts["dataset"] == name]
    numbered = tuple(replace(r, label=place[int(str(r.label))]) for r in records)
    return replace(cohort, records=numbered, task=Task(classes))


def train(
    cohort: Cohort, method: str, minutes: float, seed: int, folder: Path, shared: bool = False
) -> TrainedRun:
    plan = medclf.plan(cohort, minutes, seed, method=method)
    if shared:
        how = replace(plan.recipe.method, options={"norms": "shared"})
        plan = Plan(replace(plan.recipe, method=how), plan.reasons)
    run: TrainedRun = medclf.train(cohort, folder, minutes=minutes, seed=seed, recipe=plan)
    return run


def tested(run: TrainedRun) -> Predictions:
    table = read_predictions(run.run.folder / "predictions.csv", run.run.task)
    return table.select(table.splits == "test")


def among(part: Predictions) -> Predictions:
    """Let a model that knows nothing of data sets choose among the classes of one, as ours does."""
    name = str(part.facts["dataset"][0])
    given = part.probabilities * part.task.among(name) + 1e-12 * np.array(part.task.among(name))
    return replace(part, probabilities=given / given.sum(1, keepdims=True))


def measure(run: TrainedRun, judged: Predictions) -> Scores:
    judged, decision = narrow(judged, run.trained.decision)
    return score(judged, decision, run.run.recipe.fit.seed, 1000)


def recognised(run: TrainedRun, cohort: Cohort) -> dict[str, float]:
    """Tell of each set how many of its test exams are recognised as of it by the first member."""
    trained, method = run.trained, run.trained.members[0]
    records = [record for record in cohort.records if record.split == "test"]
    store = open_store(records, trained.recipe.prepare)
    if not isinstance(method, AnyModality):
        return {}
    import torch

    exams = standardised(store, torch.empty(0), trained.values, trained.device)
    taken: list[str] = []
    with torch.inference_mode():
        for part in np.array_split(np.arange(len(records)), max(1, len(records) // 256)):
            shares = method.recognise(exams.views(part))
            taken += [method.domains[k] for k in shares.argmax(1).tolist()]
    sets = [str(record.facts["dataset"]) for record in records]
    return {
        name: float(np.mean([t == name for t, s in zip(taken, sets, strict=True) if s == name]))
        for name in names(cohort)
    }


def show(found: dict[tuple[str, str], list[Scores]], known: dict[str, list[float]]) -> None:
    print("\n| data | model | test AUC | first seed, 95 % | accuracy | recognised |")
    print("|---|---|---|---|---|---|")
    for (name, way), scores in sorted(found.items()):
        area, right = (spread(scores, figure) for figure in ("auc", "accuracy"))
        first = scores[0].figures["auc"]
        told = f"{np.mean(known[name]):.3f}" if way == "any_modality" else "–"
        interval = f"{first.low:.3f} to {first.high:.3f}"
        print(f"| {name} | {way} | {area} | {interval} | {right} | {told} |")


def spread(scores: list[Scores], figure: str) -> str:
    values = [one.figures[figure].value for one in scores]
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return f"{np.mean(values):.4f} ± {deviation:.4f}"


if __name__ == "__main__":
    main()
