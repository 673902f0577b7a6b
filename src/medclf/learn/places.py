"""Networks that find landmarks learn, and are used: the loop and the folder of any other training.

Members learn one after the other, each from all training exams. The log tells their mean error on
validation exams. Few volumes would make an epoch of a step or two; so an epoch sees them several
times, each time changed by chance. From which score on a landmark counts as found is chosen on
validation, so that those that are missing or lie elsewhere fall below it, as systems choose it.
"""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from medclf.core.memory import keep_memory
from medclf.core.plain import from_plain, to_plain
from medclf.core.whole import write_whole
from medclf.errors import CohortError, RunError, SettingError
from medclf.evaluate.distances import Placed, hold_samples
from medclf.learn.committee import WEIGHTS, Part, train_committee
from medclf.learn.device import pick_device
from medclf.learn.exams import Exams, measure_values, standardised
from medclf.learn.keep import WEIGHTS as KEPT
from medclf.learn.keep import Keeper, Tell, load_kept, save_kept, take_up
from medclf.learn.loop import Indices, judge
from medclf.learn.member import Member, seeded
from medclf.learn.settings import Fit
from medclf.learn.settle import settle, time_steps
from medclf.learn.trained import Held
from medclf.locate.sought import Sought
from medclf.locate.ways import build_way
from medclf.method.contract import Learner
from medclf.prepare.store import Rows

FACTS = "places.json"
STEPS = 20
"""Steps of an epoch at least."""

SAMPLES, SMALLEST_BATCH, LARGEST_BATCH = 1 << 20, 2, 32
"""Samples of the images of a batch, about, and the images of it."""

TRAINING = 0.94
"""Share of the seconds after which no further epoch begins."""

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Facts:
    """What is known of a training; `places.json` keeps it.

    Args:
        sought: What is looked for.
        fit: How it learns.
        values: What standardises images.
        threshold: From which score on a landmark counts as found, by `Placed.threshold`; `None`
            while it learns.
        errors: Of each landmark on validation: mean distance in mm, or in samples where the
            spacing is not known; `None` where no validation exam has it.
    """

    sought: Sought
    fit: Fit
    values: Mapping[str, tuple[float, ...]]
    threshold: float | None = None
    errors: tuple[float | None, ...] = ()


@dataclass(frozen=True, eq=False)
class Finder:
    """Networks that find landmarks in prepared images.

    Args:
        facts: What is known of them.
        members: Trained, on their device; their places are averaged, each by how sure it is.
        device: Where they are.
    """

    facts: Facts
    members: tuple[Learner, ...]
    device: torch.device

    def locate(self, values: NDArray[np.generic]) -> tuple[Numbers, Numbers]:
        """Find the landmarks of one image.

        Args:
            values: (C, *size), prepared as those of training were.

        Returns:
            Places in samples, (L, axes), and from 0 to 1 how sure they are, (L,). Where that is
            below `facts.threshold`, the landmark is not there.

        Raises:
            SettingError: the image has another shape than those of training.
        """
        wanted = (self.facts.sought.channels, *self.facts.sought.size)
        if values.shape != wanted:
            raise SettingError(f"an image of shape {wanted} wanted, found {values.shape}")
        places, scores = self.locate_all(Held(values[None]), np.zeros(1, np.int64))
        return places[0], scores[0]

    def locate_all(self, rows: Rows, indices: Indices) -> tuple[Numbers, Numbers]:
        """Find the landmarks of some exams: (N,) -> (N, L, axes), (N, L)."""
        values = {name: list(part) for name, part in self.facts.values.items()}
        exams = standardised(rows, torch.empty(0), values, self.device)
        fit = self.facts.fit
        each = [judge(member, exams, indices, fit, fit.batch) for member in self.members]
        places, scores = (torch.stack(part) for part in zip(*each, strict=True))
        weights = (scores + 1e-6)[..., None]
        mean = (places * weights).sum(0) / weights.sum(0)
        return mean.cpu().numpy(), scores.mean(0).cpu().numpy()


