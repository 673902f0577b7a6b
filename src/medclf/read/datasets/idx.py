"""IDX, the form of MNIST and of what was made to replace it: four files, plain or gzipped.

A big-endian magic number tells the type and the number of axes, then follow the lengths and the
values. The files lie in one folder, or in one archive, and belong together by their names.

Source: LeCun, Cortes, Burges. The MNIST Database of Handwritten Digits, 1998, file formats.
"""

import re
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.record import Record, Source
from medclf.errors import ReadError
from medclf.read.archive import read_bytes
from medclf.read.datasets.labelled import NO_PATIENTS, make_records, numbered_task
from medclf.read.datasets.place import files_in
from medclf.read.inflate import GZIP, gunzip
from medclf.read.once import once
from medclf.read.refuse import check_size
from medclf.read.values import settle

NAMES = re.compile(r"(train|t10k|test)-(images|labels)[-.]idx([13])-ubyte(\.gz)?")

SPLIT_OF = {"train": "train", "t10k": "test", "test": "test"}

NOTE = "IDX files name no classes and no validation images: class names are the labels' numbers."


def recognise(path: Path) -> bool:
    """Tell whether a folder, an archive, or the folder of a file holds images and labels."""
    return bool(_pairs(path))


def read_dataset(path: Path) -> Cohort:
    """Read records, labels and the splits train and test.

    Args:
        path: A folder or an archive with the files, or one of the files for all beside it.

    Raises:
        ReadError: a file is damaged or cut short, or images and labels differ in number.
        CohortError: there is one class only.
    """
    pairs = _pairs(path)
    if not pairs:
        raise ReadError(f"{path}: train-images-idx3-ubyte and train-labels-idx1-ubyte wanted")
    labels, records = [], list[Record]()
    for split, (images, numbers) in pairs.items():
        labels.append(_load(numbers.path, numbers.member))
        count = len(_load(images.path, images.member))
        if labels[-1].ndim != 1 or len(labels[-1]) != count:
            raise ReadError(f"{numbers}: {count} labels wanted, found {labels[-1].shape}")
        records += make_records(images, labels[-1], split)
    return Cohort(tuple(records), numbered_task(labels, path), path, (NOTE, NO_PATIENTS))


def packs(source: Source) -> bool:
    """Tell whether a source names a file of IDX images."""
    return NAMES.fullmatch(_name(source)) is not None


def read_packed(source: Source) -> Image:
    """Read image `source.index` of a file: (1, Y, X), or (1, Z, Y, X) of volumes."""
    images = _load(source.path, source.member)
    index = source.index or 0
    if not 0 <= index < len(images) or images.ndim < 3:
        raise ReadError(f"{source}: an image from 0 to {len(images) - 1} wanted")
    return Image(settle(images[index][None]))


def _name(source: Source) -> str:
    return (source.member or source.path.name).rpartition("/")[2]


def _pairs(path: Path) -> dict[str, tuple[Source, Source]]:
    """Find images and labels by split. Of a file plain and gzipped, the plain one is taken."""
    found: dict[tuple[str, str], Source] = {}
    for name, source in files_in(path, NAMES).items():
        parts = NAMES.fullmatch(name)
        if parts is not None:
            found.setdefault((SPLIT_OF[parts[1]], parts[2]), source)
    splits = [s for s in ("train", "test") if {(s, "images"), (s, "labels")} <= found.keys()]
    return {split: (found[split, "images"], found[split, "labels"]) for split in splits}


@once(keep=8)
def _load(path: Path, member: str) -> NDArray[Any]:
    where = str(Source(path, member))
    raw = read_bytes(Source(path, member))
    raw = bytes(gunzip(raw, where)) if raw.startswith(GZIP) else raw
    axes = raw[3] if len(raw) > 3 else 0
    start = 4 + 4 * axes
    if raw[:3] != b"\0\0\x08" or not 1 <= axes <= 4 or len(raw) < start:
        raise ReadError(f"{where}: IDX of unsigned bytes wanted, found {raw[:4]!r}")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", axes, 4))
    if len(raw) - start != prod(shape):
        found = len(raw) - start
        raise ReadError(f"{where}: cut short or damaged: {prod(shape)} bytes wanted, found {found}")
    if axes > 1:
        check_size(shape[1:] if len(shape) > 2 else (1, *shape[1:]), where)
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
