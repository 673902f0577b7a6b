"""The verbs in Python: read a cohort, plan, train, load; the command line says the same words.

run = medclf.train("exams.csv", out="runs/first", minutes=2)
print(run.scores["auc"])
for answer in run.predict(["new.dcm"]):
    print(answer.name, answer.decided)
"""

import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from medclf.answers import Answers, expect_site
from medclf.compose import compose_report
from medclf.core.cohort import Cohort
from medclf.core.prediction import Prediction
from medclf.curate.cohort import AS_FOUND, Columns
from medclf.curate.cohort import read_cohort as read_columns
from medclf.curate.fingerprint import take_fingerprint
from medclf.curate.split import split_cohort
from medclf.errors import ReadError, RunError
from medclf.evaluate.scores import Scores, score
from medclf.evaluate.table import Predictions
from medclf.joined import JoinedRun
from medclf.judging import judge_exams
from medclf.learn.align import read_again
from medclf.learn.begin import begin_run, expect_budget, expect_fit, expect_free, expect_seed
from medclf.learn.borrowed import take_network
from medclf.learn.few import fit_folds
from medclf.learn.fit import fit_run
from medclf.learn.join import part_folders
from medclf.learn.plan import Plan, make_plan, take_plan
from medclf.learn.ready import make_ready, make_ready_again
from medclf.learn.recipe import Recipe
from medclf.learn.run import Run, open_run, sole_use
from medclf.learn.settings import Option
from medclf.learn.take_method import take_method, with_options
from medclf.learn.trained import Trained, load_trained
from medclf.prepare.store import Store
from medclf.watch import SILENT, Watch

__all__ = ["SILENT", "TrainedRun", "Watch", "load", "plan", "read_cohort", "resume", "train"]

MINUTES = 2.0


def read_cohort(data: str | Path, **columns: Any) -> Cohort:
    """Read what is in a folder, a table, an archive or a packed data set; no pixels yet.

    Args:
        data: DATA, as on the command line.
        columns: Fields of `medclf.curate.cohort.Columns`: label, patient, split, classes, …;
            where several names may be given, as a list of them.

    Raises:
        CohortError: the records contradict each other.
        ReadError: nothing there can be read.
    """
    if columns.get("images") is not None:
        columns["images"] = Path(columns["images"])
    for name, said in columns.items():
        columns[name] = tuple(said) if isinstance(said, list) else said
    return read_columns(Path(data), Columns(**columns))


def plan(
    cohort: Cohort,
    minutes: float = MINUTES,
    seed: int = 0,
    watch: Watch = SILENT,
    net: str = "",
    pretrained: bool = False,
    method: str = "",
    options: Mapping[str, Option] | None = None,
) -> Plan:
    """Choose the recipe that a cohort's fingerprint asks for, with the reason of each choice.

    Args:
        minutes: Budget of the training, wall clock.
        watch: Told how far it is.
        net: The network, by name; "" leaves it to the plan.
        pretrained: Start from published weights.
        method: The method, by name; "" leaves it to the plan.
        options: Of the method.

    Raises:
        CohortError: the data lack what the method needs.
        SettingError: the budget is not above 0, there is no such network or method, or no weights
            are published.
    """
    minutes, seed = expect_budget(minutes), expect_seed(seed)
    split = split_cohort(cohort, seed)
    found = take_fingerprint(split, seed=seed, progress=watch.count)
    made = take_method(make_plan(split, found, minutes, seed), split, found, method)
    chosen = fit_folds(with_options(made, options or {}), split)
    if not net and not pretrained:
        return chosen
    learnt = sum(record.split != "test" for record in split.records)
    return take_network(chosen, split.task, net, pretrained, learnt, minutes)


def train(
    data: str | Path | Cohort,
    out: str | Path,
    minutes: float | None = None,
    seed: int | None = None,
    recipe: Recipe | Plan | None = None,
    columns: Columns = AS_FOUND,
    watch: Watch = SILENT,
    skip_unreadable: bool = False,
) -> "TrainedRun":
    """Train, measure and report; everything goes into a new run folder.

    Args:
        data: A cohort, or DATA as on the command line.
        out: The run folder; it must not hold anything yet.
        minutes: Budget, wall clock. 2 where neither it nor a recipe with epochs is given.
        seed: All chance comes from it; 0, or that of the recipe, where it is not given.
        recipe: Instead of the plan; or a plan, whose reasons are kept.
        columns: What the columns of DATA mean, where it is not a cohort.
        watch: Told how far it is.
        skip_unreadable: Leave unreadable images out, and say so, rather than stop.

    Raises:
        MedclfError: the data, the recipe or the folder do not serve; nothing is left behind.
    """
    start = time.monotonic()
    minutes = None if minutes is None else expect_budget(minutes)
    seed = None if seed is None else expect_seed(seed)
    folder = Path(out)
    expect_free(folder)
    cohort = data if isinstance(data, Cohort) else read_columns(Path(data), columns)
    if recipe is None:
        recipe = plan(cohort, minutes or MINUTES, seed or 0, watch)
    chosen = take_plan(recipe, seed)
    recipe = chosen.recipe
    if minutes is None and not recipe.fit.epochs:
        minutes = MINUTES
    expect_fit(recipe, split_cohort(cohort, recipe.fit.seed))
    ready = make_ready(cohort, recipe, columns, watch.count, skip_unreadable)
    cohort, recipe = ready.cohort, ready.recipe
    facts = {
        "reasons": {**chosen.reasons, **ready.reasons},
        "data": ready.data,
        "notes": list(cohort.notes),
        "minutes": minutes,
    }
    with begin_run(folder, recipe, cohort, facts, ready.known) as run:
        left = None if minutes is None else minutes * 60 - (time.monotonic() - start)
        return _finish(run, cohort, ready.store, left, watch)


