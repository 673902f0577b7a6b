"""The verb compare: networks, methods and classical entries on the same exams and terms.

found = medclf.compare("exams.csv", out="runs/compare", nets=["sprint", "resnet18"], minutes=2)
for row in found.table:
    print(row["entry"], row["auc"], row["p_holm"])
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from medclf import verbs
from medclf.contest.common import expect_folds, make_common, try_mirror_once
from medclf.contest.entries import choose_methods, choose_networks, part_methods
from medclf.contest.folder import (
    Contest,
    create_contest,
    digest_recipe,
    expect_folder,
    expect_recipe,
    expect_terms,
    open_contest,
)
from medclf.contest.gauge import name_machine
from medclf.contest.jobs import make_jobs
from medclf.contest.outcome import Outcome, Step
from medclf.contest.page import write_contest
from medclf.contest.process import work_apart
from medclf.contest.results import gather, list_rows, tell, write_table
from medclf.core.cohort import Cohort
from medclf.curate.cohort import AS_FOUND, Columns
from medclf.curate.cohort import read_cohort as read_columns
from medclf.curate.split import split_cohort
from medclf.errors import CohortError, RunError, SettingError
from medclf.evaluate.standing import Failure, Standing
from medclf.learn.begin import expect_budget, expect_fit
from medclf.learn.borrowed import READY
from medclf.learn.plan import Plan, take_plan
from medclf.learn.ready import Ready, make_ready, make_ready_again
from medclf.learn.recipe import Recipe
from medclf.learn.run import sole_use


@dataclass(frozen=True)
class Spectator:
    """Who is told how far a comparison is.

    Args:
        count: Called with images read and images in all.
        begin: Called as an entry begins, with its name, its number from 1, and entries in all.
        step: Called as it goes on.
        end: Called as it ends.
    """

    count: Callable[[int, int], None] | None = None
    begin: Callable[[str, int, int], None] | None = None
    step: Callable[[Step], None] | None = None
    end: Callable[[str, Outcome], None] | None = None


NOBODY = Spectator()


@dataclass(frozen=True)
class Compared:
    """A comparison that has come to its end.

    Args:
        contest: Its folder, with `compare.html`, `table.csv`, `table.json`, and a folder for each
            entry: that of a network or a method is a run.
        standings: From best to worst.
        failures: Entries that came to nothing.
    """

    contest: Contest
    standings: tuple[Standing, ...]
    failures: tuple[Failure, ...]

    @property
    def page(self) -> Path:
        """The page for a person."""
        return self.contest.folder / "compare.html"

    @property
    def table(self) -> list[dict[str, Any]]:
        """A row of plain values for each entry, as in `table.csv`."""
        return list_rows(self.standings, self.failures)

    def to_json(self) -> dict[str, Any]:
        """The table and the terms that it holds under, as in `table.json`."""
        return tell(self.contest, self.table)


@dataclass(frozen=True)
class Terms:
    """What is asked for; `None` for what was not said."""

    minutes: float | None
    folds: int | None
    seed: int | None
    pretrained: bool | None


def compare(  # noqa: PLR0913 - the command line says the same, option by option
    data: str | Path | Cohort,
    out: str | Path,
    nets: Sequence[str] | None = None,
    minutes: float | None = None,
    folds: int | None = None,
    seed: int | None = None,
    recipe: Recipe | Plan | None = None,
    columns: Columns = AS_FOUND,
    watch: Spectator = NOBODY,
    pretrained: bool = False,
    methods: Sequence[str] | None = None,
    skip_unreadable: bool = False,
) -> Compared:
    """Train networks and methods under the same terms, and measure them beside classical entries.

    Each entry works in a process of its own; one that fails is told in the table. A folder that
    holds the same comparison is gone on with: what is done is kept, what is half done is resumed,
    and further networks and methods may be named.

    Args:
        data: A cohort, or DATA as on the command line.
        out: The folder of the comparison.
        nets: Names of bodies, or "all"; the first of each family where no method is named either.
        minutes: Budget of each entry, wall clock; 2 where it is not given.
        folds: Deal training and validation exams into so many parts, 3 or more, and judge on them;
            the test split stays shut. 0, the default: judge on the test split.
        seed: All chance comes from it; 0 where it is not given.
        recipe: The common recipe, instead of the plan's; the same one where a comparison goes on.
        columns: What the columns of DATA mean, where it is not a cohort.
        watch: Told how far it is.
        pretrained: Networks start from published weights; those that have none take no part.
        methods: Names of methods, or "all", each with the plan's network. Those that ask for more
            than the exams have take no part, and the result says what they need.
        skip_unreadable: Leave out images that cannot be read rather than stop; a folder that was
            begun so goes on so.

    Raises:
        MedclfError: the data, a name or the folder do not serve, or no entry came to its end.
    """
    minutes = None if minutes is None else expect_budget(minutes)
    folder, terms = Path(out), Terms(minutes, folds, seed, pretrained or None)
    common = None if recipe is None else take_plan(recipe).recipe
    expect_folds(folds or 0)
    if pretrained and recipe is not None:
        raise SettingError("a recipe says itself what networks start from: not also pretrained")
    networks = None if nets is None else choose_networks(nets, pretrained)
    asked = () if methods is None else choose_methods(methods)
    begun = expect_folder(folder)
    cohort = data if isinstance(data, Cohort) else read_columns(Path(data), columns)
    if begun:
        with sole_use(folder):
            contest = _take_up(folder, terms, common, nets)
            facts = contest.facts["data"]
            ready = make_ready_again(folder, cohort, contest.recipe, facts, watch.count)
            return _hold(_admit(contest, ready, asked), ready, watch)
    if networks is None:
        networks = () if asked else choose_networks(None, pretrained)
    plan, ready = _prepare(cohort, terms, common, columns, watch, networks, asked, skip_unreadable)
    with sole_use(folder):
        contest = _begin(folder, plan, ready, terms, common, networks)
        return _hold(_admit(contest, ready, asked), ready, watch)


def _take_up(
    folder: Path, terms: Terms, recipe: Recipe | None, nets: Sequence[str] | None
) -> Contest:
    """Open a comparison that was begun before, and add networks that are new to it."""
    contest = open_contest(folder)
    expect_terms(contest, **asdict(terms))
    expect_recipe(contest, recipe)
    named = () if nets is None else choose_networks(nets, contest.facts["pretrained"])
    return contest.update(networks=list(dict.fromkeys([*contest.networks, *named])))


def _admit(contest: Contest, ready: Ready, asked: tuple[str, ...]) -> Contest:
    """Add methods that are new to a comparison, as far as its exams serve them."""
    if not asked:
        return contest
    names = dict.fromkeys([*contest.methods, *contest.unserved, *asked])
    served, lacks = part_methods(tuple(names), ready.cohort, len(contest.recipe.prepare.size))
    return contest.update(methods=list(served), unserved=lacks)


def _prepare(
    cohort: Cohort,
    terms: Terms,
    recipe: Recipe | None,
    columns: Columns,
    watch: Spectator,
    networks: tuple[str, ...],
    methods: tuple[str, ...],
    skip_unreadable: bool,
) -> tuple[Plan, Ready]:
    """Plan for all entries, split and prepare the exams; nothing is written yet."""
    minutes, folds = terms.minutes or verbs.MINUTES, terms.folds or 0
    if recipe is None:
        silent, first = verbs.Watch(count=watch.count), ""
        if terms.pretrained:
            first = networks[0] if networks and READY not in networks else READY
        plan = verbs.plan(cohort, minutes, terms.seed or 0, silent, first, bool(terms.pretrained))
    else:
        plan = Plan(take_plan(recipe, terms.seed).recipe)
    split = split_cohort(cohort, plan.recipe.fit.seed)
    _expect_entry(split, plan.recipe, networks, methods)
    plan = make_common(plan, folds, split)
    # Whose weights cannot be had fails alone, later.
    expect_fit(replace(plan.recipe, net=replace(plan.recipe.net, pretrained="")), split)
    ready = make_ready(cohort, plan.recipe, columns, watch.count, skip_unreadable)
    plan = Plan(ready.recipe, {**plan.reasons, **ready.reasons})
    return try_mirror_once(plan, ready.cohort, ready.store, minutes * 60), ready


def _expect_entry(
    cohort: Cohort, recipe: Recipe, networks: tuple[str, ...], methods: tuple[str, ...]
) -> None:
    """Check that somebody can take part.

    Raises:
        CohortError: the exams serve none of the methods, and no network is named.
    """
    served, lacks = part_methods(methods, cohort, len(recipe.prepare.size))
    if not (networks or served):
        told = "; ".join(f"{name} {lack}" for name, lack in lacks.items())
        raise CohortError(f"{cohort.origin}: no method can serve these exams: {told}")


def _begin(
    folder: Path,
    plan: Plan,
    ready: Ready,
    terms: Terms,
    recipe: Recipe | None,
    networks: tuple[str, ...],
) -> Contest:
    if expect_folder(folder):
        raise RunError(f"{folder}: another comparison was begun here meanwhile")
    folds = terms.folds or 0
    tests = any(record.split == "test" for record in ready.cohort.records)
    facts = {
        "networks": list(networks),
        "minutes": terms.minutes or verbs.MINUTES,
        "folds": folds,
        "seed": plan.recipe.fit.seed,
        "pretrained": bool(terms.pretrained),
        "recipe": digest_recipe(recipe),
        "judged_on": "test" if tests and not folds else "val",
        "machine": name_machine(),
        "reasons": dict(plan.reasons),
        "notes": list(ready.cohort.notes),
    }
    return create_contest(folder, plan.recipe, ready, facts)


def _hold(contest: Contest, ready: Ready, watch: Spectator) -> Compared:
    """Let the entries work one after the other, and put together what they leave."""
    jobs = make_jobs(contest, ready)
    for number, (name, job) in enumerate(jobs.items(), start=1):
        kept = contest.outcomes().get(name)
        if kept is not None and kept.done:
            continue
        if watch.begin is not None:
            watch.begin(name, number, len(jobs))
        outcome = work_apart(job, watch.step)
        contest.keep(name, outcome)
        if watch.end is not None:
            watch.end(name, outcome)
    standings, failures = gather(contest)
    if not standings:
        first = f"{failures[0].name}: {failures[0].reason}"
        raise RunError(f"{contest.folder}: no entry came to its end; {first}")
    done = Compared(contest, standings, failures)
    write_table(contest, done.table)
    write_contest(contest, ready.cohort, standings, failures)
    return done
