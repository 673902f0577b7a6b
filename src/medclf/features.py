"""Features of exams, for any other pipeline: what a pretrained body or a trained run sees.

Nothing is learnt: each exam goes through the network once, and the vector before the last layer is
kept.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from medclf import verbs
from medclf.core.cohort import Cohort
from medclf.errors import SettingError
from medclf.learn.borrowed import same_field
from medclf.learn.committee import build_method
from medclf.learn.device import pick_device
from medclf.learn.exams import Exams, measure_values, standardised
from medclf.learn.facts import encode_facts
from medclf.learn.frozen import embed
from medclf.learn.ready import keep_read, with_places
from medclf.learn.recipe import Recipe
from medclf.method.contract import Method
from medclf.net.weights import find_source
from medclf.prepare.standard import learn_standard
from medclf.prepare.store import Store, open_store

if TYPE_CHECKING:
    from pandas import DataFrame

Features = NDArray[np.float64]


def features(
    network: str | Path,
    cohort: Cohort,
    watch: verbs.Watch = verbs.SILENT,
    size: int | None = None,
    skip_unreadable: bool = False,
) -> "DataFrame":
    """Give a row of features for each exam.

    Args:
        network: A body with published weights, or the folder of a run. Of a run with several
            members, their features stand side by side.
        cohort: Of images that are like those that the network knows.
        watch: Told how many images are prepared.
        size: Edge that pictures are prepared to; that of the weights, where it is not given. Not
            of a run, which has its own.
        skip_unreadable: Leave out exams that cannot be read rather than stop.

    Returns:
        Columns exam, patient, split, label, and f0, f1, …

    Raises:
        SettingError: there is no such network, no weights of it are published, the run was
            joined from several, or a size is named for a run.
        RunError: the folder holds no trained run.
    """
    place = Path(network)
    if (place / "run.json").exists():
        run = verbs.load(place)
        if not isinstance(run, verbs.TrainedRun):
            raise SettingError(
                f"{place}: a trained run wanted, found one that was joined: name a part"
            )
        if size is not None:
            raise SettingError(f"{place}: a run has its own size: --size does not go with it")
        return _table(*_of_run(run, cohort, watch, skip_unreadable))
    return _table(*_of_body(str(network), cohort, watch, size, skip_unreadable))


def _of_run(
    run: verbs.TrainedRun, cohort: Cohort, watch: verbs.Watch, skip: bool
) -> tuple[Cohort, Features]:
    trained = run.trained
    cohort = with_places(cohort, trained.recipe, watch.count, skip)
    store = open_store(
        cohort.records, trained.recipe.prepare, progress=watch.count, skip_unreadable=skip
    )
    cohort = keep_read(cohort, store)
    facts = encode_facts(cohort.records, trained.recipe.facts)
    exams = standardised(store, torch.empty(0), trained.values, trained.device, facts)
    each = [
        _embed(member, exams, len(cohort.records), trained.recipe) for member in trained.members
    ]
    return cohort, np.concatenate(each, axis=1)


def _of_body(
    name: str, cohort: Cohort, watch: verbs.Watch, size: int | None, skip: bool
) -> tuple[Cohort, Features]:
    source = find_source(name)
    # A method that joins images would do so by weights that nothing has taught.
    planned = verbs.plan(cohort, watch=watch, net=name, pretrained=True, method="whole_image")
    recipe, edge = planned.recipe, size or source.pixels
    prepare = same_field(recipe.prepare, edge)
    if size is not None and len(prepare.size) == 2:
        prepare = replace(prepare, size=(edge, edge))
    recipe = replace(recipe, prepare=prepare)
    if not prepare.learnt:
        telling = [cohort.records[number] for number in _telling(cohort)]
        prepare = learn_standard(telling, prepare, skip_unreadable=skip)
    store = open_store(cohort.records, prepare, progress=watch.count, skip_unreadable=skip)
    cohort = keep_read(cohort, store)
    method = build_method(recipe, cohort.task, 0, pick_device())
    return cohort, _embed(method, _standardised(store, cohort), len(cohort.records), recipe)


def _standardised(store: Store, cohort: Cohort) -> Exams:
    """Standardise by all exams but those of a test split, which must not tell anything."""
    values = measure_values(store, _telling(cohort))
    return standardised(store, torch.empty(0), values, pick_device())


def _telling(cohort: Cohort) -> NDArray[np.int64]:
    """Number the exams outside of a test split, or all where there is nothing else."""
    told = np.flatnonzero([record.split != "test" for record in cohort.records])
    return told if len(told) else np.arange(len(cohort.records))


def _embed(method: Method, exams: Exams, count: int, recipe: Recipe) -> Features:
    return embed(method, exams, np.arange(count), recipe.fit)


def _table(cohort: Cohort, found: Features) -> "DataFrame":
    import pandas as pd

    labels = [
        "|".join(name for name, there in zip(cohort.task.classes, label, strict=True) if there)
        if isinstance(label := record.label, tuple)
        else ""
        if label is None
        else cohort.task.classes[label]
        for record in cohort.records
    ]
    facts = {
        "exam": [record.name for record in cohort.records],
        "patient": [record.patient for record in cohort.records],
        "split": [record.split for record in cohort.records],
        "label": labels,
    }
    numbers = {f"f{i}": column for i, column in enumerate(found.astype(np.float32).T)}
    return pd.DataFrame(facts | numbers)
