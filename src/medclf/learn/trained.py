"""A trained committee: what a run's folder holds, ready to judge new exams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medclf.core.prediction import Prediction
from medclf.core.task import Task
from medclf.errors import RunError
from medclf.evaluate.calibrate import Calibration
from medclf.evaluate.threshold import Decision
from medclf.learn.committee import at_once, build_method, side_by_side
from medclf.learn.device import pick_device
from medclf.learn.exams import standardised
from medclf.learn.keep import load_kept
from medclf.learn.loop import Indices, judge, judge_views
from medclf.learn.recipe import Recipe
from medclf.learn.run import Run
from medclf.method.contract import Method
from medclf.prepare.store import Rows, first_images

Kept = TypeVar("Kept")
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """The members of a run, and how their answer is calibrated and decided on.

    Args:
        recipe: Of the run.
        task: Of the run.
        members: In use: they average shifted copies where the recipe says so.
        values: Mean, deviation, and the usual range of an exam's mean, as training saw them.
        calibration: From validation.
        decision: From validation.
        device: Where the members are.
    """

    recipe: Recipe
    task: Task
    members: tuple[Method, ...]
    values: dict[str, list[float]]
    calibration: Calibration
    decision: Decision
    device: torch.device

    def judge_each(
        self, rows: Rows, chosen: Sequence[Indices], facts: Tensor | None = None
    ) -> list[tuple[Shares, Shares]]:
        """Let every member judge exams of its own, uncalibrated.

        Args:
            rows: Their images.
            facts: What is known of the patients, as `encode_facts` gives it.
            chosen: Numbers of exams, for each member.

        Returns:
            For each member the probabilities and their spread over the copies, both (N, K).
        """
        exams = standardised(rows, torch.empty(0), self.values, self.device, facts)

        def work(number: int) -> tuple[Shares, Shares]:
            mean, spread = judge(self.members[number], exams, chosen[number], self.recipe.fit)
            return mean.numpy().astype(np.float64), spread.numpy().astype(np.float64)

        return side_by_side(work, len(self.members), at_once(self.recipe, self.device))

    def probabilities(
        self, rows: Rows, indices: Indices, facts: Tensor | None = None
    ) -> tuple[Shares, Shares]:
        """Judge exams by all members: calibrated probabilities and their spread, (N, K) each."""
        return self._join(self.judge_each(rows, [indices] * len(self.members), facts))

    def _join(self, judged: Sequence[tuple[Shares, Shares]]) -> tuple[Shares, Shares]:
        """Join what members say, (N, K) twice each, to what the committee does."""
        means, spreads = (np.stack(part) for part in zip(*judged, strict=True))
        spread = np.sqrt(means.var(0) + (spreads**2).mean(0))
        return self.calibration.mend(self.task, means.mean(0)), spread

    def predict(
        self,
        names: Sequence[str],
        rows: Rows,
        facts: Tensor | None = None,
        warnings: Sequence[tuple[str, ...]] = (),
    ) -> tuple[list[Prediction], Shares]:
        """Predict prepared exams, and tell what each of their views did, as `weigh` does.

        Args:
            names: One per exam.
            rows: Their images, as `prepare_image` gives them for the recipe.
            facts: What is known of the patients, as `encode_facts` gives it.
            warnings: What is doubtful of each exam already.
        """
        shares, spreads, each = self.weigh(rows, facts)
        decided = self.decision.decide(shares)
        found = [
            Prediction(
                name,
                tuple(shares[i].tolist()),
                tuple(spreads[i].tolist()),
                self.task.names(decided[i]),
                (*(warnings[i] if warnings else ()), *self._warnings(rows, i)),
            )
            for i, name in enumerate(names)
        ]
        return found, each

    def weigh(self, rows: Rows, facts: Tensor | None = None) -> tuple[Shares, Shares, Shares]:
        """Judge all exams, and tell what each view does to its answer, as `Method.weigh` does.

        Returns:
            Calibrated probabilities and their spread, (N, K) each, and what views do, calibrated:
            (N, V, K), the views of the first image first. Where they have no names
            (`Look.names`), those of an image are averaged: (N, I, K).
        """
        exams = standardised(rows, torch.empty(0), self.values, self.device, facts)
        images = rows.images

        def work(number: int) -> list[Shares]:
            judged = judge_views(
                self.members[number], exams, np.arange(len(images)), self.recipe.fit
            )
            return [part.numpy().astype(np.float64) for part in judged]

        judged = side_by_side(work, len(self.members), at_once(self.recipe, self.device))
        shares, spread = self._join([(mean, deviation) for mean, deviation, _ in judged])
        each = np.mean([views for *_, views in judged], axis=0)
        if not self.members[0].seen.names:
            each = each.reshape(*images.shape, -1, each.shape[-1]).mean(2)
        there = np.isfinite(each).all(-1)
        each[there] = self.calibration.mend(self.task, each[there])
        return shares, spread, each

    def _warnings(self, rows: Rows, exam: int) -> tuple[str, ...]:
        low, high = self.values["range"]
        mean = float(first_images(rows, np.array([exam])).astype(np.float32).mean())
        if low <= mean <= high:
            return ()
        return (
            f"the image's mean value {mean:.3g} lies outside {low:.3g} to {high:.3g}, "
            "where the training images lie",
        )


@dataclass(frozen=True)
class Held:
    """Prepared images in memory.

    Args:
        values: (N, C, *size).
        table: Which of them are an exam's, as `Rows.images` tells; `None`: one each.
    """

    values: NDArray[np.generic]
    table: Indices | None = None

    @property
    def images(self) -> Indices:
        """Which images are an exam's."""
        return np.arange(len(self.values))[:, None] if self.table is None else self.table

    def batch(self, indices: Indices) -> NDArray[np.generic]:
        """Take images by number."""
        return self.values[indices]


def load_trained(run: Run) -> Trained:
    """Load the members of a run that has come to its end.

    Raises:
        RunError: the run is not done, or its weights are damaged or of another network.
    """
    if not run.done:
        raise RunError(
            f"{run.folder}: a trained run wanted, found one that was cut short; "
            "go on with medclf train --resume"
        )
    trained = assemble(run)
    load_kept(run.weights, trained.members)
    return trained


def assemble(run: Run) -> Trained:
    """Build the members of a run with fresh weights, and its calibration and decision."""
    device = pick_device()
    build = range(run.recipe.fit.members)
    members = [build_method(run.recipe, run.task, i, device, in_use=True).eval() for i in build]
    facts = run.facts
    return Trained(
        run.recipe,
        run.task,
        tuple(members),
        dict(facts["values"]),
        *read_choices(run),
        device,
    )


def read_choices(run: Run) -> tuple[Calibration, Decision]:
    """Take what a run chose on validation; nothing is changed where it has not come so far."""
    return (
        _tuples(Calibration, run.facts.get("calibration", {})),
        _tuples(Decision, run.facts.get("decision", {})),
    )


def _tuples(kind: type[Kept], values: Mapping[str, Any]) -> Kept:
    """Make a dataclass from JSON, which knows lists where we keep tuples."""
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
