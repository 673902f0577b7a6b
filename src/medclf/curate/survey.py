"""Read every image of a cohort once, by several threads, and keep what it is, not its pixels.

Of each image a digest of its pixels, a thumbnail and a few facts stay: some five thousand bytes
for a picture, so that a hundred thousand fit in half a gigabyte.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.memory import keep_memory
from medclf.core.record import Point, Source
from medclf.core.remark import Remark
from medclf.core.threads import in_order
from medclf.curate.hashing import digest_pixels
from medclf.curate.thumbnail import Thumbnail, shrink
from medclf.curate.traces import take_traces
from medclf.errors import ReadError, SettingError
from medclf.read.image import read_image

Progress = Callable[[int, int], None]

AROUND = 32
"""Samples along each axis that are looked at around a marked point."""


@dataclass(frozen=True)
class Look:
    """What one image is.

    Args:
        exam: Name of the exam that it belongs to.
        image: Its name in the exam.
        failure: Why it cannot be read; the rest is then empty.
        space: Samples along each axis, z first.
        channels: As stored.
        bits: Significant bits of a sample.
        modality: The DICOM code, or "".
        spacing_mm: Along each axis, or `None`.
        digest: Of the pixels; equal where they are.
        constant: Whether all pixels of each channel are equal.
        thumbnail: What it shows, to find the like of it.
        traces: What its making left in it, see `take_traces`.
        remarks: What the reader found or changed.
    """

    exam: str
    image: str
    failure: str = ""
    space: tuple[int, ...] = ()
    channels: int = 0
    bits: int = 0
    modality: str = ""
    spacing_mm: tuple[float, ...] | None = None
    digest: str = ""
    constant: bool = False
    thumbnail: Thumbnail = field(default_factory=lambda: np.empty(0, np.float16), repr=False)
    traces: Mapping[str, float] = field(default_factory=dict, repr=False)
    remarks: tuple[Remark, ...] = ()


def survey(cohort: Cohort, progress: Progress | None = None) -> list[Look]:
    """Look at every image.

    Args:
        cohort: Its records are read in their order.
        progress: Called with the images done and their total, from the thread of the caller.
    """
    keep_memory()
    wanted = [(r.name, name, source) for r in cohort.records for name, source in r.images.items()]
    files: dict[Source, list[int]] = {}
    for number, (_, _, source) in enumerate(wanted):
        files.setdefault(replace(source, point=None), []).append(number)
    looks: dict[int, Look] = {}
    tasks = ((file, [wanted[number] for number in numbers]) for file, numbers in files.items())
    with closing(in_order(_look_at, tasks)) as found:
        for numbers, seen in zip(files.values(), found, strict=True):
            looks.update(zip(numbers, seen, strict=True))
            if progress is not None:
                progress(len(looks), len(wanted))
    return [looks[number] for number in range(len(wanted))]


def _look_at(task: tuple[Source, Sequence[tuple[str, str, Source]]]) -> list[Look]:
    """Read a file once, and look at it, or around each of the points that are meant in it."""
    file, wanted = task
    try:
        image = read_image(file).still()
    except ReadError as problem:
        return [Look(exam, name, failure=str(problem)) for exam, name, _ in wanted]
    return [_look(exam, name, image, source.point) for exam, name, source in wanted]


def _look(exam: str, name: str, image: Image, point: Point | None) -> Look:
    found = look_briefly(exam, name, image, point)
    if found.failure:
        return found
    return replace(
        found,
        channels=image.channels,
        bits=image.bits,
        modality=image.modality,
        spacing_mm=image.grid.spacing_mm,
        traces=take_traces(_shown(image, point), image.bits),
        remarks=image.remarks,
    )


def look_briefly(
    exam: str, name: str, image: Image, point: Point | None, thumbnail: bool = True
) -> Look:
    """Look at an image only as far as it takes to know copies of it.

    Args:
        exam: Name of the exam.
        name: Of the image in the exam.
        image: Still.
        point: Around which it is looked at; `None`: all of it.
        thumbnail: Whether copies are sought that are not equal.
    """
    try:
        values = _shown(image, point)
    except (ReadError, SettingError) as problem:
        return Look(exam, name, failure=str(problem))
    flat = values.reshape(image.channels, -1)
    found = Look(
        exam,
        name,
        space=image.space,
        digest=digest_pixels(values),
        constant=bool((flat == flat[:, :1]).all()),
    )
    return replace(found, thumbnail=shrink(values)) if thumbnail else found


def _shown(image: Image, point: Point | None) -> NDArray[np.generic]:
    """Take all of an image, or what lies around a marked point, as far as the image reaches."""
    if point is None:
        return image.values
    at = np.array(point.at)
    middle = image.grid.from_mm(at) if point.unit == "mm" else at
    if len(middle) != len(image.space):
        raise ReadError(f"a point of {len(image.space)} numbers wanted, found {point}")
    box = [
        slice(max(0, round(place) - AROUND // 2), max(0, round(place) + AROUND // 2))
        for place in middle.tolist()
    ]
    values = image.values[(slice(None), *box)]
    if not values.size:
        raise ReadError(f"a point in the image wanted, found {point} outside of {image.space}")
    return values
