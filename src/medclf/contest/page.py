"""The page of a contest: what its folder holds, laid out by `report`."""

import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from medclf.contest.classical import CLASSICAL
from medclf.contest.entries import METHOD
from medclf.contest.folder import Contest
from medclf.core.cohort import Cohort
from medclf.core.record import SPLITS
from medclf.evaluate.standing import Failure, Standing
from medclf.learn.align import say_columns
from medclf.learn.recipe import format_recipe
from medclf.report.contents import Setting, tell_settings
from medclf.report.contest import Comparison, write_comparison
from medclf.report.words import count


def write_contest(
    contest: Contest,
    cohort: Cohort,
    standings: tuple[Standing, ...],
    failures: tuple[Failure, ...],
) -> Path:
    """Write `compare.html` into the folder of a contest.

    Args:
        contest: That has come to its end.
        cohort: Its exams, split.
        standings: From best to worst.
        failures: Entries that came to nothing.
    """
    facts, task = contest.facts, contest.task
    folds, classes = facts["folds"], " or ".join(task.classes[:4])
    more = " …" if len(task.classes) > 4 else ""
    numbers = Counter(record.split for record in cohort.records)
    comparison = Comparison(
        title=f"{_tell_entries(contest)} compared: {classes}{more} in {cohort.origin.name}",
        task=task,
        version=facts["medclf"],
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        digest=facts["data"]["digest"],
        seed=facts["seed"],
        minutes=facts["minutes"],
        machine=facts["machine"],
        standings=standings,
        failures=failures,
        unserved=tuple(Failure(name, METHOD, lack) for name, lack in contest.unserved.items()),
        classical=tuple(CLASSICAL),
        unseen=facts["judged_on"] == "test",
        shut=numbers["test"] if folds else 0,
        split=_tell_split(numbers, folds),
        plan=_settings(contest),
        recipe=format_recipe(contest.recipe, facts["reasons"]),
        commands=(_command(contest),),
    )
    return write_comparison(contest.folder / "compare.html", comparison)


def _tell_entries(contest: Contest) -> str:
    numbers = {"network": len(contest.networks), "method": len(contest.methods)}
    return " and ".join(count(number, what) for what, number in numbers.items() if number)


def _tell_split(numbers: Mapping[str, int], folds: int) -> str:
    if folds:
        learnt = count(numbers["train"] + numbers["val"], "exam")
        return (
            f"{learnt} are dealt into {folds} folds by patient and class; each is judged by the "
            "network that did not learn from its fold."
        )
    words = dict(zip(SPLITS, ("train", "validate", "test"), strict=True))
    told = [f"{numbers[s]:,} exams {words[s]}" for s in SPLITS if numbers[s]]
    return f"{', '.join(told)}; the same for all entries."


def _settings(contest: Contest) -> tuple[Setting, ...]:
    reasons = {}
    for key, reason in contest.facts["reasons"].items():
        # What differs between entries is no part of the common plan.
        own = key.startswith("net.") and key != "net.pretrained" and not contest.methods
        if not own and (contest.networks or key != "method.name"):
            reasons[key] = reason
    return tell_settings(contest.recipe, reasons)


def _named(contest: Contest) -> list[str]:
    """Write who takes part as on the command line."""
    asked = {"--nets": contest.networks, "--methods": (*contest.methods, *contest.unserved)}
    return [word for option, names in asked.items() if names for word in (option, ",".join(names))]


def _command(contest: Contest) -> str:
    facts, data = contest.facts, contest.facts["data"]
    words = ["medclf", "compare", data["origin"], *say_columns(data)]
    words += ["--skip-unreadable"] if data["left_out"] else []
    words += _named(contest)
    words += ["--minutes", f"{facts['minutes']:g}", "--seed", str(facts["seed"])]
    words += ["--folds", str(facts["folds"])] if facts["folds"] else []
    words += ["--pretrained"] if facts["pretrained"] else []
    recipe = contest.folder.absolute() / "recipe.toml"
    words += ["--recipe", str(recipe)] if contest.given else []
    return shlex.join([*words, "--out", "again"])
