"""What is wanted of a store: which images, prepared how; and one of its rows at a time.

A store is named by what it is made of: the contents of the files, their order and the settings.
A file that changes between its digest and its reading is noticed: what was read of it is not what
the name says.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf import __version__
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import MedclfError
from medclf.prepare.digest import (
    FileDigest,
    digest_parts,
    digest_rows,
    write_row,
    write_settings,
)
from medclf.prepare.exam import Prepare, Scaled, sample_images, scale_image
from medclf.prepare.marked import read_marked
from medclf.prepare.notes import Noted, name_image
from medclf.read.partners import files_of

Read = Callable[[Source], Image]

FORM = 2
"""Raised when what stores hold changes, so that old stores are not taken for new ones."""

DIGEST_BYTES = 16

TOGETHER = 2**18
"""Samples that are resampled at once: as floats they fit into a core's own cache."""

Failures = dict[int, str]
"""Why an image could not be read, by its number."""


@dataclass(frozen=True)
class Row:
    """An image that is wanted.

    Args:
        source: Where it is.
        site: Of its exam, where the settings go by the site.
    """

    source: Source
    site: str = ""


Held = dict[Row, tuple[NDArray[Any], int]]
"""Rows that are there already: the values of a store, and the row's number among them."""


def once_in_turn(read: Read) -> Read:
    """Read an image once for all of its points that are asked for one after the other."""
    last: list[tuple[Source, Image]] = []

    def again(source: Source) -> Image:
        if source.point is None and source.mask is None:
            return read(source)
        whole = replace(source, point=None, mask=None)
        if source.point is None:
            return read(whole)
        if not last or last[0][0] != whole:
            last[:] = [(whole, read(whole))]
        return last[0][1]

    return again


@dataclass(frozen=True)
class Order:
    """What is wanted of a store.

    Args:
        rows: The images.
        files: The digest of each file that they are made of.
        settings: How they are prepared.
        read: Reads one.
        held: Rows that need not be read.
        noted: What readers remarked; it grows as images are read.
    """

    rows: tuple[Row, ...]
    files: Mapping[Path, FileDigest]
    settings: Prepare
    read: Read
    held: Held = field(default_factory=dict)
    noted: Noted = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the contents, their order and the settings."""
        return digest_rows(self._told, self.settings)

    @cached_property
    def row_digests(self) -> list[bytes]:
        """For each row, a digest of what it is made from."""
        lines = (write_row(*told) for told in self._told)
        return [sha256(line).digest()[:DIGEST_BYTES] for line in lines]

    @cached_property
    def _told(self) -> list[tuple[Source, str]]:
        """For each row, its image and the digest of the files that this is made of."""
        return [(row.source, self._digest(row)) for row in self.rows]

    @property
    def kind(self) -> str:
        """What stores have in common whose rows may be exchanged."""
        told = f"{FORM} {__version__} ".encode() + write_settings(self.settings)
        return sha256(told).hexdigest()

    @property
    def name(self) -> str:
        """The folder of such a store; another version of the package makes its own."""
        return sha256(f"{FORM} {__version__} {self.digest}".encode()).hexdigest()[:32]

    @property
    def shape(self) -> tuple[int, ...]:
        """The axes of the values: (N, C, *size)."""
        return (len(self.rows), self.settings.channels, *self.settings.size)

    @cached_property
    def row_bytes(self) -> int:
        """The bytes that one prepared image takes."""
        return prod(self.shape[1:]) * np.dtype(self.settings.dtype).itemsize

    def without(self, failures: Failures) -> "Order":
        """The same without some of the images."""
        kept = (row for number, row in enumerate(self.rows) if number not in failures)
        return replace(self, rows=tuple(kept)) if failures else self

    def prepare(self, rows: Sequence[Row]) -> Iterator[NDArray[Any] | str]:
        """Read and prepare images, or tell in one line for each why that cannot be done.

        Neighbours of one form are resampled together, as far as they are small.

        Args:
            rows: The images.

        Returns:
            For each row, in order, its values (C, *size), or the reason why there are none.
        """
        waiting: list[Scaled] = []
        read = once_in_turn(self.read)
        for found in (self._scale(row, read) for row in rows):
            if isinstance(found, Scaled) and (not waiting or self._joins(waiting, found)):
                waiting.append(found)
                continue
            yield from self._sample(waiting)
            waiting = [found] if isinstance(found, Scaled) else []
            if not isinstance(found, Scaled):
                yield found
        yield from self._sample(waiting)

    def _joins(self, waiting: Sequence[Scaled], found: Scaled) -> bool:
        size = max(found.values.size, self.row_bytes) * (len(waiting) + 1)
        return size <= TOGETHER and found.form() == waiting[0].form()

    def _sample(self, waiting: Sequence[Scaled]) -> Iterable[NDArray[Any]]:
        return sample_images(waiting, self.settings) if waiting else ()

    def _scale(self, row: Row, read: Read) -> Scaled | NDArray[Any] | str:
        """Read and scale one image, copy it where it is held, or tell why that cannot be done."""
        source = row.source
        if self.held and row in self.held:
            values, number = self.held[row]
            return np.array(values[number])
        try:
            image, mark = read_marked(source, self.settings, read)
            for path in files_of(source):
                if path in self.files and not self.files[path].still(path):
                    return f"{path}: this file changed while it was prepared: begin again"
            if found := image.remarks[len(source.remarks) :]:  # Finding it told the others.
                self.noted[name_image(source, self.files)] = found
            return scale_image(image, self.settings, str(source), row.site, mark)
        except MedclfError as problem:
            return " ".join(str(problem).split())
        except OSError as problem:
            return f"{source}: cannot be read: {problem.strerror or problem}"

    def _digest(self, row: Row) -> str:
        digest = digest_parts(row.source, self.files)
        return f"{digest} {row.site!r}" if self.settings.site else digest
