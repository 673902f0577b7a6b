"""Several images of an exam: one answer from all of them against that from a single image.

    python bench/bags.py $MEDCLF_DATA --sets ham,covid --minutes 10 --seeds 3

HAM10000 by lesion (1 to 6 photographs), 7 classes; covid_chestxray by patient (X-rays and CT slices
over days), COVID-19 or not. Exams are dealt into the same splits for all ways. `single` learns from
each image with the label of its exam and judges the first image of an exam; `averaged` is the same
run, its answers averaged over the images; the others learn from whole exams: their mean, and bags
joined as --fuse names. Prints Markdown: AUC and accuracy, mean ± sd over seeds; the interval of AUC
by patient, and the difference of AUC from `single` with its interval, at the first seed.
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import medclf
from judged import Judged, show_ways
from medclf.core.cohort import Cohort
from medclf.curate.split import split_cohort
from medclf.evaluate.tabulate import tabulate
from medclf.learn.plan import Plan
from medclf.verbs import TrainedRun

NAMES = ("auc", "accuracy")
FEWEST = 10  # exams of each class, where some are kept by chance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--fuse", default="mean,attention,gated_attention")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--exams", type=int, default=0, help="by chance; 0 for all")
    args = parser.parse_args()
    for one in args.sets.split(","):
        found: dict[str, list[Judged]] = defaultdict(list)
        for seed in range(args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                cohort = keep(SETS[one](args.data, Path(folder)), args.exams, seed)
                fuse = args.fuse.split(",")
                for name, judged in judge(cohort, Path(folder), fuse, args.minutes, seed):
                    found[name].append(judged)
                    area = judged[1].figures["auc"].value
                    print(f"{one}, seed {seed}, {name}: AUC {area:.4f}", flush=True)
        show(one, found)


def ham(data: Path, folder: Path) -> Cohort:
    """Read HAM10000, an exam for each lesion."""
    table = pd.read_csv(data / "ham10000" / "HAM10000_metadata.csv")
    frame = pd.DataFrame({"path": table.image_id, "label": table.dx, "exam": table.lesion_id})
    return by_exam(frame, folder, data / "ham10000" / "images.zip")


def covid(data: Path, folder: Path) -> Cohort:
    """Read covid_chestxray, an exam for each patient whose images have one label."""
    table = pd.read_csv(data / "covid_chestxray" / "metadata.csv", dtype={"patientid": str})
    label = np.where(table.finding.str.contains("COVID-19"), "COVID-19", "no COVID-19")
    frame = pd.DataFrame({"path": table.kept_file, "label": label, "exam": table.patientid})
    frame = frame[frame.path.notna() & table.finding.notna()]
    frame = frame.drop_duplicates("path")  # five images stand in several rows
    alike = frame.groupby("exam").label.transform("nunique") == 1
    return by_exam(frame[alike], folder, data / "covid_chestxray" / "images.zip")


SETS: dict[str, Callable[[Path, Path], Cohort]] = {"ham": ham, "covid": covid}


def by_exam(frame: pd.DataFrame, folder: Path, images: Path) -> Cohort:
    frame.assign(patient=frame.exam).to_csv(folder / "exams.csv", index=False)
    return medclf.read_cohort(folder / "exams.csv", images=images, exam="exam", patient="patient")


def keep(cohort: Cohort, exams: int, seed: int) -> Cohort:
    """Keep some of the exams, and deal them into splits that hold for all ways."""
    mixed = np.random.default_rng(seed).permutation(len(cohort.records))
    chosen = set(mixed[: exams or None].tolist())
    for label in range(len(cohort.task.classes)):  # so that each split has some
        chosen |= set([i for i in mixed.tolist() if cohort.records[i].label == label][:FEWEST])
    records = tuple(cohort.records[i] for i in sorted(chosen))
    return split_cohort(replace(cohort, records=records), seed)


def judge(
    cohort: Cohort, folder: Path, fuse: list[str], minutes: float, seed: int
) -> list[tuple[str, Judged]]:
    """Train each way, and judge the test exams."""
    alone = apart(cohort)
    run = medclf.train(alone, folder / "single", minutes, seed, medclf.plan(alone, minutes, seed))
    found = [(name, judged) for name, judged in judge_images(run, alone, cohort)]
    plan = medclf.plan(cohort, minutes, seed, method="exam_bag")
    ways = {"whole exams, mean of answers": with_method(plan, "whole_image")}
    ways |= {f"bag, {name}": with_method(plan, "exam_bag", fuse=name) for name in fuse}
    for number, (name, recipe) in enumerate(ways.items()):
        run = medclf.train(cohort, folder / str(number), minutes, seed, recipe)
        judged = run.judge(cohort)
        found.append((name, (judged, run.measure(judged))))
    return found


def with_method(plan: Plan, name: str, **options: str) -> Plan:
    method = replace(plan.recipe.method, name=name, options=options)
    return replace(plan, recipe=replace(plan.recipe, method=method))


def apart(cohort: Cohort) -> Cohort:
    """Make each image an exam of its own, bound by the patient."""
    records = [
        replace(record, name=f"{record.name}#{place}", images={"image": source})
        for record in cohort.records
        for place, source in enumerate(record.images.values())
    ]
    return replace(cohort, records=tuple(records))


def judge_images(run: TrainedRun, alone: Cohort, cohort: Cohort) -> list[tuple[str, Judged]]:
    """Judge the test exams by their first image, and by the mean over their images."""
    judged = run.judge(alone)
    shares = dict(zip(judged.exams.tolist(), judged.probabilities, strict=True))
    tests = tuple(r for r in cohort.records if r.split == "test")
    each = []
    for record in tests:
        names = (f"{record.name}#{place}" for place in range(len(record.images)))
        each.append(np.stack([shares[name] for name in names if name in shares]))
    tested, found = replace(cohort, records=tests), []
    for name, values in (
        ("single", np.stack([one[0] for one in each])),
        ("averaged", np.stack([one.mean(0) for one in each])),
    ):
        table = tabulate(tested, np.arange(len(tests)), values, np.zeros_like(values))
        found.append((name, (table, run.measure(table))))
    return found


def show(one: str, found: dict[str, list[Judged]]) -> None:
    """Print the table of a set."""
    print(
        f"\n| {one} | AUC | interval | accuracy | AUC less that of single |\n|---|---|---|---|---|"
    )
    show_ways(found, NAMES, "single")


if __name__ == "__main__":
    main()
