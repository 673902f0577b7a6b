"""A concatenation, one enhanced image in several files, becomes one file again.

Scanners and archives part images that are too large for one file. Each part counts itself and
tells at which frame of the whole it begins; the frames of all parts in that order are the image.
A part that is missing or there twice is refused. That the last is missing can be told only where
a part states how many there are, which it need not.

Source: DICOM PS3.3, C.7.6.16.2.2.4 (concatenations) and C.7.6.16.1.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from medclf.core.record import Source
from medclf.core.remark import Remark
from medclf.errors import ReadError
from medclf.read.dicom.batch import check_unchanged
from medclf.read.quiet import PYDICOM
from medclf.read.refuse import one_line, quote

if TYPE_CHECKING:
    from pydicom import Dataset

_NUMBER, _TOTAL = "InConcatenationNumber", "InConcatenationTotalNumber"
_OFFSET, _FRAMES = "ConcatenationFrameOffsetNumber", "PerFrameFunctionalGroupsSequence"
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_REPLACED = ("NumberOfFrames", _NUMBER, _TOTAL, _FRAMES)
_TABLES = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_OWN = ("NumberOfFrames", "SmallestImagePixelValue", "LargestImagePixelValue")
"""What describes the pixels of a part, and yet is not that of all."""


def check_whole(dataset: "Dataset", where: str) -> tuple[Remark, ...]:
    """Refuse a file that is only a part of an image.

    Returns:
        A remark where it is a first part that does not state how many there are; else nothing.

    Raises:
        ReadError: it is a later part, or one of several.
    """
    if not dataset.get("ConcatenationUID"):
        return ()
    number, total = _count(dataset, _NUMBER, where), _total([dataset], where)
    if number != 1 or dataset.get(_OFFSET) or (total or 1) > 1:
        of = f" of {total}" if total else ""
        raise ReadError(
            f"{where}: a whole image wanted, found part {number}{of} of a concatenation"
        )
    if total:
        return ()
    told = "parts do not state how many they are: those behind the last may be missing"
    return (Remark("parts", told, grave=True),)


def join_parts(datasets: "Sequence[Dataset]", files: Sequence[Source], where: str) -> "Dataset":
    """Make one file of all parts of a concatenation.

    Args:
        datasets: The parsed parts, in any order.
        files: Where each lies.
        where: Names the image in messages.

    Returns:
        A concatenation of one part, which has the frames of all.

    Raises:
        ReadError: parts are missing, there twice, changed since they were parsed, or do not
            describe their pixels alike.
    """
    for dataset, file in zip(datasets, files, strict=True):
        check_unchanged(dataset, file)
    try:
        with PYDICOM:
            return _join(_in_order(datasets, files, where), _total(datasets, where), where)
    except ReadError:
        raise
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        told = one_line(problem)
        raise ReadError(f"{where}: no readable parts of a DICOM image: {told}") from problem


def _count(dataset: "Dataset", keyword: str, where: object) -> int:
    value = dataset.get(keyword)
    if not isinstance(value, int) or value < 1:
        raise ReadError(
            f"{where}: a part of a concatenation wants {keyword}, found {quote(str(value))}"
        )
    return value


def _total(datasets: "Sequence[Dataset]", where: str) -> int | None:
    """Read how many parts there should be, as all state that state it."""
    totals = {dataset.get(_TOTAL) for dataset in datasets} - {None}
    if len(totals) > 1:
        raise ReadError(f"{where}: parts state different numbers of parts: {sorted(totals)}")
    return totals.pop() if totals else None


def _in_order(
    datasets: "Sequence[Dataset]", files: Sequence[Source], where: str
) -> "list[Dataset]":
    """Sort parts by their numbers, and check that each frame of the whole is there once."""
    numbered: dict[int, int] = {}
    for i, dataset in enumerate(datasets):
        number = _count(dataset, _NUMBER, files[i])
        other = numbered.setdefault(number, i)
        if other != i:
            twice = f"{files[other]} and {files[i]}"
            raise ReadError(f"{where}: part {number} of the concatenation is there twice: {twice}")
    last = max(_total(datasets, where) or 0, *numbered)
    missing = [number for number in range(1, last + 1) if number not in numbered]
    if missing:
        raise ReadError(
            f"{where}: {last} parts of a concatenation wanted, found {len(numbered)}; the first "
            f"that is missing is part {missing[0]}"
        )
    ordered = [numbered[number] for number in sorted(numbered)]
    begin = 0
    for i in ordered:
        stated = datasets[i].get(_OFFSET)
        if stated is not None and stated != begin:
            told = f"a part that begins at frame {begin} wanted, it states {stated}"
            raise ReadError(f"{where}: frames are missing or there twice: {files[i]}: {told}")
        begin += _frames(datasets[i])
    return [datasets[i] for i in ordered]


def _frames(dataset: "Dataset") -> int:
    return int(dataset.get("NumberOfFrames") or 1)


def _join(parts: "Sequence[Dataset]", total: int | None, where: str) -> "Dataset":
    """Put the frames of ordered parts behind each other."""
    from pydicom import Dataset
    from pydicom.datadict import tag_for_keyword

    first = parts[0]
    for number, part in enumerate(parts[1:], 2):
        if differing := _differing(first, part):
            raise ReadError(f"{where}: part {number} has another {differing} than the first")
    groups = [list(part.get(_FRAMES) or ()) for part in parts]
    if [len(items) for items in groups] != [_frames(part) for part in parts]:
        raise ReadError(f"{where}: parts have other numbers of frames than of places")
    pixels = next(name for name in _PIXELS if name in first)
    raw = _encapsulated(parts) if _packed(first) else b"".join(_plain(p, pixels) for p in parts)
    replaced = {tag_for_keyword(name) for name in (*_REPLACED, *_TABLES, pixels)}
    joined = Dataset({e.tag: e for e in first.values() if e.tag not in replaced})
    joined.set_original_encoding(*first.original_encoding)
    joined.file_meta = first.file_meta
    joined.NumberOfFrames = sum(map(_frames, parts))
    setattr(joined, _FRAMES, [item for items in groups for item in items])
    setattr(joined, _NUMBER, 1)
    if total is not None:
        setattr(joined, _TOTAL, 1)
    joined.add_new(pixels, first[pixels].VR, raw)
    return joined


def _differing(first: "Dataset", other: "Dataset") -> str:
    """Name what two parts state differently of their pixels; "" where there is nothing."""
    if first.file_meta.get("TransferSyntaxUID") != other.file_meta.get("TransferSyntaxUID"):
        return "transfer syntax"
    one, two = (part.group_dataset(0x28) for part in (first, other))
    for part in (one, two):
        for name in _OWN:
            part.pop(name, None)
    shared = "SharedFunctionalGroupsSequence"
    elements = {element.tag: element.name for element in (*one, *two)}
    names = sorted(name for tag, name in elements.items() if one.get(tag) != two.get(tag))
    if first.get(shared) != other.get(shared):
        names.append("Shared Functional Groups Sequence")
    return names[0] if names else ""


def _packed(dataset: "Dataset") -> bool:
    return bool(dataset.file_meta.TransferSyntaxUID.is_encapsulated)


def _encapsulated(parts: "Sequence[Dataset]") -> bytes:
    """Take the compressed frames out of their parts, and pack them into one."""
    from pydicom.encaps import encapsulate, generate_frames

    frames: list[bytes] = []
    for number, part in enumerate(parts):
        tables = [part.get(name) for name in _TABLES]
        offsets = None if None in tables else tuple(tables)
        found = generate_frames(
            part.PixelData, number_of_frames=_frames(part), extended_offsets=offsets
        )
        frames += list(found)
        if len(frames) != sum(map(_frames, parts[: number + 1])):
            raise ValueError(f"part {number + 1} has not as many frames as it states")
    return encapsulate(frames, has_bot=False)


def _plain(part: "Dataset", pixels: str) -> bytes:
    """Take the pixels of a part without what fills them up to an even length."""
    from pydicom.pixels.utils import get_expected_length

    size, bits = get_expected_length(part), int(part.BitsAllocated)
    exact = 8 * size == bits * get_expected_length(part, unit="pixels")
    if not (exact or part.PhotometricInterpretation == "YBR_FULL_422"):
        raise ValueError("the pixels of a part do not end with a whole byte")
    if size % 2 and not part.original_encoding[1]:
        raise ValueError("the pixels of a part do not end with a whole word")
    raw = part.get(pixels)
    if raw is None or len(raw) < size:
        raise ValueError(f"less pixel data than expected: {size} bytes wanted")
    return bytes(raw[:size])
