"""What images look like, noted when they are read, and kept in the cache by their contents.

Copies are sought among images as they are stored, whatever size they are prepared at. Whoever
prepares them reads them, and what each looks like is noted then: it is there for every other size,
and when exams are added. An image that was prepared before that is read once more.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.record import Record, Source
from medclf.curate.survey import Look, Progress, look_briefly, survey
from medclf.curate.thumbnail import EDGES
from medclf.curate.together import seeks_near
from medclf.read.cache import cache_folder
from medclf.read.image import read_image

KEPT = "looks.sqlite"

KEEP = "INSERT OR IGNORE INTO looks VALUES (?, ?, ?, ?, ?)"
KEEP_IN_FULL = "INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?, ?)"

Looks = dict[Source, Look]


class Looking:
    """Reads images, and notes what those of some exams look like.

    Args:
        records: The exams.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        images = list_images(records)
        self.near = seeks_near(len(images))
        self.looks: Looks = {}
        self._meant: dict[Source, list[Source]] = {}
        for source in images:
            self._meant.setdefault(replace(source, point=None), []).append(source)

    def read(self, source: Source) -> Image:
        """Read an image; several threads may do so at once.

        Raises:
            ReadError: as `read_image` does.
        """
        image = read_image(source)
        meant = [one for one in self._meant.get(source, ()) if one not in self.looks]
        still = image.still() if meant else image
        for one in meant:
            self.looks[one] = look_briefly("", "", still, one.point, self.near)
        return image

    def look(
        self, cohort: Cohort, keys: Mapping[Source, bytes], progress: Progress | None = None
    ) -> list[Look]:
        """Tell what every image of a cohort looks like.

        Args:
            cohort: Of exams that can be read; all of them, or some, of those that were named first.
            keys: By what each image is made of, as `list_images` names them.
            progress: Told how many images of how many are read that nobody has looked at yet.
        """
        near = seeks_near(len(list_images(cohort.records)))
        looks = {
            source: look
            for source, look in self.looks.items()
            if look.thumbnail.size or look.failure or not near
        }
        known = _recall({s: key for s, key in keys.items() if s not in looks}, near)
        there = {*looks, *known}
        unseen = [r for r in cohort.records if not there.issuperset(list_images([r]))]
        if unseen:
            found = survey(replace(cohort, records=tuple(unseen)), progress)
            looks |= zip(list_images(unseen), found, strict=True)
        told = {keys[s]: look for s, look in looks.items() if s in keys and not look.failure}
        _remember(told, near)
        known |= looks
        return [
            replace(known[source], exam=record.name)
            for record in cohort.records
            for source in list_images([record])
        ]


def list_images(records: Sequence[Record]) -> list[Source]:
    """List all images of exams, in order; whether a mask lies on one is no matter here."""
    return [replace(s, mask=None) for record in records for s in record.images.values()]


@contextmanager
def _open() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(cache_folder() / KEPT)) as kept, kept:
        kept.execute(
            "CREATE TABLE IF NOT EXISTS looks"
            " (key BLOB PRIMARY KEY, digest TEXT, constant INTEGER, axes INTEGER, thumbnail BLOB)"
        )
        yield kept


def _recall(keys: Mapping[Source, bytes], near: bool) -> Looks:
    """Recall what images look like, of those that are kept; with their thumbnails, where `near`."""
    found: Looks = {}
    asked = "SELECT digest, constant, axes, thumbnail FROM looks WHERE key = ?"
    with suppress(sqlite3.Error), _open() as kept:  # What is not kept here is looked at again.
        for source, key in keys.items():
            for digest, constant, axes, cells in kept.execute(asked, (key,)):
                look = Look("", "", space=(0,) * axes, digest=digest, constant=bool(constant))
                if near and cells:
                    thumbnail = np.frombuffer(cells, np.float16).reshape((EDGES[axes],) * axes)
                    look = replace(look, thumbnail=thumbnail)
                if cells or not near:
                    found[source] = look
    return found


def _remember(looks: Mapping[bytes, Look], near: bool) -> None:
    """Keep what images look like; without thumbnails, what is kept with one stays."""
    rows = (
        (key, one.digest, one.constant, len(one.space), one.thumbnail.tobytes())
        for key, one in looks.items()
    )
    with suppress(sqlite3.Error), _open() as kept:
        kept.executemany(KEEP_IN_FULL if near else KEEP, rows)
