"""A network or a method at work: a run of its own, trained within the budget, judged and gauged.

The training is that of `learn.fit`; a run that was cut short goes on from its last whole epoch,
with what is left of the budget.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medclf.contest.gauge import peak_memory_mb
from medclf.contest.judged import open_exams
from medclf.contest.member import gauge_member
from medclf.contest.outcome import Outcome, Step, Tell
from medclf.core.cohort import Cohort
from medclf.errors import RunError
from medclf.learn.begin import begin_run
from medclf.learn.committee import at_once
from medclf.learn.deal import deal_parts
from medclf.learn.device import pick_device
from medclf.learn.facts import digest_facts
from medclf.learn.fit import fit_run
from medclf.learn.keep import Progress
from medclf.learn.ready import expect_facts, with_places
from medclf.learn.recipe import Recipe
from medclf.learn.run import Digests, Run, open_run, sole_use
from medclf.prepare.store import Rows, open_store
from medclf.report.words import count


@dataclass(frozen=True)
class Network:
    """The work of a network or a method.

    Args:
        folder: Of its run.
        recipe: Of its run; the epochs are what the budget allows.
        cohort: Split.
        facts: What its run keeps: the data, the reasons of the recipe.
        known: By what each exam is known again.
        minutes: Budget.
    """

    folder: Path
    recipe: Recipe
    cohort: Cohort
    facts: Mapping[str, Any]
    known: tuple[Digests, ...]
    minutes: float

    def run(self, tell: Tell) -> Outcome:
        """Train, judge and measure; then count and time one of the members.

        Raises:
            RunError: images or facts have changed, or the budget did not suffice for every fold.
            MedclfError: the network does not fit the exams.
        """
        store = open_store(self.cohort.records, self.recipe.prepare, skip_unreadable=True)
        if store.digest != self.facts["data"]["digest"]:
            raise RunError(f"{self.cohort.origin}: the images have changed since the start")
        known = with_places(self.cohort, self.recipe, skip_unreadable=True)
        cohort, rows = open_exams(known, store, self.recipe.fit.folds)
        run = self._trained(cohort, rows, tell)
        wanted, found = self.recipe.fit.members, run.recipe.fit.members
        if found < wanted:
            raise RunError(f"{self.minutes:g} minutes allow {found} of {wanted} folds")
        memory = peak_memory_mb()
        passes, note = _passes(run, cohort)
        return Outcome(gauge_member(run, cohort.records[0], rows, passes, memory), note)

    def _trained(self, cohort: Cohort, rows: Rows, tell: Tell) -> Run:
        """Bring the run to its end, from wherever it stands.

        A run that the budget left without some of its folds begins anew.
        """
        if (self.folder / "run.json").exists():
            with sole_use(self.folder):
                run = open_run(self.folder)
                if run.recipe.fit.members >= self.recipe.fit.members:
                    expect_facts(run.folder, run.facts["data"], cohort, run.recipe)
                    return run if run.done else self._fit(run, cohort, rows, tell)
            shutil.rmtree(self.folder)
        every = dict(zip((r.name for r in self.cohort.records), self.known, strict=True))
        known = [every[record.name] for record in cohort.records]
        data = dict(self.facts["data"])
        data["facts"] = digest_facts(cohort.records, self.recipe.facts, data["digest"])
        facts = {**self.facts, "data": data}
        with begin_run(self.folder, self.recipe, cohort, facts, known) as run:
            return self._fit(run, cohort, rows, tell)

    def _fit(self, run: Run, cohort: Cohort, rows: Rows, tell: Tell) -> Run:
        def pass_on(progress: Progress) -> None:
            tell(Step(progress.done, progress.total, progress.row))

        side = at_once(run.recipe, pick_device())
        before = sum(row["seconds"] for row in run.log()) / side
        left = self.minutes * 60 - before
        run = fit_run(run, cohort, rows, left, pass_on, fixed=True)
        spent = dict(run.facts["spent"])
        return run.update(spent=spent | {"seconds": spent["seconds"] + before})


def _passes(run: Run, cohort: Cohort) -> tuple[float, str]:
    """Count the passes over the training exams, and say where the budget cut them."""
    fit, last = run.recipe.fit, {int(row["member"]): row["epoch"] for row in run.log()}
    epochs = float(np.mean(list(last.values())))
    if fit.steps:
        exams = len(deal_parts(cohort, run.recipe)[0].training)
        passes = min(1.0, fit.steps * fit.batch / exams)
        note = f"The budget allowed {count(fit.steps, 'step')}, {passes:.2g} of a pass."
        return epochs * passes, note if passes < 1 else ""
    if epochs < fit.epochs:
        return epochs, f"The budget ended after {epochs:g} of {fit.epochs} epochs."
    return epochs, ""
