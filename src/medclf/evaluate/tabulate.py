"""From probabilities to the table of predictions: labels, patients and facts join them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.evaluate.identity import tells_who
from medclf.evaluate.score import Classes, Numbers
from medclf.evaluate.subgroup import part
from medclf.evaluate.table import Predictions


def make_labels(records: Sequence[Record]) -> Classes:
    """Write labels as `evaluate` takes them: (N,) class numbers, or (N, K) 0 and 1."""
    return np.array([record.label for record in records], dtype=np.int64)


def tabulate(
    cohort: Cohort,
    chosen: NDArray[np.int64],
    shares: Numbers,
    spread: Numbers,
) -> Predictions:
    """Join probabilities with exams, labels and facts; patients become numbers.

    The table goes to disk and into reports: it groups exams by patient without saying who it is.
    Of the facts it takes those that part exams into groups; free text, and what each patient has
    for himself, may say who he is and tells no score.

    Args:
        chosen: Numbers of the exams that were judged.
        shares: Their probabilities, (N, K).
        spread: And how far these spread, likewise.
    """
    records = [cohort.records[i] for i in chosen]
    order = sorted({record.patient for record in cohort.records})
    number = {patient: f"patient-{i + 1:05d}" for i, patient in enumerate(order)}
    people = [record.patient for record in cohort.records]
    facts = {
        name: tuple(record.facts.get(name) for record in records)
        for name in sorted({fact for record in records for fact in record.facts})
        if not tells_who(name, [r.facts.get(name) for r in cohort.records], people)
    }
    return Predictions(
        task=cohort.task,
        exams=np.array([record.name for record in records]),
        patients=np.array([number[record.patient] for record in records]),
        splits=np.array(["test" if record.split == "test" else "val" for record in records]),
        target=make_labels(records),
        probabilities=shares,
        spread=spread,
        facts={name: values for name, values in facts.items() if part(name, values)},
    )
