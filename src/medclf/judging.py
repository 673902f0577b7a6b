"""A run judges the exams of DATA that it may be measured on.

They are read as those that it learnt from were: what was said of their columns holds again, as far
as the new data have such columns. Where they come from else, their images and sites are their own.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medclf.core.cohort import Cohort
from medclf.curate.cohort import Columns, read_cohort
from medclf.curate.problem import count
from medclf.curate.remarked import check_remarks
from medclf.curate.table import NAMES, carry_over, tell_carried
from medclf.errors import MedclfError
from medclf.evaluate.table import Predictions
from medclf.evaluate.tabulate import tabulate
from medclf.learn.align import (
    choose_exams,
    columns_of,
    digest_images,
    find_unseen,
    join_judged,
)
from medclf.learn.facts import count_doubts, encode_facts
from medclf.learn.ready import keep_read, with_places
from medclf.learn.run import Run
from medclf.learn.trained import Trained
from medclf.prepare.store import Store, open_store
from medclf.watch import Watch


def judge_exams(
    run: Run,
    trained: Trained,
    data: str | Path | Cohort,
    columns: Columns,
    watch: Watch,
    skip_unreadable: bool = False,
) -> Predictions:
    """Predict the exams to evaluate on: the test split, or all where there is none.

    Args:
        run: Images that it learnt from are left out, under whatever name they come, and whatever
            else shows a patient of theirs.
        trained: Its members.
        data: A cohort, or DATA as on the command line.
        columns: What is said of DATA; what was said of the run's data holds for the rest.
        watch: Told how far it is.
        skip_unreadable: Leave out what cannot be read rather than stop; a note counts it, as it
            does where the training has left out some of the same data.

    Raises:
        CohortError: the labels are not those of the run, or no exam is left.
        ReadError: images cannot be read.
    """
    cohort = data if isinstance(data, Cohort) else read_like(run, Path(data), columns)
    skip = skip_unreadable or _has_skipped(run, cohort.origin)
    cohort = with_places(choose_exams(run, cohort), trained.recipe, skip_unreadable=skip)
    store = open_store(
        cohort.records, trained.recipe.prepare, progress=watch.count, skip_unreadable=skip
    )
    cohort = keep_read(cohort, store)
    digests = digest_images(store)
    unseen, left_out = find_unseen(run, cohort, digests)
    cohort = join_judged(run, cohort, unseen, digests)
    facts = encode_facts(cohort.records, trained.recipe.facts)
    shares, spread = trained.probabilities(store, unseen, facts)
    found = tabulate(cohort, unseen, shares, spread)
    doubts = _tell_doubts(store, found.exams.tolist())
    judged = [cohort.records[number] for number in unseen]
    doubts += count_doubts(judged, trained.recipe.facts)
    return replace(found, notes=(*cohort.notes, *_tell_unread(store), *left_out, *doubts))


def read_like(run: Run, data: Path, columns: Columns) -> Cohort:
    """Read exams as those of a run were read, where nothing else is said of them.

    What the classes are and how they relate, the run knows: other data may hold fewer of them.
    A pattern of patients holds for other data only as far as it fits, and no column tells them.

    Raises:
        MedclfError: they cannot be read; what was said of the run's data is told.
    """
    usual = columns_of(run.facts["data"])
    usual = replace(usual, series=usual.series or run.facts["data"].get("series"))
    if not _is_own(run, data):
        usual = replace(usual, images=None, hold_out=None, group=None)
    elif not columns.patient and not columns.patient_pattern:
        columns = replace(columns, patient_pattern=usual.patient_pattern)
    try:
        return read_cohort(data, columns, usual, run.task)
    except MedclfError as problem:
        named = [getattr(usual, name) or () for name in NAMES]
        there = [name for one in named for name in ([one] if isinstance(one, str) else one)]
        told = tell_carried(columns, carry_over(columns, usual, [dict.fromkeys(there, ())]))
        raise type(problem)(". ".join([str(problem), *told])) from problem


def _tell_doubts(store: Store, exams: Sequence[str]) -> list[str]:
    """Tell which of some exams have images that a person should look at."""
    remarks = {exam: store.remarks[exam] for exam in exams if exam in store.remarks}
    return [one.message for one in check_remarks(remarks) if one.kind == "doubtful_image"]


def _is_own(run: Run, data: Path) -> bool:
    """Tell whether a run was trained on these very data, however the path is spelt."""
    return os.path.realpath(data) == os.path.realpath(str(run.facts["data"]["origin"]))


def _has_skipped(run: Run, data: Path) -> bool:
    """Tell whether training has left out images of these data that cannot be read."""
    return _is_own(run, data) and bool(run.facts["data"]["left_out"])


def _tell_unread(store: Store) -> list[str]:
    """Count the images that cannot be read."""
    if not store.failures:
        return []
    (_, why), *_ = store.failures
    told = count(len(store.failures), "image")
    return [f"Left out: {told} that cannot be read, the first: {why}"]
