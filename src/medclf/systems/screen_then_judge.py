"""Screen, then judge: a small network searches the whole scan, a second one judges what it found.

The first stage is a 3D network without padding that learnt on small cubes and goes over the whole
volume in one pass. It is trained twice: the second time with what the first took for a target by
mistake. Peaks of its map are candidates. The second stage learns from the candidates of training
scans, and may be any method of the house that looks at an object: a larger cube, planes, random
views, scales. Both stages are ordinary runs, in the folders `screen` and `judge`.

Source: Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D Convolutional
Neural Networks. IEEE Transactions on Medical Imaging 2016.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from medclf import verbs
from medclf.core.image import Image
from medclf.core.record import Point
from medclf.learn.loop import precision
from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Net
from medclf.learn.trained import Held
from medclf.locate.peaks import find_peaks
from medclf.locate.screen import Screen
from medclf.prepare.exam import Prepare, prepare_image
from medclf.prepare.marked import Mark
from medclf.systems.candidates import Candidates, keep_candidates, kept_candidates
from medclf.systems.lessons import judge_cohort, screen_cohort
from medclf.systems.search import Search
from medclf.systems.stage import load_stage, train_stage
from medclf.systems.volume import widen
from medclf.systems.work import Work

OPTIONS = {"judge": "patch", "net": "dou_screen", "edge": 32, "most": 50}
"""The method and the edge of its cubes in samples; the network of the screen; candidates of a
scan."""

SCREEN = 16
"""Edge of the cubes that the first stage learns from, in samples."""

SCREENING = 0.2
"""Share of the budget for each of two trainings of the first stage."""

APART = 4
"""Samples between two candidates."""

FAINT = 0.02
"""A candidate's least probability."""


def learn(work: Work) -> None:
    """Train both stages, from wherever they stand."""
    first = _train_screen(work, "screen-first", {})
    mistakes = _search_scans(work, first, "mistakes.npz")
    screen = _train_screen(work, "screen", mistakes)
    found = _search_scans(work, screen, "candidates.npz")
    minutes = (1 - 2 * SCREENING) * work.search.minutes
    make, change = partial(judge_cohort, work, found), partial(_judge_recipe, work)
    train_stage(work, "judge", make, change, minutes, work.option("judge"))


def _train_screen(work: Work, name: str, mistakes: Mapping[str, Candidates]) -> verbs.TrainedRun:
    make, change = partial(screen_cohort, work, mistakes), partial(_screen_recipe, work)
    return train_stage(work, name, make, change, SCREENING * work.search.minutes, "patch")


def find(folder: Path, search: Search, image: Image) -> Candidates:
    """Search a prepared scan.

    Args:
        folder: Of a system that has learnt.
        search: Its settings.
        image: As `read_volume` gives it.

    Returns:
        Candidates with the probabilities of each kind; best first.
    """
    screen, judge = (load_stage(folder / name) for name in ("screen", "judge"))
    found = screen_volume(screen, image, search)
    return judge_candidates(judge, image, found)


def screen_volume(screen: verbs.TrainedRun, image: Image, search: Search) -> Candidates:
    """Find the candidates of a prepared scan."""
    trained = screen.trained
    recipe, network = trained.recipe, trained.members[0].network
    wide = widen(image, recipe.prepare.size[0] // 2)
    mean, deviation = (trained.values[name][0] for name in ("mean", "deviation"))
    volume = torch.from_numpy(wide.values.astype(np.float32)).sub_(mean).div_(deviation)
    passes = Screen(network, 1, recipe.prepare.size)
    with precision(recipe.fit, trained.device):
        logits = passes.tiled(volume)
    chance = 1 - logits.float().softmax(0)[:1]
    grid = passes.places.grid(wide.grid)
    (peaks,) = find_peaks(chance, [grid], FAINT, APART * search.edge_mm, search.options["most"])
    inside = np.clip(image.grid.from_mm(peaks.mm), 0, np.array(image.space) - 1)
    return Candidates(image.grid.to_mm(inside), peaks.scores, peaks.scores[:, None])


def judge_candidates(judge: verbs.TrainedRun, image: Image, found: Candidates) -> Candidates:
    """Give candidates the probabilities of the second stage: (N, kinds)."""
    if not len(found.screened):
        return replace(found, shares=np.zeros((0, len(judge.run.task.classes) - 1)))
    prepare = judge.trained.recipe.prepare
    cubes = [
        prepare_image(image, prepare, "scan", mark=Mark(Point(tuple(place), "mm")))
        for place in found.places_mm.round(2).tolist()
    ]
    shares, _ = judge.trained.probabilities(Held(np.stack(cubes)), np.arange(len(cubes)))
    order = np.argsort(-shares[:, 1:].sum(1), kind="stable")
    return Candidates(found.places_mm[order], found.screened[order], shares[order, 1:])


def _cubes(search: Search, edge: int, planned: Prepare) -> Prepare:
    """Cut cubes out of prepared scans and leave their values as they are."""
    return replace(
        planned,
        size=(edge,) * 3,
        spacing_mm=(search.edge_mm,) * 3,
        crop="point",
        orientation="file",
        intensity="full",
        bias="none",
        unit="",
    )


def _screen_recipe(work: Work, plan: Plan) -> Plan:
    recipe = plan.recipe
    return _with(
        plan,
        replace(
            recipe,
            prepare=_cubes(work.search, SCREEN, recipe.prepare),
            net=Net(work.option("net")),
            fit=replace(recipe.fit, members=1, folds=0, shift=0.0, mirror="no"),
        ),
        "the first stage of a system that screens whole volumes",
    )


def _judge_recipe(work: Work, plan: Plan) -> Plan:
    recipe = plan.recipe
    edge = work.option("edge")
    return _with(
        plan,
        replace(
            recipe,
            prepare=_cubes(work.search, edge, recipe.prepare),
            fit=replace(recipe.fit, folds=0),
        ),
        "the second stage, which judges candidates",
    )


def _with(plan: Plan, recipe: Recipe, why: str) -> Plan:
    keys = ("prepare.size", "net.name", "fit.members", "fit.folds")
    return Plan(recipe, {**plan.reasons, **dict.fromkeys(keys, why)})


def _search_scans(work: Work, screen: verbs.TrainedRun, name: str) -> dict[str, Candidates]:
    """Screen training and validation scans, or read what was found before."""
    place = work.folder / name
    if place.exists():
        return kept_candidates(place, [scan.name for scan in work.learnt])
    found = {}
    for number, scan in enumerate(work.learnt):
        found[scan.name] = screen_volume(screen, work.volume(scan), work.search)
        if work.watch.count is not None:
            work.watch.count(number + 1, len(work.learnt))
    keep_candidates(place, [found[scan.name] for scan in work.learnt])
    return found
