"""Screening as a stage: a small network searches whole scans, and its peaks are candidates.

It is an ordinary run, which learns to tell cubes about targets from cubes of anything else, by a
network without padding that goes over a volume in one pass (`locate/screen.py`).

Source: Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D Convolutional
Neural Networks. IEEE Transactions on Medical Imaging 2016.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medclf import verbs
from medclf.core.image import Image
from medclf.errors import SettingError
from medclf.learn.loop import precision
from medclf.learn.plan import Plan
from medclf.learn.settings import Net
from medclf.locate.peaks import find_peaks
from medclf.locate.screen import Screen
from medclf.net.head import Classifier
from medclf.net.table import build_body
from medclf.systems.candidates import (
    Candidates,
    Find,
    keep_candidates,
    keep_inside,
    kept_candidates,
)
from medclf.systems.lessons import screen_cohort
from medclf.systems.many import choose_many, chosen_many, expect_many, widest
from medclf.systems.search import Search
from medclf.systems.stage import cut_cubes, explain, load_stage, train_stage
from medclf.systems.volume import widen
from medclf.systems.work import Work

OPTIONS = {"net": "dou_screen", "cube": 16, "most": 0}
"""What systems that screen let be chosen: the network of the screen; the edge of the cubes that it
learns from, in samples; candidates of a scan, 0 for as many as validation scans ask for."""

APART = 3
"""Samples between two candidates."""

FOUND = "candidates.npz"
"""Where candidates of training and validation scans are kept."""

FAINT = 0.02
"""A candidate's least probability."""


def expect_screen(options: Mapping[str, Any]) -> None:
    """Check that the network of a screen goes over volumes, before any scan is read.

    Raises:
        SettingError: there is none of that name, or it does not with cubes of this edge; or fewer
            than no candidates are asked for.
    """
    expect_many(options["most"])
    edge = options["cube"]
    try:
        with torch.device("meta"), torch.inference_mode():
            net = _choose_net(options)
            body = build_body(net.name, 3, 1, (edge,) * 3, **net.options)
            Screen(Classifier(body, 2), 1, (edge,) * 3)(torch.zeros(1, 1, *(2 * edge,) * 3))
    except SettingError as problem:
        raise SettingError(f"net = {options['net']!r} with cube = {edge}: {problem}") from problem


def train_screen(work: Work, share: float, mirror: tuple[int, ...] = ()) -> verbs.TrainedRun:
    """Train a screen, from wherever it stands.

    Args:
        work: Of which it is a part.
        share: Of the budget.
        mirror: Axes along which a target may be mirrored.
    """
    minutes = share * work.search.minutes
    make, change = partial(screen_cohort, work, 60 * minutes), partial(_screen_recipe, work, mirror)
    return train_stage(work, "screen", make, change, minutes, "patch")


def open_screen(folder: Path, search: Search) -> Find:
    """Load the screen of a system that has learnt, and how many candidates it puts forward."""
    screen, most = load_stage(folder / "screen"), chosen_many(folder, search).most
    return lambda image: screen_volume(screen, image, search, most)


def screen_volume(screen: verbs.TrainedRun, image: Image, search: Search, most: int) -> Candidates:
    """Find so many candidates of a prepared scan, or what there is."""
    trained = screen.trained
    recipe, network = trained.recipe, trained.members[0].network
    wide = widen(image, recipe.prepare.size[0] // 2)
    mean, deviation = (trained.values[name][0] for name in ("mean", "deviation"))
    volume = torch.from_numpy(wide.values.astype(np.float32)).sub_(mean).div_(deviation)
    passes = Screen(network, 1, recipe.prepare.size)
    with precision(recipe.fit, trained.device):
        logits = passes.tiled(volume)
    chance = 1 - logits.float().softmax(0)[:1]
    grid = passes.lattice.grid(wide.grid)
    (peaks,) = find_peaks(chance, [grid], FAINT, APART * search.edge_mm, most)
    return Candidates(keep_inside(image, peaks.mm), peaks.scores, peaks.scores[:, None])


def search_scans(work: Work, screen: verbs.TrainedRun) -> dict[str, Candidates]:
    """Screen training and validation scans, or read what was found before."""
    place = work.folder / FOUND
    if place.exists():
        return kept_candidates(place, [scan.name for scan in work.learnt])
    found, most = {}, widest(work.search)
    for number, scan in enumerate(work.learnt):
        found[scan.name] = screen_volume(screen, work.volume(scan), work.search, most)
        if work.watch.count is not None:
            work.watch.count(number + 1, len(work.learnt))
    most = choose_many(work, found).most
    found = {name: one.first(most) for name, one in found.items()}
    keep_candidates(place, [found[scan.name] for scan in work.learnt])
    return found


def _choose_net(options: Mapping[str, Any]) -> Net:
    """Take the norm by batch where the network lets a norm be chosen."""
    net = Net(options["net"], {"norm": "batch"})
    try:
        build_body(net.name, 3, 1, (options["cube"],) * 3, **net.options)
    except SettingError:
        return Net(net.name)
    return net


def _screen_recipe(work: Work, mirror: tuple[int, ...], plan: Plan) -> Plan:
    recipe = plan.recipe
    return explain(
        plan,
        replace(
            recipe,
            prepare=cut_cubes(work.search, (work.option("cube"),) * 3, recipe.prepare),
            net=_choose_net(work.search.options),
            augment=replace(recipe.augment, mirror=mirror),
            fit=replace(recipe.fit, members=1, folds=0, shift=0.0, mirror="no", smoothing=0.0),
        ),
        "the first stage of a system that screens whole volumes",
    )
