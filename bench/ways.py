"""Ways to judge the same exams: methods with options of their own, on the same terms.

As `medclf compare` does it, which takes each method with its own defaults: each way works in a
process of its own for the same budget. A folder that was begun is gone on with.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import medclf
from medclf.contest.common import make_common, try_mirror_once
from medclf.contest.entries import METHOD
from medclf.contest.network import Network
from medclf.contest.outcome import Outcome
from medclf.contest.process import work_apart
from medclf.contest.results import read_result
from medclf.core.cohort import Cohort
from medclf.core.whole import write_whole
from medclf.curate.cohort import AS_FOUND
from medclf.curate.split import split_cohort
from medclf.evaluate.standing import Result
from medclf.learn.plan import Plan
from medclf.learn.ready import Ready, make_ready
from medclf.learn.recipe import Recipe, format_recipe, read_recipe
from medclf.learn.settings import Option
from medclf.learn.take_method import set_method


@dataclass(frozen=True)
class Way:
    """A method with options of its own, and of its network."""

    method: str
    options: Mapping[str, Option] = field(default_factory=dict)
    net: Mapping[str, Option] = field(default_factory=dict)

    def take(self, common: Recipe, cohort: Cohort) -> Recipe:
        recipe, _ = set_method(common, cohort, self.method)
        method = replace(recipe.method, options=dict(self.options))
        net = replace(recipe.net, options={**recipe.net.options, **self.net})
        return replace(recipe, method=method, net=net)


@dataclass(frozen=True)
class Terms:
    """What is the same for all ways.

    Args:
        minutes: Of each.
        seed: All chance comes from it.
        folds: All exams but those of the test split are dealt into; 0 to judge the test split.
    """

    minutes: float
    seed: int
    folds: int = 0


def hold(cohort: Cohort, ways: Mapping[str, Way], out: Path, terms: Terms) -> dict[str, Result]:
    """Train and judge each way; those that fail are told and left out."""
    out.mkdir(parents=True, exist_ok=True)
    found = {}
    common, ready = _prepare(cohort, out, terms)
    for name, way in ways.items():
        place = out / re.sub(r"\W+", "-", name)
        ended = place.with_suffix(".json")
        if not ended.exists():
            outcome = _work(place, way, common, ready, terms)
            if not outcome.done:
                print(f"{name} came to nothing: {outcome.reason}", flush=True)
                shutil.rmtree(place, ignore_errors=True)  # so that another budget begins anew
                continue
            write_whole(ended, json.dumps(outcome.to_json()))
        outcome = Outcome.from_json(json.loads(ended.read_text()))
        result = found[name] = read_result(place, name, METHOD, cohort.task, outcome)
        told = f"validation AUC {result.validation_auc:.4f}, {result.cost.seconds:.0f} s"
        print(f"seed {terms.seed}, {name}: {told}", flush=True)
    return found


def _prepare(cohort: Cohort, out: Path, terms: Terms) -> tuple[Recipe, Ready]:
    """Make the recipe that all ways have in common, or read it, and prepare the exams."""
    path = out / "recipe.toml"
    if path.exists():
        recipe = read_recipe(path)
        return recipe, make_ready(cohort, recipe, AS_FOUND)
    plan = medclf.plan(cohort, terms.minutes, terms.seed)
    plan = make_common(plan, terms.folds, split_cohort(cohort, terms.seed))
    ready = make_ready(cohort, plan.recipe, AS_FOUND)
    plan = Plan(ready.recipe, plan.reasons)
    recipe = try_mirror_once(plan, ready.cohort, ready.store, terms.minutes * 60).recipe
    write_whole(path, format_recipe(recipe))
    return recipe, ready


def _work(place: Path, way: Way, common: Recipe, ready: Ready, terms: Terms) -> Outcome:
    recipe = way.take(common, ready.cohort)
    facts = {
        "reasons": {},
        "data": ready.data,
        "notes": list(ready.cohort.notes),
        "minutes": terms.minutes,
    }
    return work_apart(Network(place, recipe, ready.cohort, facts, ready.known, terms.minutes))


def choose_ways(ways: Mapping[str, Way], names: str) -> dict[str, Way]:
    """Keep the ways that a command line names, separated by semicolons; all for ""."""
    return {name: ways[name] for name in names.split(";")} if names else dict(ways)


def best_first(found: Mapping[str, Sequence[Result]]) -> list[str]:
    """Order ways by their AUC on validation, mean over the seeds."""
    means = {
        name: sum(row.validation_auc for row in rows) / len(rows) for name, rows in found.items()
    }
    return sorted(means, key=lambda name: -means[name])
