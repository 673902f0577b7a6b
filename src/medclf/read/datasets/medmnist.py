"""MedMNIST's .npz, and any other that holds the same arrays: images and labels of three splits.

A set is known by the name of its file, size suffix aside; only then are its classes named and
its task taken from the published table. Each array is unpacked once and kept while images are
asked for one after the other.

Source: Yang et al. MedMNIST v2. Scientific Data 10:41, 2023.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.record import SPLITS, Record, Source
from medclf.core.task import Task
from medclf.errors import ReadError
from medclf.read.archive import list_members, read_bytes
from medclf.read.array import parse_array
from medclf.read.datasets.labelled import NO_PATIENTS, check_labels, make_records, numbered_task
from medclf.read.datasets.medmnist_sets import SETS
from medclf.read.once import once
from medclf.read.values import settle

LIMIT = 64 * 2**30
"""The most bytes of one array: the largest published, ChestMNIST at 224 pixels, has 4 GB."""

_BESIDES = re.compile(r"(?i).*\.(txt|md|csv|json|pdf)")
_SIZE = re.compile(r"_(64|128|224)$")


def recognise(path: Path) -> bool:
    """Tell whether a path is an .npz, or a .zip that holds one and beside it only text."""
    if not path.is_file():
        return False
    if path.suffix.lower() == ".npz":
        return True
    return path.suffix.lower() == ".zip" and _packed_in(path) is not None


def read_dataset(path: Path) -> Cohort:
    """Read records, labels and splits.

    Args:
        path: The .npz, or a .zip with one inside.

    Returns:
        Records named "train-00012", in the published splits. The task is the published one where
        the file bears the name of a published set; else classes are exclusive, or coexisting
        where each label has several columns, and named by their numbers, as a note says.

    Raises:
        ReadError: no such arrays, arrays that do not go together, or labels that are no classes
            of the set.
    """
    inner = _packed_in(path) or ""
    arrays = set(_array_names(path, inner))
    splits = [s for s in SPLITS if {f"{s}_images", f"{s}_labels"} <= arrays]
    if not splits:
        found = ", ".join(sorted(arrays)) or "none"
        raise ReadError(f"{path}: arrays train_images and train_labels wanted, found {found}")
    prefix = f"{inner}!" if inner else ""
    labels = {split: _labels(path, prefix, split) for split in splits}
    task, note = _task(Path(inner or path.name).stem, labels, path)
    records: list[Record] = []
    for split in splits:
        records += make_records(Source(path, f"{prefix}{split}_images"), labels[split], split)
    return Cohort(tuple(records), task, path, (note, NO_PATIENTS))


def packs(source: Source) -> bool:
    """Tell whether a source names an array of images in an .npz."""
    holder, _, array = source.member.rpartition("!")
    return array.endswith("_images") and (holder or source.path.name).lower().endswith(".npz")


def read_packed(source: Source) -> Image:
    """Read image `source.index` of an array: (1, Y, X), (1, Z, Y, X), or (3, Y, X) of colours."""
    images = _load(source.path, source.member)
    index = source.index or 0
    if not 0 <= index < len(images):
        raise ReadError(f"{source}: an image from 0 to {len(images) - 1} wanted")
    values = images[index]
    channels_last = values.ndim == 3 and values.shape[-1] in (1, 3)
    values = settle(np.moveaxis(values, -1, 0) if channels_last else values[None])
    return Image(values, bits=8 * values.dtype.itemsize)


def _packed_in(path: Path) -> str | None:
    """Find the one .npz in a zip; `None` where the path is no zip or holds other things too."""
    if path.suffix.lower() != ".zip":
        return None
    try:
        members = [m for m in list_members(path) if not _BESIDES.fullmatch(m)]
    except ReadError:  # Whoever reads this path, by whatever form, says what is wrong with it.
        return None
    return members[0] if len(members) == 1 and members[0].lower().endswith(".npz") else None


def _array_names(path: Path, inner: str) -> list[str]:
    return [name.removesuffix(".npy") for name in list_members(path, inner)]


@once(keep=8)
def _load(path: Path, member: str) -> NDArray[Any]:
    where = Source(path, member)
    values = parse_array(read_bytes(Source(path, f"{member}.npy"), LIMIT), str(where))
    if values.dtype.kind not in "buif" or values.ndim not in (3, 4):
        found = f"{values.dtype} {values.shape}"
        raise ReadError(
            f"{where}: images (N, Y, X), (N, Y, X, 1 or 3) or (N, Z, Y, X) wanted, found {found}"
        )
    return values


def _labels(path: Path, prefix: str, split: str) -> NDArray[Any]:
    """Read labels as (N,), or (N, K) where findings coexist, and compare their number."""
    where = Source(path, f"{prefix}{split}_labels")
    raw = read_bytes(Source(path, f"{where.member}.npy"))
    labels = parse_array(raw, str(where))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    images = len(_load(path, f"{prefix}{split}_images"))
    if labels.ndim not in (1, 2) or len(labels) != images:
        raise ReadError(f"{where}: {images} labels wanted, one per image, found {labels.shape}")
    check_labels(labels, 2 if labels.ndim == 2 else None, where)
    return labels


def _task(stem: str, labels: dict[str, NDArray[Any]], path: Path) -> tuple[Task, str]:
    """Name the task by the published table, or by the labels alone."""
    name = _SIZE.sub("", stem.lower())
    columns = {each.shape[1:] for each in labels.values()}
    if len(columns) > 1:
        raise ReadError(f"{path}: the splits' labels have different numbers of columns")
    (width,) = columns.pop() or (0,)
    published = SETS.get(name)
    if published is None:
        note = f"{stem} is no published MedMNIST set: its classes are named by their numbers."
        if width:
            return Task(tuple(str(number) for number in range(width)), "coexisting"), note
        return numbered_task(list(labels.values()), path), note
    task = published.task
    if width != (len(task.classes) if task.kind == "coexisting" else 0):
        raise ReadError(f"{path}: labels of {name} have {len(task.classes)} classes, {task.kind}")
    for split, each in labels.items():
        check_labels(each, 2 if width else len(task.classes), f"{path}, {split}")
    return task, f"The task and its {len(task.classes)} classes are those published for {name}."
