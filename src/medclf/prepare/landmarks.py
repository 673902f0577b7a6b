"""Values of a meaningless scale moved so that the same tissue has the same value in every image.

The landmarks of an image are percentiles of its foreground. Each is moved to where it lies on a
standard scale, and what lies between two landmarks in proportion. The standard scale is learnt:
of each training exam the landmarks are brought to 0 and 1 at their ends, and their mean is taken.
By site, the landmarks that are moved are not those of the image but the mean of its site's
training exams: what differs between scanners goes, what differs between patients stays.

Source: Nyul, Udupa, Zhang. New variants of a method of MRI scale standardization. IEEE Transactions
on Medical Imaging 19, 2000, section II (percentile landmarks). One map for all images of a site
is histogram matching to a common template, as in Wrobel et al. Intensity warping for multisite MRI
harmonization. NeuroImage 223, 2020.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.errors import ReadError
from medclf.prepare.normalise import foreground
from medclf.prepare.settings import Prepare

Landmarks = tuple[float, ...]


def measure_landmarks(values: NDArray[Any], marks: Sequence[float]) -> Landmarks:
    """Measure the percentiles of an image's foreground."""
    return tuple(float(mark) for mark in np.percentile(foreground(values), marks))


def mean_landmarks(measured: Sequence[Landmarks]) -> Landmarks:
    """Tell what is usual: the mean over images, but for those of one value, if there are others.

    Example:
        >>> mean_landmarks([(10.0, 20.0, 30.0), (0.0, 30.0, 40.0), (7.0, 7.0, 7.0)])
        (5.0, 25.0, 35.0)
    """
    rows = [row for row in measured if row[0] < row[-1]] or measured
    return tuple(float(mark) for mark in np.mean(rows, axis=0))


def average_landmarks(measured: Sequence[Landmarks]) -> Landmarks:
    """Learn the standard scale, 0 to 1; images of one value tell nothing of it.

    Example:
        >>> average_landmarks([(10.0, 20.0, 30.0), (0.0, 300.0, 400.0), (7.0, 7.0, 7.0)])
        (0.0, 0.625, 1.0)
    """
    telling = [row for row in measured if row[0] < row[-1]]
    rows = np.array(telling or [tuple(range(len(measured[0])))], np.float64)
    span = rows[:, -1:] - rows[:, :1]
    mean = ((rows - rows[:, :1]) / span).mean(axis=0)
    return tuple(round(float(mark), 6) for mark in mean)


def move_values(values: NDArray[Any], found: Landmarks, standard: Landmarks) -> NDArray[np.float32]:
    """Move each landmark of an image to the standard scale, and values between in proportion.

    Args:
        values: (C, *space), or any other shape of two axes and more.
        found: Landmarks of the image, or of its site.
        standard: Where they shall lie, from 0 to 1.

    Returns:
        The same shape; what lies beyond the outer landmarks is clipped.

    Example:
        >>> move_values(np.array([[5, 10, 25, 40]]), (10.0, 20.0, 30.0), (0.0, 0.5, 1.0))
        array([[0.  , 0.  , 0.75, 1.  ]], dtype=float32)
    """
    if found[0] >= found[-1]:
        return np.zeros(values.shape, np.float32)
    unit = np.empty(values.shape, np.float32)
    for part, place in zip(values, unit, strict=True):  # A channel at a time: interp is float64.
        place[:] = np.interp(part, found, standard)
    return unit


def landmarks_of(values: NDArray[Any], settings: Prepare, site: str, where: str) -> Landmarks:
    """Take the landmarks to move: those of the image, or those of its site.

    Raises:
        ReadError: the site is none of those that were learnt.
    """
    if not settings.site:
        return measure_landmarks(values, settings.marks)
    if site not in settings.sites:
        found = repr(site) if site else "none"
        raise ReadError(
            f"{where}: a {settings.site} of {', '.join(settings.sites)} wanted, whose values are "
            f"known from training, found {found}"
        )
    count, number = len(settings.marks), settings.sites.index(site)
    return settings.site_landmarks[number * count : (number + 1) * count]
