"""Where in the body a marked point lies: from 0 to 1 along each axis of the box around the body.

Of a volume that knows its directions, the axes run to the head, the back and the left; so the left
kidney lies left in everybody's body, however the scanner stored it. Both kidneys lie as far from
the middle plane, which is told beside; and where a table has the places of landmarks in mm, so is
how far the point lies from them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from medclf.core.record import Fact, Record, Source
from medclf.core.threads import in_order
from medclf.errors import ReadError
from medclf.prepare.body import body_box
from medclf.prepare.marked import find_point
from medclf.prepare.order import Read
from medclf.prepare.orient import orient
from medclf.prepare.placement import unmoved
from medclf.read.image import read_image

Marks = dict[str, list[float] | None]

AXES = ("place_z", "place_y", "place_x")
"""Names of the facts that tell the place."""

ASIDE = "place_aside"
"""Name of the fact that tells how far from the middle of the last axis: 0, to .5 at the border."""

FROM = "mm_from_"
"""Begins the name of a fact that tells how far from a landmark: `mm_from_carina` from the place in
the columns `carina_z_mm`, `carina_y_mm` and `carina_x_mm` of the same exam."""


def asks_place(numbers: Sequence[str]) -> bool:
    """Tell whether facts are asked for that `add_places` adds."""
    return any(name in (*AXES, ASIDE) or name.startswith(FROM) for name in numbers)


def add_places(
    records: Sequence[Record],
    read: Read = read_image,
    progress: Callable[[int, int], None] | None = None,
    asked: Sequence[str] = (),
    skip_unreadable: bool = False,
) -> tuple[Record, ...]:
    """Add to the facts of each exam where its point lies.

    Args:
        records: Exams with a marked point in their first image. Each image is read once.
        read: Reads an image.
        progress: Told how many images of how many were read.
        asked: Facts that are asked for. Of landmarks, only those that these name are looked at;
            the fact stays away where the exam has no such columns, or its file no place in mm.
        skip_unreadable: Leave exams as they are whose place cannot be told, rather than stop.

    Raises:
        ReadError: an image cannot be read, or its exam has no point.
    """
    sources = [next(iter(record.images.values())) for record in records]
    landmarks = [name.removeprefix(FROM) for name in asked if name.startswith(FROM)]
    wholes: dict[Source, list[int]] = {}
    for number, source in enumerate(sources):
        wholes.setdefault(replace(source, point=None), []).append(number)
    found: dict[int, dict[str, Fact]] = {}

    def work(whole: Source) -> list[dict[str, Fact]]:
        some = [(sources[number], _marks(records[number], landmarks)) for number in wholes[whole]]
        return try_places(whole, some)

    def try_places(whole: Source, some: Sequence[tuple[Source, Marks]]) -> list[dict[str, Fact]]:
        try:
            return _place(whole, some, read)
        except ReadError:
            if not skip_unreadable:
                raise
        each = ([one] for one in some)
        return [{}] if len(some) == 1 else [at for one in each for at in try_places(whole, one)]

    told = zip(wholes.values(), in_order(work, wholes), strict=True)
    for done, (numbers, places) in enumerate(told, 1):
        found.update(zip(numbers, places, strict=True))
        if progress is not None:
            progress(done, len(wholes))
    return tuple(
        replace(record, facts={**record.facts, **found[number]})
        for number, record in enumerate(records)
    )


def _marks(record: Record, landmarks: Sequence[str]) -> Marks:
    """Take the places in mm of landmarks that an exam tells; `None` where a number is missing."""
    found: Marks = {}
    for name in landmarks:
        columns = [f"{name}_{axis}_mm" for axis in "zyx"]
        if all(column in record.facts for column in columns):
            at = [fact for c in columns if isinstance(fact := record.facts[c], float)]
            found[name] = at if len(at) == len(columns) else None
    return found


def _place(
    whole: Source, some: Sequence[tuple[Source, Marks]], read: Read
) -> list[dict[str, Fact]]:
    """Tell for each point of an image where it lies."""
    image = read(whole).still()
    placement = unmoved(len(image.space))
    if len(image.space) == 3 and image.grid.axes is not None:
        image, placement = orient(image, str(whole))
    box = body_box(image)
    start, stop = np.array(box.start), np.array(box.stop)
    names, grid = AXES[-len(image.space) :], image.grid
    in_mm = grid.spacing_mm and grid.origin_mm and grid.axes is not None
    told = []
    for source, marks in some:
        middle = find_point(image, placement, source.point, str(source))
        share = (middle - start) / (stop - 1 - start).clip(1)
        place: dict[str, Fact] = {name: float(x) for name, x in zip(names, share, strict=True)}
        place[ASIDE] = abs(float(share[-1]) - 0.5)
        if marks and in_mm:
            here = grid.to_mm(middle).tolist()
            for name, at in marks.items():
                place[FROM + name] = None if at is None else math.dist(at, here)
        told.append(place)
    return told