def resume(
    folder: str | Path,
    data: str | Path | Cohort | None = None,
    minutes: float | None = None,
    watch: Watch = SILENT,
) -> "TrainedRun":
    """Go on with a run that was cut short; it ends as if it had not been.

    Args:
        folder: The run.
        data: Where the data are now, if they have moved.
        minutes: A further budget; without it the run goes on to its last epoch.

    Raises:
        RunError: the data have changed since the run was begun, or it is done already.
    """
    minutes = None if minutes is None else expect_budget(minutes)
    open_run(Path(folder))  # Before the lock, whose file must not be left in a folder without run.
    with sole_use(Path(folder)):
        run = open_run(Path(folder))
        if run.done and (run.folder / "report.html").exists():
            raise RunError(f"{folder}: this run has come to its end; there is nothing to resume")
        cohort = data if isinstance(data, Cohort) else read_again(run, data)
        ready = make_ready_again(run.folder, cohort, run.recipe, run.facts["data"], watch.count)
        if minutes is None and not run.recipe.fit.settled:
            minutes = run.facts.get("minutes")
        seconds = None if minutes is None else minutes * 60
        return _finish(run, ready.cohort, ready.store, seconds, watch)


def load(folder: str | Path) -> "TrainedRun | JoinedRun":
    """Load a run that has come to its end, or one that was joined from such runs.

    Raises:
        RunError: there is none, it is damaged or unfinished, or a newer medclf wrote it.
    """
    run = open_run(Path(folder))
    if parts := part_folders(run):
        return JoinedRun(run, tuple(load(part) for part in parts))
    return TrainedRun(run, load_trained(run))


@dataclass(frozen=True)
class TrainedRun:
    """A run that has come to its end: it predicts and evaluates.

    Args:
        run: Its folder.
        trained: Its members, loaded.
    """

    run: Run
    trained: Trained

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
        """Predict exams.

        Args:
            files: An image each, or a folder for a volume in many DICOM files; or a table whose
                rows are exams, with their images, marked points and facts.
            watch: Told how far it is.
            site: Where they come from, where the run goes by the site.
            series: Which volume of a folder is meant, as `Columns.series`; that of the training
                where it is not said.
            images: The folder or zip of the images that a table names; beside it where not said.
            skip_unreadable: Give an exam that cannot be read no probabilities, and the reason as
                its warning, rather than stop.

        Raises:
            ReadError: a file cannot be read, or is not like those that the run was trained on;
                where such are skipped, all are.
            SettingError: a site is named, and the run does not go by sites.
        """
        expect_site(self.trained, site, self.run)
        answers = Answers(self.run, self.trained, site, skip_unreadable, watch.note)
        listed, found = answers.list_exams(files, series, images), list[Prediction]()
        for part in answers.parts(listed):
            found += part
            if watch.count is not None:
                watch.count(len(found), len(listed))
        if found and not any(one.probabilities for one in found):
            raise ReadError(found[0].warnings[0])
        return found

    def judge(
        self,
        data: str | Path | Cohort,
        columns: Columns = AS_FOUND,
        watch: Watch = SILENT,
        skip_unreadable: bool = False,
    ) -> Predictions:
        """Predict the exams to evaluate on: the test split, or all where there is none.

        Images that the run learnt from are left out, under whatever name they come, and others of
        their patients. What was said of the columns of its data holds again, where nothing else is
        said. With `skip_unreadable`, images that cannot be read are left out and counted.

        Raises:
            CohortError: the labels are not those of the run, or no exam is left.
            ReadError: images cannot be read.
        """
        return judge_exams(self.run, self.trained, data, columns, watch, skip_unreadable)

    def evaluate(self, data: str | Path | Cohort, columns: Columns = AS_FOUND) -> Scores:
        """Measure the run on exams, with intervals by patient; see `judge` for which."""
        return self.measure(self.judge(data, columns))

    def measure(self, judged: Predictions) -> Scores:
        """Measure what was judged, with the threshold that the run chose on validation."""
        recipe = self.trained.recipe
        return score(judged, self.trained.decision, recipe.fit.seed, recipe.decide.resamples)


def _finish(
    run: Run, cohort: Cohort, store: Store, seconds: float | None, watch: Watch
) -> TrainedRun:
    """Bring a run to its end, from wherever it stands."""
    if not run.done:
        run = fit_run(run, cohort, store, seconds, watch.tell)
    done = TrainedRun(run, load_trained(run))
    shutil.rmtree(run.folder / "checkpoint", ignore_errors=True)
    for left in (*run.folder.glob(".*.part*"), *run.folder.glob(".tmp*")):
        left.unlink()  # A killed training's, which nobody will go on writing.
    compose_report(run, cohort, store)
    return done
