"""A run judges the exams of DATA that it may be measured on.

They are read as those that it learnt from were: what was said of their columns holds again, as far
as the new data have such columns. Where they come from else, their images and sites are their own.
"""

from dataclasses import replace
from pathlib import Path

from medclf.core.cohort import Cohort
from medclf.curate.cohort import Columns, read_cohort
from medclf.evaluate.table import Predictions
from medclf.evaluate.tabulate import tabulate
from medclf.learn.align import choose_exams, columns_of, unseen_rows
from medclf.learn.facts import encode_facts
from medclf.learn.ready import with_places
from medclf.learn.run import Run
from medclf.learn.trained import Trained
from medclf.prepare.store import open_store
from medclf.watch import Watch


def judge_exams(
    run: Run, trained: Trained, data: str | Path | Cohort, columns: Columns, watch: Watch
) -> Predictions:
    """Predict the exams to evaluate on: the test split, or all where there is none.

    Args:
        run: Images that it learnt from are left out, under whatever name they come.
        trained: Its members.
        data: A cohort, or DATA as on the command line.
        columns: What is said of DATA; what was said of the run's data holds for the rest.
        watch: Told how far it is.

    Raises:
        CohortError: the labels are not those of the run, or no exam is left.
    """
    cohort = data if isinstance(data, Cohort) else read_like(run, Path(data), columns)
    cohort = with_places(choose_exams(run, cohort), trained.recipe)
    store = open_store(cohort.records, trained.recipe.prepare, progress=watch.count)
    unseen = unseen_rows(run, cohort, store)
    facts = encode_facts(cohort.records, trained.recipe.facts)
    shares, spread = trained.probabilities(store, unseen, facts)
    found = tabulate(cohort, unseen, shares, spread, len(cohort.records) - len(unseen))
    return replace(found, notes=cohort.notes)


def read_like(run: Run, data: Path, columns: Columns) -> Cohort:
    """Read exams as those of a run were read, where nothing else is said of them."""
    usual = columns_of(run.facts["data"])
    if str(data.absolute()) != run.facts["data"]["origin"]:
        usual = replace(usual, images=None, hold_out=None, group=None)
    return read_cohort(data, columns, usual)
