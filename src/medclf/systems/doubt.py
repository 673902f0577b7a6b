"""What makes a new scan unlike those that a system learnt from; it is said beside its findings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.curate.fingerprint import Fingerprint
from medclf.prepare.settings import Prepare
from medclf.read.image import read_image
from medclf.systems.volume import prepare_volume, turn_volume

SLACK = 1.05
"""Spacings are unlike those of training beyond so much of the largest, and below the smallest."""

UNSURE = "nothing of what is sought was found for sure"
"""Said of a scan without a sure finding, as of another part of the body."""


@dataclass(frozen=True)
class Usual:
    """What scans of training are like.

    Args:
        modalities: As their files say; those that say none are not counted.
        least_mm: Their smallest spacing along each axis, z first.
        most_mm: Their largest.
    """

    modalities: tuple[str, ...]
    least_mm: tuple[float, ...]
    most_mm: tuple[float, ...]

    @classmethod
    def of(cls, found: Fingerprint) -> "Usual":
        """Take it from the fingerprint of volumes that all tell their spacing."""
        modalities = tuple(name for name in found.modalities if name)
        return cls(modalities, found.spacing_min_mm or (), found.spacing_max_mm or ())


def read_doubted(
    source: Source, prepare: Prepare, one_size: bool, known: Usual
) -> tuple[Image, tuple[str, ...]]:
    """Read a scan, prepare all of it as `read_volume` does, and tell what makes it doubtful.

    Raises:
        ReadError: as `read_volume` says.
    """
    image, where = read_image(source), str(source)
    doubts = doubt_scan(turn_volume(image, prepare, where), known, prepare, one_size)
    return prepare_volume(image, prepare, one_size, where), doubts


def doubt_scan(image: Image, known: Usual, prepare: Prepare, one_size: bool) -> tuple[str, ...]:
    """Tell what makes a scan unlike those of training.

    Args:
        image: Turned as those of training were, and not resampled yet.
        known: What those are like.
        prepare: `spacing_mm` tells the edge of the samples that it comes to have.
        one_size: Whether it comes to have `prepare.size` of them, about its middle.

    Example:
        >>> from medclf.core.grid import Grid
        >>> import numpy as np
        >>> scan = Image(np.zeros((1, 4, 4, 4)), Grid((5.0, 1.0, 1.0)), "MR")
        >>> known = Usual(("CT",), (1.0, 1.0, 1.0), (3.0, 1.0, 1.0))
        >>> prepare = Prepare((8, 8, 8), 1, (1.5, 1.5, 1.5))
        >>> modality, spacing, extent = doubt_scan(scan, known, prepare, one_size=True)
        >>> modality
        'MR, where training saw CT'
        >>> spacing
        'samples of 5 x 1 x 1 mm, where training saw 1 x 1 x 1 to 3 x 1 x 1; resampled to 1.5 mm'
        >>> extent
        '20 x 4 x 4 mm, of which no more than the middle 12 x 12 x 12 are searched'
    """
    told = []
    if known.modalities and image.modality and image.modality not in known.modalities:
        told.append(f"{image.modality}, where training saw {', '.join(known.modalities)}")
    spacing = image.grid.spacing_mm or ()
    sides = zip(spacing, known.least_mm, known.most_mm, strict=True)
    if any(not least / SLACK <= mm <= most * SLACK for mm, least, most in sides):
        seen = f"{_across(known.least_mm)} to {_across(known.most_mm)}"
        told.append(
            f"samples of {_across(spacing)} mm, where training saw {seen}; "
            f"resampled to {prepare.spacing_mm[0]:g} mm"
        )
    extent = np.multiply(image.space, spacing)
    searched = np.multiply(prepare.size, prepare.spacing_mm)
    if one_size and (extent > searched + prepare.spacing_mm).any():
        told.append(
            f"{_across(extent)} mm, of which no more than the middle {_across(searched)} are "
            "searched"
        )
    return tuple(told)


def add_unsure(
    doubts: Sequence[str], scores: NDArray[np.float64], threshold: float
) -> tuple[str, ...]:
    """Add to what makes a scan doubtful that nothing in it is sure, where that is so."""
    return (*doubts, *([] if (scores >= threshold).any() else [UNSURE]))


def _across(edges_mm: Iterable[float]) -> str:
    return " x ".join(f"{mm:.3g}" for mm in edges_mm)
