"""Slices of plain pixels that state the same meaning are decoded together, as frames of one.

What gives stored numbers their meaning stands in group 0028 of the header. Where that is the same
to the letter, the slices' pixels are put one behind the other, and the reader of single files
sees one file of many frames: the same rules, but asked once for many slices. All else is decoded
slice by slice.

Source: DICOM PS3.3, C.7.6.3 (image pixel) and C.11.1 (modality LUT).
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.refuse import open_file, unreadable

if TYPE_CHECKING:
    from pydicom import Dataset

BYTES = 4 * 2**20
"""Pixels that are decoded together: enough to spread the cost of asking, few for the cache."""

Key = tuple[object, ...]

_GROUP, _PIXELS, _PHOTOMETRIC, _ALLOCATED = 0x28, 0x7FE00010, 0x00280004, 0x00280100
_MODALITY, _KIND, _UNITS = 0x00080060, 0x00080016, 0x00541001
_KEPT = frozenset({_MODALITY, _KIND, _UNITS})
_PET = ("PT", b"PT", b"PT ")
_GREY = ("MONOCHROME1", "MONOCHROME2", b"MONOCHROME1 ", b"MONOCHROME2 ")
_WHOLE = (8, 16, 32, b"\x08\0", b"\x10\0", b"\x20\0", b"\0\x08", b"\0\x10", b"\0\x20")
"""Bits of a sample that fills whole bytes, also as they are written in either order."""

_ALONE = frozenset({0x00280008, 0x00280120, 0x00283000})
"""Frames of its own; padding, which becomes the least value of its slice; a table."""

_SHOWN = frozenset({0x00280106, 0x00280107, 0x00281050, 0x00281051, 0x00281055})
"""Extremes and windows: they differ from slice to slice, and make no value."""


def batches(datasets: "Sequence[Dataset]", order: Sequence[int]) -> Iterator[list[int]]:
    """Part slices in order into runs that can be decoded together; often of one slice."""
    run: list[int] = []
    last: Key | None = None
    size = 0
    for number in order:
        key = _meaning(datasets[number])
        if run and (key is None or key != last or size >= BYTES):
            yield run
            run, size = [], 0
        run.append(number)
        last, size = key, size + _size(datasets[number])
    if run:
        yield run


def join(datasets: "Sequence[Dataset]", files: Sequence[Source]) -> "Dataset":
    """Make one file of slices of the same meaning, each a frame of it.

    Raises:
        ReadError: the pixels of a slice are cut short, or its file changed since it was parsed.
    """
    from pydicom import DataElement, Dataset

    first = datasets[0]
    for dataset, file in zip(datasets, files, strict=True):
        check_unchanged(dataset, file)
    if len(datasets) == 1:
        return first
    elements = {e.tag: e for e in first.values() if e.tag.group == _GROUP or e.tag in _KEPT}
    joined = Dataset(elements)
    joined.set_original_encoding(*first.original_encoding)
    joined.file_meta = first.file_meta
    joined.NumberOfFrames = len(datasets)
    size = int(first.Rows) * int(first.Columns) * int(first.BitsAllocated) // 8
    _check_length(_size(first), size, files[0])
    pixels = bytearray(size * len(datasets))
    room = memoryview(pixels)
    for number, (dataset, file) in enumerate(zip(datasets, files, strict=True)):
        _take_pixels(dataset, file, room[number * size : (number + 1) * size])
    joined[_PIXELS] = DataElement(_PIXELS, "OW", pixels, already_converted=True)
    return joined


def check_unchanged(dataset: "Dataset", file: Source) -> None:
    """Refuse a file that was written to since its header was read.

    Raises:
        ReadError: it was, or is gone.
    """
    timestamp = getattr(dataset, "timestamp", None)
    try:
        changed = timestamp is not None and file.path.stat().st_mtime != timestamp
    except OSError as problem:
        raise unreadable(file, problem) from problem
    if changed:
        raise ReadError(f"{file}: this file changed while it was read")


def _check_length(found: int, wanted: int, file: Source) -> None:
    if found < wanted:
        raise ReadError(f"{file}: cut short: {wanted} bytes of pixels wanted, found {found}")


def _take_pixels(dataset: "Dataset", file: Source, room: memoryview) -> None:
    """Copy the pixels of a slice, from its file where they were not read yet, without any excess.

    A buffer that can be written to spares pydicom a copy.
    """
    element = _element(dataset)
    if element.value is not None:
        room[:] = element.value[: len(room)]
        return
    try:
        with open_file(file.path) as stream:
            stream.seek(element.value_tell)
            found = stream.readinto(room)
    except OSError as problem:
        raise unreadable(file, problem) from problem
    _check_length(found, len(room), file)


def _meaning(dataset: "Dataset") -> Key | None:
    """Collect what gives the numbers meaning; `None` where the slice must be decoded alone."""
    syntax, size = dataset.file_meta.get("TransferSyntaxUID"), _size(dataset)
    if syntax is None or syntax.is_encapsulated or not size or size % 2:
        return None
    stated: dict[int, object] = {}
    for element in dataset.values():
        tag = int(element.tag)
        if (tag >> 16 == _GROUP and tag not in _SHOWN) or tag in _KEPT:
            if element.value is None or tag in _ALONE:
                return None
            stated[tag] = element.value
    grey, whole = stated.get(_PHOTOMETRIC) in _GREY, stated.get(_ALLOCATED) in _WHOLE
    if not (grey and whole) or stated.get(_MODALITY) in _PET:
        return None
    return syntax, size, tuple(stated.items())


def _size(dataset: "Dataset") -> int:
    """Count the bytes of plain pixels, also of those that were not read yet."""
    element = _element(dataset)
    if element is None:
        return 0
    return len(element.value) if element.value is not None else int(element.length)


def _element(dataset: "Dataset") -> Any:
    """Find the pixels as they were parsed; pydicom's own ways would read them from the file."""
    found = (element for element in reversed([*dataset.values()]) if element.tag == _PIXELS)
    return next(found, None)
