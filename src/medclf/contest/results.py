"""The results of a contest: what its entries left, from best to worst, as values and as files."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from medclf.contest.folder import TERMS, Contest
from medclf.contest.jobs import family_of
from medclf.contest.outcome import Outcome
from medclf.core.task import Task
from medclf.core.whole import write_whole
from medclf.errors import MedclfError, ReadError
from medclf.evaluate.ranking import macro_auc
from medclf.evaluate.scores import Scores
from medclf.evaluate.standing import Failure, Result, Standing, rank
from medclf.evaluate.table import read_predictions


def gather(contest: Contest) -> tuple[tuple[Standing, ...], tuple[Failure, ...]]:
    """Read what entries left, and rank those that came to their end.

    Raises:
        CohortError: entries were judged on different exams.
    """
    results, failures = [], []
    for name, outcome in contest.outcomes().items():
        if not outcome.done:
            failures.append(Failure(name, family_of(name), outcome.reason))
            continue
        try:
            place, family = contest.place(name), family_of(name)
            results.append(read_result(place, name, family, contest.task, outcome))
        except MedclfError as problem:
            failures.append(Failure(name, family_of(name), str(problem)))
    recipe = contest.recipe
    return rank(results, recipe.fit.seed, recipe.decide.resamples), tuple(failures)


def read_result(place: Path, name: str, family: str, task: Task, outcome: Outcome) -> Result:
    """Read what an entry left in its folder.

    Raises:
        ReadError: a table is absent or damaged, or the entry has not come to its end.
    """
    found = read_predictions(place / "predictions.csv", task)
    try:
        plain = json.loads((place / "scores.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ReadError(f"{place / 'scores.json'}: cannot read it: {problem}") from problem
    tests, held = (found.select(found.splits == split) for split in ("test", "val"))
    judged = tests if len(tests) else held
    known = held.select(held.labelled)
    area = float(macro_auc(known.target, known.probabilities))
    if outcome.cost is None:
        raise ReadError(f"{place}: this entry has not come to its end")
    scores = Scores.from_json(plain)
    return Result(name, family, judged, scores, area, outcome.cost, outcome.note)


def list_rows(
    standings: tuple[Standing, ...], failures: tuple[Failure, ...]
) -> list[dict[str, Any]]:
    """List all entries as plain values, those that came to nothing last."""
    rows = [standing.to_json() for standing in standings]
    keys = rows[0] if rows else {"entry": "", "family": "", "failure": ""}
    for failure in failures:
        told = {"entry": failure.name, "family": failure.family, "failure": failure.reason}
        rows.append({key: told.get(key) for key in keys})
    return rows


def write_table(contest: Contest, rows: list[dict[str, Any]]) -> None:
    """Write `table.csv` and `table.json` into the folder of a contest.

    Raises:
        RunError: they cannot be written.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(contest.folder / "table.csv", text.getvalue())
    write_whole(contest.folder / "table.json", json.dumps(tell(contest, rows), indent=1))


def tell(contest: Contest, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the table and the terms that it holds under, as plain values."""
    two = len(contest.task.classes) == 2 and contest.task.kind != "coexisting"
    facts = contest.facts
    return {
        "origin": facts["data"]["origin"],
        "digest": facts["data"]["digest"],
        **{name: facts[name] for name in TERMS},
        "judged_on": facts["judged_on"],
        "test": "DeLong" if two else "paired bootstrap",
        "machine": facts["machine"],
        "entries": rows,
        "unserved": contest.unserved,
    }
