"""Align other data with a run: its classes, and the exams that it may be judged on."""

from dataclasses import replace

from medclf.core.cohort import Cohort
from medclf.curate.renumber import renumber
from medclf.learn.run import Run, read_splits


def choose_exams(run: Run, cohort: Cohort) -> Cohort:
    """Choose what a run may be judged on: the test split, or everything where there is none.

    Where the data are those of the run, exams keep the split that they had in it.

    Raises:
        CohortError: the classes are others, or no labelled exam is left.
    """
    cohort = renumber(cohort, run.task)
    if str(cohort.origin.absolute()) == run.facts["data"]["origin"]:
        splits = read_splits(run.folder)
        known = tuple(r for r in cohort.records if r.name in splits)
        cohort = replace(cohort, records=tuple(replace(r, split=splits[r.name]) for r in known))
    tests = tuple(r for r in cohort.records if r.split == "test" and r.label is not None)
    everything = tuple(r for r in cohort.records if r.label is not None)
    if any(record.split == "test" for record in cohort.records):
        return replace(cohort, records=tests)
    return replace(cohort, records=everything)
