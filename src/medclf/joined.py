"""Runs joined to one: it predicts and evaluates as a trained run does, by asking all of them.

How their answers become one, the calibration and the thresholds are chosen on validation alone;
the test exams are then opened once.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from medclf.answers import goes_by_site
from medclf.compose import compose_report
from medclf.core.cohort import Cohort
from medclf.core.prediction import Prediction
from medclf.core.whole import write_whole
from medclf.curate.cohort import AS_FOUND, Columns
from medclf.curate.problem import count
from medclf.errors import CohortError, SettingError
from medclf.evaluate.choice import choose
from medclf.evaluate.combine import WAYS, Combination, Way, choose_way, fit_combination
from medclf.evaluate.scores import Scores, score
from medclf.evaluate.table import Predictions, write_predictions
from medclf.learn.align import read_again
from medclf.learn.begin import begin_run, expect_free
from medclf.learn.join import Judges, keep_parts, open_judges
from medclf.learn.measure import CHOSEN_ON
from medclf.learn.ready import make_ready_again
from medclf.learn.run import Run
from medclf.learn.trained import read_choices
from medclf.watch import SILENT, Watch


class Part(Protocol):
    """A run that was joined."""

    @property
    def run(self) -> Run:
        """Its folder."""

    def predict(
        self,
        files: Iterable[str | Path],
        watch: Watch,
        site: str,
        series: str | None,
        images: str | Path | None,
        skip_unreadable: bool,
    ) -> list[Prediction]:
        """Predict exams."""

    def judge(
        self, data: str | Path | Cohort, columns: Columns, watch: Watch, skip_unreadable: bool
    ) -> Predictions:
        """Predict the exams to evaluate on."""


def join(
    folders: Sequence[str | Path],
    out: str | Path,
    way: Way | None = None,
    data: str | Path | None = None,
    watch: Watch = SILENT,
) -> Run:
    """Join trained runs of the same exams and splits; everything goes into a new run folder.

    Args:
        folders: Of the runs.
        out: The new folder; it must not hold anything yet.
        way: "mean", "weights" or "stacking"; `None`: chosen on validation.
        data: Where the data are now, if they have moved.
        watch: Told how far it is.

    Returns:
        The new run; `load` its folder to predict with it.

    Raises:
        RunError: the runs do not go together, or the folder does not serve.
        SettingError: the way is unknown.
    """
    if way is not None and way not in WAYS:
        raise SettingError(f"runs are joined by {', '.join(WAYS)}, not by {way!r}")
    runs, judges = open_judges([Path(folder) for folder in folders])
    folder, first = Path(out), runs[0]
    expect_free(folder)
    cohort, recipe = read_again(first, data), first.recipe
    ready = make_ready_again(first.folder, cohort, recipe, first.facts["data"], watch.count)
    val, test = judges.of("val"), judges.of("test")
    combination, why = _combine(val, way, recipe.fit.seed)
    shares = combination.apply(first.task, val.shares)
    how = recipe.decide
    calibration, decision = choose(
        *(first.task, val.found.target, shares, how.calibrate, how.threshold, how.sensitivity)
    )
    names = ", ".join(Path(one.folder).resolve().name for one in runs)
    told = f"Joined from {names}, by {combination.way} ({why}). The recipe is that of the first."
    facts = {
        "reasons": {},
        "data": ready.data,
        "notes": [*ready.cohort.notes, told],
        "minutes": None,
        "values": first.facts["values"],
        "combination": asdict(combination),
        "calibration": asdict(calibration),
        "decision": asdict(decision),
    }
    with begin_run(folder, recipe, ready.cohort, facts, ready.known) as run:
        run = run.update(parts=keep_parts(runs, folder))
        found = [_answer(run, part.found, part.shares, part.spreads) for part in (val, test)]
        table = _stack(found[0], found[1])
        write_predictions(folder / "predictions.csv", table)
        measured = found[1] if len(found[1]) else found[0]
        scores = score(measured, decision, recipe.fit.seed, how.resamples)
        seen = () if len(found[1]) else (CHOSEN_ON,)
        scores = replace(scores, notes=(*scores.notes, *seen, *ready.data.get("copied", ())))
        write_whole(folder / "scores.json", json.dumps(scores.to_json(), indent=1))
        run = run.update(state="done")
        compose_report(run, ready.cohort, ready.store)
    return run


def _combine(val: Judges, way: Way | None, seed: int) -> tuple[Combination, str]:
    """Fit how judges are joined to validation exams, and say why in this way."""
    why = "asked for"
    if way is None:
        way, losses = choose_way(val.found, val.shares, seed)
        tried = ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items())
        why = f"log loss on validation patients left out: {tried}"
        why = why if losses else "one validation patient cannot tell which way is best"
    return fit_combination(way, val.found.task, val.found.target, val.shares), why


def _answer(run: Run, found: Predictions, shares: Any, spreads: Any) -> Predictions:
    """Join what the parts said of some exams, and calibrate it."""
    combination, (calibration, _) = read_combination(run), read_choices(run)
    given = calibration.mend(run.task, combination.apply(run.task, shares))
    return replace(found, probabilities=given, spread=combination.spread(shares, spreads))


def _stack(one: Predictions, other: Predictions) -> Predictions:
    return Predictions(
        one.task,
        np.concatenate([one.exams, other.exams]),
        np.concatenate([one.patients, other.patients]),
        np.concatenate([one.splits, other.splits]),
        np.concatenate([one.target, other.target]),
        np.concatenate([one.probabilities, other.probabilities]),
        np.concatenate([one.spread, other.spread]),
        {name: (*values, *other.facts[name]) for name, values in one.facts.items()},
    )


def read_combination(run: Run) -> Combination:
    """Take from a joined run how its parts are joined."""
    kept = run.facts["combination"]
    return Combination(kept["way"], tuple(kept["weights"]), tuple(map(tuple, kept["lines"])))


@dataclass(frozen=True)
class JoinedRun:
    """A run that was joined from others: it predicts and evaluates.

    Args:
        run: Its folder.
        parts: The runs that it was joined from, loaded.
    """

    run: Run
    parts: tuple[Part, ...]

    @cached_property
    def scores(self) -> dict[str, Any]:
        """What `scores.json` holds: each figure with its interval."""
        return self.run.scores()

    def predict(
        self,
        files: Iterable[str | Path],
        watch: Watch = SILENT,
        site: str = "",
        series: str | None = None,
        images: str | Path | None = None,
        skip_unreadable: bool = False,
    ) -> list[Prediction]:
        """Predict exams, as `TrainedRun.predict` does; `site` goes to the parts that go by one.

        Raises:
            ReadError: as `TrainedRun.predict`.
            SettingError: a site is named, and no part goes by sites.
        """
        files, sites = list(files), [site if _goes_by_site(part) else "" for part in self.parts]
        if site and not any(sites):
            raise SettingError(f"{self.run.folder}: no site wanted, which no part of it goes by")
        said = [
            part.predict(files, watch, own, series, images, skip_unreadable)
            for part, own in zip(self.parts, sites, strict=True)
        ]
        each = list(zip(*said, strict=True))
        unread = {i: one for i, some in enumerate(each) for one in some if not one.probabilities}
        read = [some for i, some in enumerate(each) if i not in unread]
        found = iter(self._answer(read) if read else [])
        return [unread[i] if i in unread else next(found) for i in range(len(each))]

    def _answer(self, each: Sequence[Sequence[Prediction]]) -> list[Prediction]:
        """Join what the parts said of each exam."""
        said = list(zip(*each, strict=True))
        shares = np.array([[one.probabilities for one in some] for some in said])
        spreads = np.array([[one.spread for one in some] for some in said])
        task, combination = self.run.task, read_combination(self.run)
        calibration, decision = read_choices(self.run)
        given = calibration.mend(task, combination.apply(task, shares))
        spread = combination.spread(shares, spreads)
        decided = decision.decide(given)
        return [
            replace(
                some[0],
                probabilities=tuple(given[i].tolist()),
                spread=tuple(spread[i].tolist()),
                decided=task.names(decided[i]),
                warnings=tuple(dict.fromkeys(word for one in some for word in one.warnings)),
                views=tuple(
                    replace(view, view=f"part {number}: {view.view}")
                    for number, one in enumerate(some, 1)
                    for view in one.views
                ),
            )
            for i, some in enumerate(each)
        ]

    def judge(
        self,
        data: str | Path | Cohort,
        columns: Columns = AS_FOUND,
        watch: Watch = SILENT,
        skip_unreadable: bool = False,
    ) -> Predictions:
        """Predict the exams to evaluate on, but those that a part learnt from.

        Raises:
            CohortError: as `TrainedRun.judge`, or no exam is new to all parts.
        """
        tables = [part.judge(data, columns, watch, skip_unreadable) for part in self.parts]
        common = set(tables[0].exams.tolist()).intersection(*(t.exams.tolist() for t in tables[1:]))
        if not common:
            raise CohortError(f"{data}: exams that no part of {self.run.folder} learnt from wanted")
        kept = [table.select(np.isin(table.exams, list(common))) for table in tables]
        shares = np.stack([table.probabilities for table in kept])
        spreads = np.stack([table.spread for table in kept])
        notes = list(dict.fromkeys(note for table in tables for note in table.notes))
        if lost := len({exam for table in tables for exam in table.exams.tolist()} - common):
            told = count(lost, "exam")
            notes.append(f"Left out: {told} that not every part of the run can judge.")
        return _answer(self.run, replace(kept[0], notes=tuple(notes)), shares, spreads)

    def evaluate(self, data: str | Path | Cohort, columns: Columns = AS_FOUND) -> Scores:
        """Measure the run on exams, with intervals by patient; see `judge` for which."""
        return self.measure(self.judge(data, columns))

    def measure(self, judged: Predictions) -> Scores:
        """Measure what was judged, with the threshold that was chosen on validation."""
        recipe, (_, decision) = self.run.recipe, read_choices(self.run)
        return score(judged, decision, recipe.fit.seed, recipe.decide.resamples)


def _goes_by_site(part: Part) -> bool:
    """Tell whether a part goes by the site, or one of those that it was joined from."""
    if isinstance(part, JoinedRun):
        return any(map(_goes_by_site, part.parts))
    return goes_by_site(part.run.recipe)