def usual_fit(size: Sequence[int], **settings: Any) -> Fit:
    """Give how networks that find landmarks usually learn, from images of a size."""
    batch = min(LARGEST_BATCH, max(SMALLEST_BATCH, SAMPLES // prod(size)))
    return Fit(**{"batch": batch, "smoothing": 0.0, "rate": 0.01, **settings})


def fit_places(
    folder: Path,
    sought: Sought,
    rows: Rows,
    target: Numbers,
    part: Part,
    fit: Fit,
    seconds: float | None = None,
    tell: Tell | None = None,
) -> Finder:
    """Train what finds landmarks, or go on with what was cut short.

    Args:
        folder: Made if it is not there.
        sought: What is looked for.
        rows: Prepared images, all of one size.
        target: Places in samples, (N, L, axes); NaN where an exam lacks a landmark. A place outside
            of the image is known, and missing in the image.
        part: Which exams are learnt from, and which are validated on.
        fit: How; epochs of 0 are settled by the seconds.
        seconds: What is left of the budget; `None` for no limit.
        tell: Called after each epoch.

    Raises:
        CohortError: places do not fit the landmarks, or there is nothing to learn from or to
            validate on.
        RunError: the folder holds another training.
    """
    start = time.monotonic()
    keep_memory()
    wanted = (len(sought.names), len(sought.size))
    if target.shape[1:] != wanted or not len(part.training) or not len(part.validation):
        found = f"{target.shape}, {len(part.training)} and {len(part.validation)}"
        raise CohortError(
            f"places (N, {wanted[0]}, {wanted[1]}) of exams to learn from and to validate on "
            f"wanted, found {found}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    facts = _begin(folder, sought, rows, part, fit)
    if facts.threshold is not None:
        return load_places(folder)
    device = pick_device()
    values = {name: list(mean) for name, mean in facts.values.items()}
    exams = standardised(rows, torch.from_numpy(np.asarray(target, np.float32)), values, device)
    repeats = -(-STEPS * facts.fit.batch // len(part.training))
    part = replace(part, training=np.tile(part.training, repeats))
    if not facts.fit.epochs:
        left = np.inf if seconds is None else TRAINING * (start + seconds - time.monotonic())
        facts = _settle(folder, facts, exams, part, left)
    members = [_member(facts, number, device) for number in range(facts.fit.members)]
    take_up(folder, members)
    deadline = None if seconds is None else start + TRAINING * seconds
    keep, measure = Keeper(folder, members, deadline, tell), partial(_figures, sought)
    train_committee(members, exams, [part] * len(members), 1, measure, keep, keep.in_time)
    members = [member for member in members if member.epoch]
    save_kept(folder, members, {"landmarks": json.dumps(sought.names)})
    facts = replace(facts, fit=replace(facts.fit, members=len(members)))
    finder = Finder(facts, tuple(member.kept for member in members), device)
    finder = replace(finder, facts=_validated(finder, exams, part.validation))
    _write(folder, finder.facts)
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return finder


def load_places(folder: Path) -> Finder:
    """Load what `fit_places` left.

    Raises:
        RunError: it is not there, damaged, or was cut short.
    """
    facts, device = _read(folder), pick_device()
    if facts.threshold is None:
        raise RunError(f"{folder}: a trained finder wanted, found one that was cut short")
    members = [_member(facts, number, device).kept for number in range(facts.fit.members)]
    load_kept(folder / KEPT, members)
    return Finder(facts, tuple(members), device)


def _begin(folder: Path, sought: Sought, rows: Rows, part: Part, fit: Fit) -> Facts:
    """Take what a training is about from its folder, or measure it and write it there."""
    if not (folder / FACTS).exists():
        measured = measure_values(rows, part.training)
        facts = Facts(sought, fit, {name: tuple(part) for name, part in measured.items()})
        _write(folder, facts)
        return facts
    facts = _read(folder)
    if facts.sought != sought:
        raise RunError(f"{folder}: a training of {sought} wanted, found one of {facts.sought}")
    return facts


def _settle(folder: Path, facts: Facts, exams: Exams, part: Part, seconds: float) -> Facts:
    """Time some steps, and write down the epochs that fit into the seconds."""
    begun = time.monotonic()
    pace = time_steps([_member(facts, 0, exams.device)], exams, [part], 1)
    count = len(part.validation)
    left = seconds - (time.monotonic() - begun)
    fit = settle(facts.fit, pace, left, 1, count, count, fixed=True)
    facts = replace(facts, fit=fit)
    _write(folder, facts)
    return facts


def _member(facts: Facts, number: int, device: torch.device) -> Member[Learner]:
    chance = seeded(facts.fit.seed, number, WEIGHTS)
    return Member(build_way(facts.sought, chance).to(device), facts.fit, number)


def _figures(
    sought: Sought, method: Learner, exams: Exams, indices: Indices, member: Member[Learner]
) -> dict[str, float]:
    """Measure the mean distance of places from the true ones on validation exams."""
    found = judge(method, exams, indices, member.fit, member.fit.batch)
    places, scores = (part.cpu().numpy() for part in found)
    errors = _hold(places, scores, exams, indices, sought).error
    there = errors[np.isfinite(errors)]
    return {"val_loss": float(there.mean()), "val_worst": float(there.max())} if len(there) else {}


def _hold(
    places: Numbers, scores: Numbers, exams: Exams, indices: Indices, sought: Sought
) -> Placed:
    """Hold what was found in some exams against the truth."""
    spacing = sought.spacing_mm or (1.0,) * len(sought.size)
    return hold_samples(places, exams.target[indices].numpy(), sought.size, spacing, scores)


def _validated(finder: Finder, exams: Exams, indices: Indices) -> Facts:
    """Measure on validation, and choose from which score on a landmark is there."""
    places, scores = finder.locate_all(exams.rows, indices)
    held = _hold(places, scores, exams, indices, finder.facts.sought)
    there = np.isfinite(held.error)
    means = [
        float(e[t].mean()) if t.any() else None for e, t in zip(held.error.T, there.T, strict=True)
    ]
    return replace(finder.facts, threshold=held.threshold(), errors=tuple(means))


def _write(folder: Path, facts: Facts) -> None:
    write_whole(folder / FACTS, json.dumps(to_plain(facts), indent=1))


def _read(folder: Path) -> Facts:
    try:
        facts: Facts = from_plain(Facts, json.loads((folder / FACTS).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise RunError(f"{folder / FACTS}: cannot read this: {problem}") from problem
    return facts
