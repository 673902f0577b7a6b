"""A DICOM series, one image in many files, becomes a picture, a volume or a timed volume.

Every file is read once and parsed; the headers decide the order; then the pixels are decoded, on
all cores where they are compressed, straight into the one array. A series that is more than one
image is refused: `find_series` parts it first.

Source: DICOM PS3.3, C.7.6.2 and C.7.6.3.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.memory import keep_memory
from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.archive import read_bytes
from medclf.read.dicom.arrange import arrange, finish
from medclf.read.dicom.batch import batches, join
from medclf.read.dicom.concatenation import join_parts
from medclf.read.dicom.file import make_image, open_dicom
from medclf.read.dicom.header import Known, describe
from medclf.read.dicom.part import part, tell_groups
from medclf.read.dicom.shared import keep_shared
from medclf.read.quiet import PYDICOM
from medclf.read.refuse import one_line, open_file, unreadable

if TYPE_CHECKING:
    from pydicom import Dataset

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def read_series(source: Source) -> Image:
    """Read the image of a DICOM series.

    Args:
        source: With its files as `parts`, in any order.

    Returns:
        Values (C, Z, Y, X), from below along the normal of the slices; (C, Y, X) of a single
        slice; with phases (T, C, ...) before them. Each slice has its own rescale, as
        `read_dicom` tells. Slices that lean, or touch at uneven steps, are interpolated to a
        rectangular grid; that and all else that was found stands in the remarks.

    Raises:
        ReadError: a file cannot be read; the files are more than one image; slices are missing;
            or different images at one place cannot be told apart.
    """
    try:
        with PYDICOM:
            return _read(source)
    except ReadError:
        raise
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        raise ReadError(f"{source}: no readable DICOM series: {one_line(problem)}") from problem


def _read(source: Source) -> Image:
    files = source.parts or (source,)
    datasets = [_open(file) for file in files]
    if len(datasets) == 1:
        return make_image(datasets[0], str(files[0]))
    known: Known = {}
    headers = [
        describe(dataset, file, known=known) for dataset, file in zip(datasets, files, strict=True)
    ]
    groups = part(headers)
    if len(groups) > 1:
        raise ReadError(f"{source}: one image wanted, found {tell_groups(groups)}")
    if headers[0].concatenation:
        return make_image(join_parts(datasets, files, str(source)), str(source))

    def identical(one: int, other: int) -> bool:
        return _pixels(datasets[one]) == _pixels(datasets[other])

    found = arrange(headers, identical, str(source))
    values, first = _assemble(datasets, files, found.order, str(source))
    return finish(values, keep_shared(first, datasets), found)


def _open(source: Source) -> "Dataset":
    if source.member:
        return open_dicom(read_bytes(source), str(source))
    try:
        with open_file(source.path) as file:
            return open_dicom(file, str(source))
    except OSError as problem:
        raise unreadable(source, problem) from problem


def _pixels(dataset: "Dataset") -> tuple[object, ...]:
    """What makes the values of an image."""
    scale = ("RescaleSlope", "RescaleIntercept", "BitsStored", "PixelRepresentation")
    return tuple(dataset.get(name) for name in (*scale, *PIXELS))


def _assemble(
    datasets: "list[Dataset]", files: Sequence[Source], order: NDArray[np.int64], where: str
) -> tuple[NDArray[Any], Image]:
    """Decode each image to its place, as (T, C, Z, Y, X); and the first with the most bits."""
    keep_memory()
    phases, slices = order.shape
    runs = list(batches(datasets, [int(number) for number in order.ravel()]))
    first = _decode(datasets, files, runs[0], None)
    channels, _, rows, columns = first.values.shape
    out: NDArray[Any] = np.empty((phases, channels, slices, rows, columns), first.values.dtype)
    rooms = _rooms(out, runs)
    done = 0
    images = chain([first], _decode_all(datasets, files, runs, rooms))
    for run, image in zip(runs, images, strict=True):
        _check_kin(image, first, f"{where}: {files[run[0]]}")
        if not np.can_cast(image.values.dtype, out.dtype):
            kinds = {image.values.dtype.kind, out.dtype.kind}
            out = out.astype(np.float32 if "f" in kinds else np.result_type(image.values, out))
        if not np.may_share_memory(image.values, out):
            for number in range(len(run)):
                t, z = divmod(done + number, slices)
                out[t, :, z] = image.values[:, number]
        done += len(run)
    return out, first


def _rooms(out: NDArray[Any], runs: Sequence[Sequence[int]]) -> list[NDArray[np.float32] | None]:
    """Find where in (T, C, Z, Y, X) the values of each run belong, if they may be put there."""
    if out.shape[1] != 1 or out.dtype != np.float32:
        return [None] * len(runs)
    starts = np.cumsum([0, *map(len, runs)])
    flat = out.reshape(-1, *out.shape[-2:])
    return [flat[start:end] for start, end in pairwise(starts)]


def _decode_all(
    datasets: "list[Dataset]",
    files: Sequence[Source],
    runs: Sequence[list[int]],
    rooms: Sequence[NDArray[np.float32] | None],
) -> Iterator[Image]:
    """Decode all runs but the first in order; compressed ones on all cores."""

    def decode(at: int) -> Image:
        return _decode(datasets, files, runs[at], rooms[at])

    rest = range(1, len(runs))
    if not any(dataset.file_meta.TransferSyntaxUID.is_encapsulated for dataset in datasets):
        yield from map(decode, rest)
        return
    with ThreadPoolExecutor() as pool:
        try:
            yield from pool.map(decode, rest)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _decode(
    datasets: "list[Dataset]",
    files: Sequence[Source],
    run: list[int],
    room: NDArray[np.float32] | None,
) -> Image:
    """Decode a run of images, as (C, run, Y, X), and let go of their bytes."""
    joined = join([datasets[number] for number in run], [files[number] for number in run])
    image = make_image(joined, str(files[run[0]]), room)
    for number in run:
        for name in PIXELS:
            datasets[number].pop(name, None)
    return image if len(run) > 1 else replace(image, values=image.values[:, None])


def _check_kin(image: Image, first: Image, where: str) -> None:
    """Refuse a slice whose values mean something else than those of the first."""
    for what in ("unit", "channels") if first.unit else ("unit", "channels", "bits"):
        wanted, found = getattr(first, what), getattr(image, what)
        if wanted != found:
            raise ReadError(f"{where}: {what} {wanted!r} wanted as in the first, found {found!r}")
