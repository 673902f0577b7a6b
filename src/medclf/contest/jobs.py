"""The work of a contest: a job for each entry, the quick classical ones first."""

from medclf.contest.baseline import Baseline, Terms
from medclf.contest.classical import CLASSICAL, FAMILY
from medclf.contest.entries import METHOD, make_entry
from medclf.contest.folder import Contest
from medclf.contest.network import Network
from medclf.contest.outcome import Job
from medclf.learn.ready import Ready
from medclf.method.table import METHODS
from medclf.net.table import find_entry


def make_jobs(contest: Contest, ready: Ready) -> dict[str, Job]:
    """Make the jobs of all entries, by name.

    Args:
        contest: As it was begun.
        ready: Its exams, split and prepared.
    """
    recipe, minutes = contest.recipe, contest.facts["minutes"]
    terms = Terms(
        prepare=recipe.prepare,
        digest=ready.store.digest,
        minutes=minutes,
        folds=recipe.fit.folds,
        seed=recipe.fit.seed,
        balanced=recipe.fit.balance != "none",
        calibrate=recipe.decide.calibrate,
        aim=recipe.decide.threshold,
        sensitivity=recipe.decide.sensitivity,
        resamples=recipe.decide.resamples,
    )
    jobs: dict[str, Job] = {
        name: Baseline(name, contest.place(name), ready.cohort, terms) for name in CLASSICAL
    }
    for name in (*contest.networks, *contest.methods):
        entry = make_entry(recipe, name, ready.cohort)
        facts = {
            "reasons": {**contest.facts["reasons"], **entry.reasons},
            "data": ready.data,
            "notes": list(ready.cohort.notes),
            "minutes": minutes,
        }
        place, known = contest.place(name), ready.known
        jobs[name] = Network(place, entry.recipe, ready.cohort, facts, known, minutes)
    return jobs


def family_of(name: str) -> str:
    """Name what an entry is a member of."""
    if name in METHODS:
        return METHOD
    return FAMILY if name in CLASSICAL else find_entry(name).family
