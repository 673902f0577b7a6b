"""Count how often nominal 95 % intervals hold the truth, over thousands of simulated studies.

Run: python bench/coverage.py (3 minutes on two cores). Expected, over plans of common classes:
AUC, accuracy, balanced accuracy, average precision, F1, sensitivity, specificity and precision are
covered in 94.5 to 96 of 100 studies, and each alone in 93 to 97 but for the noise of the
simulation; an area of .95 or .99 from 50 patients in 96 to 98; log loss and Brier score in 92 to
99. With a rare class areas are covered in 94.5 to 98. A calibration error is bounded with caution,
in 97 or more.

Each study draws patients with a latent score that is normal in each class; with several exams (1
to 5) half of its variance is the patient's own, and all exams of a patient have one label. The
truth is the score of a sample of half a million. Beside our interval stand the percentiles of the
bootstrap. A study that lacks a class says nothing of the scores that need it. 400 studies know a
coverage of .95 to within .02; the last tables pool plans whose classes are common, and those with
one that 5 to 20 patients hold.
"""

import argparse
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from medclf.core.task import Task
from medclf.evaluate.bootstrap import patient_weights
from medclf.evaluate.figures import find_figures
from medclf.evaluate.measure import Measure
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision

TRUTH_PATIENTS = 500_000


@dataclass(frozen=True)
class Study:
    """A population, and how many patients are drawn from it.

    Args:
        patients: Patients of one study.
        clustered: Whether a patient has 1 to 5 exams, or just one.
        area: True area under the ROC curve of two classes; of neighbouring grades with more.
        shares: Of the classes.
    """

    patients: int
    clustered: bool
    area: float
    shares: tuple[float, ...] = (0.6, 0.4)

    @property
    def task(self) -> Task:
        names = tuple(f"grade {k}" for k in range(len(self.shares)))
        return Task(names, "exclusive" if len(names) == 2 else "ranked")

    @property
    def decision(self) -> Decision:
        return Decision((0.5,) if len(self.shares) == 2 else ())

    def draw(self, rng: np.random.Generator, patients: int) -> Predictions:
        exams = rng.integers(1, 6, patients) if self.clustered else np.ones(patients, np.int64)
        whose = np.repeat(np.arange(patients), exams)
        target = rng.choice(len(self.shares), patients, p=self.shares)[whose]
        noise = rng.standard_normal(len(whose))
        if self.clustered:
            own = rng.standard_normal(patients)[whose]
            noise = np.sqrt(0.5) * own + np.sqrt(0.5) * noise
        p = self._chances(np.sqrt(2) * ndtri(self.area) * target + noise)
        empty = np.full(len(whose), "")
        names = np.arange(len(whose)).astype(str)
        return Predictions(self.task, names, whose.astype(str), empty, target, p, np.zeros_like(p))

    def _chances(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a model would say that knows the population, were it a little too sure."""
        middles = np.sqrt(2) * ndtri(self.area) * np.arange(len(self.shares))
        likely = np.log(self.shares) - np.square(score[:, None] - middles) / 2
        return Task(self.task.classes).probabilities(1.2 * likely)


def simulate(study: Study, studies: int, resamples: int, seed: int) -> dict[str, list[float]]:
    """Count by score: truth, then our coverage, misses below and above, width; the bootstrap's."""
    rng = np.random.default_rng(seed)
    truth = Measure(study.draw(rng, TRUTH_PATIENTS), study.decision)().whole
    rows = defaultdict(list)
    for number in range(studies):
        predictions = study.draw(rng, study.patients)
        measure = Measure(predictions, study.decision)
        figures = find_figures(predictions, study.decision, number, resamples).whole
        weights = patient_weights(predictions.patients, measure.strata, resamples, number)
        drawn = [measure(w).whole for w in weights]
        for name, figure in figures.items():
            if not np.isfinite(figure.value):
                continue
            true = float(truth[name])
            low, high = np.nanquantile(np.concatenate([d[name] for d in drawn]), (0.025, 0.975))
            inside = figure.low <= true <= figure.high
            row = (inside, true < figure.low, true > figure.high, figure.high - figure.low)
            rows[name].append((true, *row, low <= true <= high))
    return {name: np.mean(found, 0).tolist() for name, found in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=300)
    given = parser.parse_args()
    plans = [Study(n, c, a) for n in (50, 150, 600) for c in (False, True) for a in (0.85, 0.95)]
    plans += [Study(50, c, 0.99) for c in (False, True)]
    grades = (0.4, 0.3, 0.2, 0.1)
    plans += [Study(n, c, 0.85, grades) for n in (150, 600) for c in (False, True)]
    rare = [
        Study(few + many, clustered, area, (many / (few + many), few / (few + many)))
        for few, many, area in ((5, 200, 0.95), (8, 400, 0.9), (10, 200, 0.95), (20, 400, 0.95))
        for clustered in (False, True)
    ]
    heads = ("truth", "covered", "truth below", "truth above", "width", "percentiles")
    with ProcessPoolExecutor() as pool:
        jobs = {
            plan: pool.submit(
                simulate, plan, min(given.studies, 180_000 // plan.patients), given.resamples, i
            )
            for i, plan in enumerate([*plans, *rare])
        }
        common, uncommon = defaultdict(list), defaultdict(list)
        for plan, job in jobs.items():
            exams = "1 to 5 exams each" if plan.clustered else "1 exam each"
            fewest = f"about {min(plan.shares) * plan.patients:.0f} of the rarest"
            print(
                f"\n{plan.patients} patients, {exams}, {len(plan.shares)} classes, {fewest}, "
                f"{plan.area:g}"
            )
            print(f"{'':18}" + "".join(f"{head:>13}" for head in heads))
            for name, row in job.result().items():
                print(f"{name:18}" + "".join(f"{value:13.3f}" for value in row), flush=True)
                (uncommon if plan in rare else common)[name].append((row[1], row[-1]))
    show("common classes", common)
    show("a rare class", uncommon)


def show(title: str, pooled: dict[str, list[tuple[float, float]]]) -> None:
    """Print the mean over plans: our coverage, that of its lowest and highest, the percentiles'."""
    print(f"\n{title:18}{'covered':>13}{'lowest':>13}{'highest':>13}{'percentiles':>13}")
    for name, rows in pooled.items():
        ours, theirs = np.array(rows).T
        values = (ours.mean(), ours.min(), ours.max(), theirs.mean())
        print(f"{name:18}" + "".join(f"{value:13.3f}" for value in values))


if __name__ == "__main__":
    main()
