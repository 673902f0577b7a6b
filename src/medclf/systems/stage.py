"""A stage of a system: an ordinary run, in a folder of its own."""

from collections.abc import Callable
from pathlib import Path

from medclf import verbs
from medclf.core.cohort import Cohort
from medclf.errors import RunError
from medclf.learn.plan import Plan
from medclf.systems.work import Work


def train_stage(
    work: Work,
    name: str,
    make: Callable[[], Cohort],
    change: Callable[[Plan], Plan],
    minutes: float,
    method: str,
) -> verbs.TrainedRun:
    """Train a stage, go on with it, or load it, as it stands.

    Args:
        work: Of which it is a part.
        name: Of its folder.
        make: Makes what it learns from, the same each time.
        change: Changes the plan that the house makes for that.
        minutes: Its budget.
        method: By name, that the plan is made for.
    """
    place = work.folder / name
    if (place / "report.html").exists():
        return load_stage(place)
    cohort, seed = make(), work.search.seed
    if (place / "run.json").exists():
        return verbs.resume(place, cohort, watch=work.watch)
    plan = change(verbs.plan(cohort, minutes, seed, method=method))
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
