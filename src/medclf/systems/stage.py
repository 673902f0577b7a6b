"""A stage of a system: an ordinary run, in a folder of its own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf import verbs
from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.record import Point
from medclf.errors import RunError
from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.trained import Held
from medclf.prepare.exam import Prepare, prepare_image
from medclf.prepare.marked import Mark
from medclf.systems.search import Search
from medclf.systems.work import Work

ENOUGH = 1_000_000
"""Cubes that a network sees before more passes stop helping: they are small, and many are alike."""


def train_stage(
    work: Work,
    name: str,
    make: Callable[[], Cohort],
    change: Callable[[Plan], Plan],
    minutes: float,
    method: str,
    net: str = "",
) -> verbs.TrainedRun:
    """Train a stage, go on with it, or load it, as it stands.

    Args:
        work: Of which it is a part.
        name: Of its folder.
        make: Makes what it learns from, the same each time.
        change: Changes the plan that the house makes for that.
        minutes: Its budget.
        method: By name, that the plan is made for.
        net: Likewise its network; "" leaves it to the plan.
    """
    place = work.folder / name
    if (place / "report.html").exists():
        return load_stage(place)
    cohort, seed = make(), work.search.seed
    if (place / "run.json").exists():
        return verbs.resume(place, cohort, watch=work.watch)
    plan = change(verbs.plan(cohort, minutes, seed, net=net, method=method))
    fit = replace(plan.recipe.fit, epochs=work.option("epochs"), enough=ENOUGH)
    plan = replace(plan, recipe=replace(plan.recipe, fit=fit))
    return verbs.train(cohort, place, minutes, seed, plan, watch=work.watch)


def load_stage(place: Path) -> verbs.TrainedRun:
    """Load a stage that has come to its end.

    Raises:
        RunError: it is not there, or is no trained run.
    """
    run = verbs.load(place)
    if not isinstance(run, verbs.TrainedRun):
        raise RunError(f"{place}: a trained run wanted, found one that was joined")
    return run


def cut_cubes(search: Search, edges: tuple[int, ...], planned: Prepare) -> Prepare:
    """Cut cubes out of prepared scans and leave their values as they are."""
    return replace(
        planned,
        size=edges,
        spacing_mm=(search.edge_mm,) * 3,
        crop="point",
        orientation="file",
        intensity="full",
        bias="none",
        unit="",
    )


def explain(plan: Plan, recipe: Recipe, why: str) -> Plan:
    """Change a plan, and tell why."""
    keys = ("prepare.size", "net.name", "fit.members", "fit.folds", "fit.shift")
    return Plan(recipe, {**plan.reasons, **dict.fromkeys(keys, why)})


def judge_places(
    stage: verbs.TrainedRun, image: Image, places_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Judge the cubes about places of a prepared scan: (N, 3) -> (N, classes)."""
    if not len(places_mm):
        return np.zeros((0, len(stage.run.task.classes)))
    prepare = stage.trained.recipe.prepare
    cubes = [
        prepare_image(image, prepare, "scan", mark=Mark(Point(tuple(place), "mm")))
        for place in places_mm.round(2).tolist()
    ]
    shares, _ = stage.trained.probabilities(Held(np.stack(cubes)), np.arange(len(cubes)))
    return shares
