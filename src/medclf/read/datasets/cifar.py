"""CIFAR-10 and CIFAR-100, the "python version": batches of 32×32 colour photographs.

The batches are pickles, and a pickle may name any function to be called while it is read. Ours
names only five, and even those are not called: stand-ins take the shape and the bytes of an
array, and everything else is refused before it is looked up.

Source: Krizhevsky. Learning Multiple Layers of Features from Tiny Images, 2009, the data page.
"""

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.errors import ReadError
from medclf.read.archive import read_bytes
from medclf.read.datasets.labelled import NO_PATIENTS, check_labels, make_records
from medclf.read.datasets.place import files_in
from medclf.read.once import once
from medclf.read.refuse import one_line

EDGE = 32

NAMES = re.compile(r"data_batch_[1-5]|test_batch|batches\.meta|train|test|meta")

FOLDERS = ("cifar-10-batches-py", "cifar-100-python")


@dataclass(frozen=True)
class Variant:
    """How one of the two is laid out: its files, and the keys in them."""

    train: tuple[str, ...]
    test: str
    meta: str
    names: str
    labels: str


TEN = Variant(
    tuple(f"data_batch_{n}" for n in range(1, 6)),
    *("test_batch", "batches.meta", "label_names", "labels"),
)
HUNDRED = Variant(("train",), "test", "meta", "fine_label_names", "fine_labels")


@dataclass(frozen=True)
class Batch:
    """The pictures (N, 3, 32, 32) of one file, and the rest of its content."""

    pictures: NDArray[np.uint8]
    content: Mapping[str, Any]


def recognise(path: Path) -> bool:
    """Tell whether a folder, an archive, or the folder of a file holds all batches of either."""
    return _variant(_files(path)) is not None


def read_dataset(path: Path) -> Cohort:
    """Read records, the 10 classes or the 100 fine ones, and the splits train and test.

    Args:
        path: The unpacked folder or the one above it, the .tar.gz, or a .zip of the files.

    Raises:
        ReadError: a batch is missing, damaged, or holds anything but arrays, lists and words.
    """
    files = _files(path)
    variant = _variant(files)
    if variant is None:
        raise ReadError(f"{path}: the batches of CIFAR-10 or CIFAR-100 wanted, not found")
    meta = files[variant.meta]
    names = _content(meta).get(variant.names)
    if not isinstance(names, list) or not names:
        raise ReadError(f"{meta}: {variant.names} wanted, not found")
    classes, records = tuple(_text(name) for name in names), list[Record]()
    for name in (*variant.train, variant.test):
        split = "train" if name in variant.train else "test"
        labels = _labels(files[name], variant.labels, len(classes))
        records += make_records(files[name], labels, split, len(records) if split == "train" else 0)
    note = f"The {len(classes)} classes are those published; no validation images are."
    return Cohort(tuple(records), Task(classes), path, (note, NO_PATIENTS))


def packs(source: Source) -> bool:
    """Tell whether a source names a batch."""
    name = (source.member or source.path.name).rpartition("/")[2]
    return NAMES.fullmatch(name) is not None and "meta" not in name


def read_packed(source: Source) -> Image:
    """Read picture `source.index` of a batch: (3, 32, 32)."""
    pictures = _load(source.path, source.member).pictures
    index = source.index or 0
    if not 0 <= index < len(pictures):
        raise ReadError(f"{source}: an image from 0 to {len(pictures) - 1} wanted")
    return Image(pictures[index].copy())


def _files(path: Path) -> dict[str, Source]:
    here = [path / folder for folder in FOLDERS if (path / folder).is_dir()]
    return files_in(here[0] if len(here) == 1 else path, NAMES)


def _variant(files: Mapping[str, Source]) -> Variant | None:
    whole = [v for v in (TEN, HUNDRED) if {*v.train, v.test, v.meta} <= files.keys()]
    return whole[0] if len(whole) == 1 else None


def _labels(source: Source, key: str, classes: int) -> NDArray[Any]:
    batch = _load(source.path, source.member)
    labels = np.array(batch.content.get(key, ()))
    if labels.shape != batch.pictures.shape[:1]:
        raise ReadError(f"{source}: {len(batch.pictures)} labels wanted, found {labels.shape}")
    check_labels(labels, classes, source)
    return labels


@once(keep=6)
def _load(path: Path, member: str) -> Batch:
    source = Source(path, member)
    content = dict(_content(source))
    held = content.pop("data", None)
    if not isinstance(held, _Array) or held.values.ndim != 2 or held.values.shape[1] != 3 * EDGE**2:
        raise ReadError(f"{source}: an array of 3 x {EDGE} x {EDGE} bytes per picture wanted")
    return Batch(held.values.reshape(-1, 3, EDGE, EDGE), content)


def _content(source: Source) -> dict[str, Any]:
    """Read the dictionary of a batch. Keys written by Python 2 come as bytes."""
    try:
        content = _Unpickler(BytesIO(read_bytes(source)), encoding="bytes").load()
        return {_text(key): value for key, value in content.items()}
    except ReadError:
        raise
    except Exception as problem:  # pickle has no closed list of what damaged files raise.
        raise ReadError(f"{source}: no CIFAR batch, or damaged: {one_line(problem)}") from problem


def _text(word: object) -> str:
    return word.decode("ascii") if isinstance(word, bytes) else str(word)


class _Array:
    """Stands in for numpy.ndarray: takes its shape and bytes, if they are plain unsigned bytes."""

    values: NDArray[np.uint8]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, raw = state
        if not isinstance(dtype, _Type) or dtype.name != "u1" or fortran:
            raise pickle.UnpicklingError("an array of unsigned bytes in C order wanted")
        self.values = np.frombuffer(raw, np.uint8).reshape(shape)


class _Type:
    """Stands in for numpy.dtype: takes its name."""

    def __init__(self, name: object, *_: object) -> None:
        self.name = _text(name)

    def __setstate__(self, state: object) -> None:
        """Byte order and alignment do not matter to bytes."""


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    """Stand in for _codecs.encode, by which Python 3 writes bytes for Python 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes written as latin1 wanted, found {encoding!r}")
    return text.encode("latin-1")


class _Unpickler(pickle._Unpickler):
    """Reads nothing but dictionaries, lists, words, numbers, and the arrays above.

    It is Python's own, not that in C, which takes gigabytes where a few bytes claim them; of the
    two codes that take memory on trust here, neither stands in a batch.
    """

    dispatch: ClassVar[dict[int, Any]] = {
        code: load
        for code, load in pickle._Unpickler.dispatch.items()
        if code not in (pickle.BYTEARRAY8[0], pickle.NEXT_BUFFER[0])
    }

    KNOWN: Mapping[tuple[str, str], Any] = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Type,
        ("_codecs", "encode"): _encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        known = self.KNOWN.get((module, name))
        if known is None:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, which is refused")
        return known
