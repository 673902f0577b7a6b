"""The vertebrae by name, and how large each is on average.

The spine has 12 thoracic and 5 lumbar vertebrae in most people. Where there are 11 or 13, 4 or 6,
sizes are spread anew over as many, so that the last with a rib looks as the last does.

Source: sizes lie close to the means, rounded, of Panjabi et al. Thoracic Human Vertebrae:
Quantitative Three-Dimensional Anatomy. Spine 1991, and Human Lumbar Vertebrae. Spine 1992. Heights
of the thoracic discs lie between Kunkel et al. Morphometric Analysis of the Relationships between
Intervertebral Disc and Vertebral Body Heights. Journal of Anatomy 2011, and Fletcher et al. CT
Morphometry of Adult Thoracic Intervertebral Discs. European Spine Journal 2015. The slopes of
spinous processes are drawn by eye. Numbers of labels are those of Sekuboyina et al. VerSe: A
Vertebrae Labelling and Segmentation Benchmark for Multi-detector CT Images. Medical Image Analysis
2021.
"""

from dataclasses import dataclass, fields

import numpy as np

from medclf.curate.phantom.shapes import Array

USUAL = (12, 5)
UNUSUAL = ((11, 5), (13, 5), (12, 4), (12, 6))
"""Counts of thoracic and lumbar vertebrae."""


@dataclass(frozen=True)
class Size:
    """How large a vertebra is, in mm.

    Args:
        width, depth, height: Of the body; its height in the back.
        canal_width, canal_depth: Of the canal.
        pedicle_width, pedicle_height: Of a pedicle.
        transverse: From tip to tip of the transverse processes.
        spinous: From the body's back to the tip of the spinous process.
        droop: How far that process slopes down, in degrees.
        disc: Height of the disc below.
    """

    width: float
    depth: float
    height: float
    canal_width: float
    canal_depth: float
    pedicle_width: float
    pedicle_height: float
    transverse: float
    spinous: float
    droop: float
    disc: float


CERVICAL = (
    Size(27, 16.5, 13.5, 25, 15, 6, 7.5, 58, 42, 15, 5.5),
    Size(28, 17.5, 14, 24, 15, 7, 8, 66, 52, 22, 5.2),
)
"""C6 and C7."""

THORACIC = (
    Size(26, 19, 14.5, 22, 16.5, 8, 9.5, 75, 50, 30, 4.3),
    Size(26, 20.5, 15.5, 19.5, 15.5, 6.5, 11, 69, 48, 40, 3.8),
    Size(25.5, 23, 16, 18, 16, 5, 12, 61, 47, 46, 3.6),
    Size(25.5, 24, 16.5, 17, 16.5, 4.5, 12, 59, 49, 51, 3.6),
    Size(26, 25, 16.5, 17, 16.5, 4.5, 12, 61, 51, 55, 4),
    Size(27, 26.5, 17.5, 17, 16.5, 5, 12.5, 61, 53, 58, 4.4),
    Size(28.5, 28, 18, 17, 16, 5, 12.5, 60, 52, 58, 4.6),
    Size(30, 28.5, 18.5, 17.5, 16, 5.5, 13, 59, 51, 55, 4.8),
    Size(32, 30, 19.5, 18, 15.5, 6, 14, 59, 49, 45, 5),
    Size(33.5, 31, 20, 18.5, 15.5, 6.5, 15, 58, 47, 35, 5.6),
    Size(37, 32, 21.5, 20, 16, 8, 16.5, 52, 45, 20, 6.2),
    Size(40.5, 33, 22.5, 22, 18, 8, 17, 47, 46, 12, 7),
)
"""T1 to T12."""

LUMBAR = (
    Size(42, 34.5, 24, 23.5, 19, 8.5, 16, 71, 66, 8, 8),
    Size(44, 35, 24.5, 24, 18, 9, 15, 76, 70, 8, 9.3),
    Size(46, 35, 24, 24.5, 17.5, 10.5, 14.5, 86, 71, 8, 10.2),
    Size(48, 35, 24, 25.5, 18.5, 13, 15.5, 80, 67, 10, 10.8),
    Size(48.5, 34, 23, 27, 19.5, 17, 18, 92, 57, 15, 9.8),
)
"""L1 to L5."""

SACRAL = (
    Size(50, 31, 27, 30, 15, 14, 18, 100, 34, 25, 1),
    Size(38, 20, 24, 26, 11, 12, 14, 88, 24, 25, 0.5),
    Size(29, 14, 20, 20, 8, 10, 12, 70, 16, 25, 0.5),
)
"""S1 to S3, grown together."""

_NUMBERS = {f"T{n}": 7 + n for n in range(1, 13)} | {f"L{n}": 19 + n for n in range(1, 7)}
NUMBERS = _NUMBERS | {"T13": 28}
"""What stands in a label map, by name."""


def draw_counts(unusual: float, rng: np.random.Generator) -> tuple[int, int]:
    """Draw how many thoracic and lumbar vertebrae there are; unusually many or few by chance."""
    chance, which = rng.random(), int(rng.integers(len(UNUSUAL)))
    return UNUSUAL[which] if chance < unusual else USUAL


def spread(sizes: tuple[Size, ...], count: int) -> list[Size]:
    """Spread the sizes of a part of the spine over a number of vertebrae.

    Example:
        >>> [round(size.height, 2) for size in spread(LUMBAR, 4)]
        [24.0, 24.33, 24.0, 23.0]
    """
    names = [field.name for field in fields(Size)]
    table = np.array([[getattr(size, name) for name in names] for size in sizes])
    at = np.linspace(0, len(sizes) - 1, count)
    columns = [np.interp(at, np.arange(len(sizes)), column) for column in table.T]
    return [Size(*(float(mm) for mm in row)) for row in np.column_stack(columns)]


def grown(size: Size, factors: Array) -> Size:
    """Grow a vertebra: one factor for each of its sizes, and none for the slope.

    Shape:
        factors: (9,) for all but `droop` and `disc`, which grows with the height.
    """
    names = [field.name for field in fields(Size)]
    of = dict(zip(names[:9], factors, strict=True)) | {"droop": 1.0, "disc": factors[2]}
    return Size(**{name: float(getattr(size, name) * of[name]) for name in names})
