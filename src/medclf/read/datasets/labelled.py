"""Labels of a packed data set become records; the same for every form."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.errors import CohortError, ReadError

NO_PATIENTS = "The data do not say which images share a patient: each counts as one of its own."


def make_records(
    images: Source, labels: NDArray[np.integer[Any]], split: str, start: int = 0
) -> list[Record]:
    """Make one record per image of a packed file.

    Args:
        images: The file that packs them.
        labels: (N,) class numbers, or (N, K) of 0 and 1 where findings coexist.
        split: "train", "val" or "test".
        start: Number of the first record's name, where one split spans several files.
    """
    coexist = labels.ndim == 2
    records = []
    for index, label in enumerate(labels.tolist()):
        name = f"{split}-{start + index:05d}"
        source = Source(images.path, images.member, index)
        given = tuple(label) if coexist else label
        records.append(Record(name, {"image": source}, name, given, split))
    return records


def check_labels(labels: NDArray[Any], classes: int | None, where: object) -> None:
    """Refuse labels that are no class numbers.

    Raises:
        ReadError: not whole, negative, or beyond the known number of classes.
    """
    if labels.dtype.kind not in "bui":
        raise ReadError(f"{where}: whole numbers wanted as labels, found {labels.dtype}")
    if labels.size and (labels.min() < 0 or (classes is not None and labels.max() >= classes)):
        wanted = "0 or more" if classes is None else f"0 to {classes - 1}"
        found = f"{labels.min()} to {labels.max()}"
        raise ReadError(f"{where}: labels {wanted} wanted, found {found}")


def numbered_task(labels: Sequence[NDArray[np.integer[Any]]], where: Path) -> Task:
    """Name exclusive classes by their numbers, where nothing tells their names.

    Raises:
        CohortError: there is only one class.
    """
    classes = 1 + max((int(each.max()) for each in labels if each.size), default=0)
    if classes < 2:
        raise CohortError(f"{where}: two classes or more wanted, found only the label 0")
    return Task(tuple(str(number) for number in range(classes)))
