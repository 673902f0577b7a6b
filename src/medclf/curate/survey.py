"""Read every image of a cohort once, by several threads, and keep what it is, not its pixels.

Of each image a digest of its pixels, a thumbnail and a few facts stay: some five thousand bytes
for a picture, so that a hundred thousand fit in half a gigabyte.
"""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.memory import keep_memory
from medclf.core.record import Source
from medclf.curate.hashing import digest_pixels
from medclf.curate.thumbnail import Thumbnail, shrink
from medclf.curate.traces import take_traces
from medclf.errors import ReadError
from medclf.read.image import read_image

Progress = Callable[[int, int], None]


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


def survey(cohort: Cohort, progress: Progress | None = None) -> list[Look]:
    """Look at every image.

    Args:
        cohort: Its records are read in their order.
        progress: Called with the images done and their total, from the thread of the caller.
    """
    keep_memory()
    wanted = [(r.name, name, source) for r in cohort.records for name, source in r.images.items()]
    pool = ThreadPoolExecutor(min(32, os.cpu_count() or 1))
    looks: list[Look] = []
    try:
        for look in pool.map(lambda task: _look(*task), wanted):
            looks.append(look)
            if progress is not None:
                progress(len(looks), len(wanted))
    finally:
        pool.shutdown(cancel_futures=True)
    return looks


def _look(exam: str, name: str, source: Source) -> Look:
    try:
        image = read_image(source).still()
    except ReadError as problem:
        return Look(exam, name, failure=str(problem))
    values, flat = image.values, image.values.reshape(image.channels, -1)
    return Look(
        exam,
        name,
        space=image.space,
        channels=image.channels,
        bits=image.bits,
        modality=image.modality,
        spacing_mm=image.grid.spacing_mm,
        digest=digest_pixels(values),
        constant=bool((flat == flat[:, :1]).all()),
        thumbnail=shrink(values),
        traces=take_traces(values, image.bits),
    )
