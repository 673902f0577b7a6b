"""Where in the body a marked point lies: from 0 to 1 along each axis of the box around the body.

Of a volume that knows its directions, the axes run to the head, the back and the left; so the left
kidney lies left in everybody's body, however the scanner stored it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from medclf.core.record import Record, Source
from medclf.prepare.body import body_box
from medclf.prepare.marked import find_point
from medclf.prepare.order import Read
from medclf.prepare.orient import orient
from medclf.prepare.placement import unmoved
from medclf.prepare.threads import in_order
from medclf.read.image import read_image

AXES = ("place_z", "place_y", "place_x")
"""Names of the facts that tell the place."""


def add_places(
    records: Sequence[Record],
    read: Read = read_image,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Record, ...]:
    """Add to the facts of each exam where its point lies.

    Args:
        records: Exams with a marked point in their first image. Each image is read once.
        read: Reads an image.
        progress: Told how many images of how many were read.

    Raises:
        ReadError: an image cannot be read, or its exam has no point.
    """
    sources = [next(iter(record.images.values())) for record in records]
    wholes: dict[Source, list[int]] = {}
    for number, source in enumerate(sources):
        wholes.setdefault(replace(source, point=None), []).append(number)
    found: dict[int, dict[str, float]] = {}

    def work(whole: Source) -> list[dict[str, float]]:
        return _place(whole, [sources[number] for number in wholes[whole]], read)

    told = zip(wholes.values(), in_order(work, wholes), strict=True)
    for done, (numbers, places) in enumerate(told, 1):
        found |= dict(zip(numbers, places, strict=True))
        if progress is not None:
            progress(done, len(wholes))
    return tuple(
        replace(record, facts={**record.facts, **found[number]})
        for number, record in enumerate(records)
    )


def _place(whole: Source, sources: Sequence[Source], read: Read) -> list[dict[str, float]]:
    """Tell for each point of an image where it lies."""
    image = read(whole).still()
    placement = unmoved(len(image.space))
    if len(image.space) == 3 and image.grid.axes is not None:
        image, placement = orient(image, str(whole))
    box = body_box(image)
    start, stop = np.array(box.start), np.array(box.stop)
    names = AXES[-len(image.space) :]
    told = []
    for source in sources:
        middle = find_point(image, placement, source.point, str(source))
        share = (middle - start) / (stop - 1 - start).clip(1)
        told.append({name: float(x) for name, x in zip(names, share, strict=True)})
    return told
