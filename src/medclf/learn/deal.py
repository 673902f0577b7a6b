"""Deal exams into what each member learns from and validates on, and write down their labels."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.curate.fold import assign_folds
from medclf.errors import CohortError
from medclf.learn.committee import Part
from medclf.learn.recipe import Recipe


def make_target(records: Sequence[Record], task: Task) -> Tensor:
    """Write labels as shares of each class: (N, K) float32."""
    if task.kind == "coexisting":
        return torch.tensor([r.label for r in records], dtype=torch.float32)
    return torch.eye(len(task.classes))[torch.tensor([r.label for r in records])]


def deal_parts(cohort: Cohort, recipe: Recipe) -> list[Part]:
    """Deal exams into what each member learns from and validates on, a part for each.

    Raises:
        CohortError: no exam is left to validate on.
    """
    splits = np.array([record.split for record in cohort.records])
    fit = recipe.fit
    if not fit.folds:
        part = Part(np.flatnonzero(splits == "train"), np.flatnonzero(splits == "val"))
        if not len(part.training) or not len(part.validation):
            raise CohortError(
                f"{cohort.origin}: exams to train and to validate on wanted, found "
                f"{len(part.training)} and {len(part.validation)}"
            )
        return [part] * fit.members
    pool = np.flatnonzero(splits != "test")
    records = [cohort.records[i] for i in pool]
    try:
        fold = assign_folds(records, cohort.task.classes, fit.folds, fit.seed)
    except CohortError as problem:
        raise CohortError(f"{cohort.origin}: {problem}; fit.folds says how many") from problem
    folds = [Part(pool[fold != k], pool[fold == k]) for k in range(fit.folds)]
    return [folds[m % fit.folds] for m in range(fit.members)]
