"""Screen, then judge: a small network searches the whole scan, a second one judges what it found.

The first stage is a 3D network without padding that learnt on small cubes and goes over the whole
volume in one pass. In the paper it is trained twice, the second time with what it took for a target
by mistake; here all its time is for one training. Peaks of its map are candidates. The second stage
learns from the candidates of training scans, and may be any method of the house that looks at an
object: a cube as in the paper (`patch`), planes, random views, or, as it does if nothing is said,
the object and its surroundings, each with a network of its own. Both stages are ordinary runs, in
the folders `screen` and `judge`.

Source: Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D Convolutional
Neural Networks. IEEE Transactions on Medical Imaging 2016.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from medclf import verbs
from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Method, Net
from medclf.learn.sketch import make_sketch
from medclf.learn.transfer import Transfer
from medclf.net.table import build_body
from medclf.prepare.exam import Prepare
from medclf.systems import screening
from medclf.systems.candidates import Candidates, Find
from medclf.systems.lessons import judge_cohort
from medclf.systems.screening import open_screen, search_scans, train_screen
from medclf.systems.search import Search
from medclf.systems.stage import cut_cubes, explain, judge_places, load_stage, train_stage
from medclf.systems.work import Work

OPTIONS = {**screening.OPTIONS, "judge": "near_and_far", "judge_net": "", "edge": 0}
"""Beside those of the screen: the method of the second stage; its network, "" for the usual one;
the edge of its cubes in samples, 0 for what it asks for."""

CHOICES = {
    "judge": (
        *("patch", "volume", "three_planes", "multi_view", "random_views", "near_and_far"),
        *("filters_then_sequence", "code_then_tree"),
    )
}
"""Methods that judge an object by nothing but what lies about it."""

PAPER = "patch"
"""The method whose usual network is the paper's own."""

PAPER_EDGE, EDGE = 20, 32
"""Of the cubes of the paper's own network, in samples, and of those of all others."""

ANY = (0, 1, 2)
"""A lesion that is mirrored along any axis is as good a lesion."""

JUDGES = 2
"""Networks of the paper's own that are averaged: they train side by side."""

SCREENING = 0.4
"""Share of the budget for the first stage."""


def expect_options(options: Mapping[str, Any]) -> None:
    """Check the networks of both stages.

    Raises:
        SettingError: there is none of that name, it cannot screen, or not judge what the method of
            the second stage sees.
    """
    screening.expect_screen(options)
    judge, net = options["judge"], options["judge_net"]
    if not net:
        return
    learns = Transfer("code", "tree") if judge == "code_then_tree" else Transfer()
    prepare = Prepare((options["edge"] or EDGE,) * 3, 1)
    seen = make_sketch(Recipe(prepare, method=Method(judge), transfer=learns), Task(("no", "yes")))
    try:
        with torch.device("meta"):
            build_body(net, len(seen.size), seen.channels, seen.size)
    except SettingError as problem:
        raise SettingError(f"judge_net = {net!r} with judge = {judge!r}: {problem}") from problem


def learn(work: Work) -> None:
    """Train both stages, from wherever they stand."""
    screen = train_screen(work, SCREENING, ANY)
    found = search_scans(work, screen)
    minutes = (1 - SCREENING) * work.search.minutes
    make, change = partial(judge_cohort, work, found), partial(_judge_recipe, work)
    train_judge(work, make, change, minutes)


def train_judge(
    work: Work, make: Callable[[], Cohort], change: Callable[[Plan], Plan], minutes: float
) -> None:
    """Train the second stage, by the method and the network that were chosen."""
    chosen = work.option("judge"), work.option("judge_net")
    train_stage(work, "judge", make, change, minutes, *chosen)


def open_finder(folder: Path, search: Search) -> Find:
    """Load both stages of a system that has learnt."""
    screen, judge = open_screen(folder, search), load_stage(folder / "judge")
    return lambda image: judge_candidates(judge, image, screen(image))


def judge_candidates(judge: verbs.TrainedRun, image: Image, found: Candidates) -> Candidates:
    """Give candidates the probabilities of the second stage: (N, kinds)."""
    shares = judge_places(judge, image, found.places_mm)
    order = np.argsort(-shares[:, 1:].sum(1), kind="stable")
    return Candidates(found.places_mm[order], found.screened[order], shares[order, 1:])


def _judge_recipe(work: Work, plan: Plan) -> Plan:
    recipe, judge = plan.recipe, work.option("judge")
    own = judge == PAPER and not work.option("judge_net")
    edge = work.option("edge") or (PAPER_EDGE if own else EDGE)
    net = recipe.net
    fit = replace(recipe.fit, folds=0, mirror="no", shift=0.0, smoothing=0.0)
    if own:
        net, fit = Net("dou_judge", {"norm": "batch"}), replace(fit, members=JUDGES)
    return explain(
        plan,
        replace(
            recipe,
            prepare=cut_cubes(work.search, (edge,) * 3, recipe.prepare),
            augment=replace(recipe.augment, mirror=ANY),
            net=net,
            fit=fit,
        ),
        "the second stage, which judges candidates",
    )
