"""Candidates: places that a search came up with, and what was thought of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.whole import whole_file
from medclf.evaluate.froc import hits

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Places in one scan.

    Args:
        places_mm: (N, 3) in the patient.
        screened: (N,) probability of a target, as the search has it.
        shares: (N, kinds) probability of each kind, as far as it was judged.
    """

    places_mm: Numbers
    screened: Numbers
    shares: Numbers

    @property
    def scores(self) -> Numbers:
        """(N,) that there is any target."""
        return np.asarray(self.shares.sum(1))

    @property
    def kinds(self) -> NDArray[np.int64]:
        """(N,) number of the likeliest kind of each."""
        return np.asarray(self.shares.argmax(1))

    def hitting(self, targets_mm: Numbers, reach_mm: Numbers) -> "Candidates":
        """Take those within reach of a target: (T, 3), (T,)."""
        return self.take(self._hits(targets_mm, reach_mm))

    def missing(self, targets_mm: Numbers, reach_mm: Numbers) -> "Candidates":
        """Take those out of reach of all targets."""
        return self.take(~self._hits(targets_mm, reach_mm))

    def _hits(self, targets_mm: Numbers, reach_mm: Numbers) -> NDArray[np.bool_]:
        return np.asarray(hits(self.places_mm, targets_mm, reach_mm).any(1))

    def first(self, most: int) -> "Candidates":
        """Take the first so many."""
        return self.take(np.arange(len(self.places_mm)) < most)

    def take(self, chosen: NDArray[np.bool_]) -> "Candidates":
        """Take those that are chosen: (N,)."""
        return Candidates(self.places_mm[chosen], self.screened[chosen], self.shares[chosen])


Find = Callable[[Image], Candidates]
"""Searches a prepared scan; best first, with the probabilities of each kind."""


def keep_inside(image: Image, places_mm: Numbers) -> Numbers:
    """Move places that lie out of a scan to its nearest sample: (N, 3) -> (N, 3)."""
    samples = np.clip(image.grid.from_mm(places_mm), 0, np.array(image.space) - 1)
    return image.grid.to_mm(samples)


def keep_candidates(path: Path, some: Sequence[Candidates]) -> None:
    """Write the candidates of some scans, whole or not at all.

    Raises:
        RunError: they cannot be written.
    """
    values = {
        f"{name}-{number}": getattr(one, name)
        for number, one in enumerate(some)
        for name in ("places_mm", "screened", "shares")
    }
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, **values)


def kept_candidates(path: Path, names: Sequence[str]) -> dict[str, Candidates]:
    """Read the candidates of some scans, in the order in which they were written."""
    with np.load(path, allow_pickle=False) as kept:
        return {
            name: Candidates(
                *(kept[f"{what}-{number}"] for what in ("places_mm", "screened", "shares"))
            )
            for number, name in enumerate(names)
        }
