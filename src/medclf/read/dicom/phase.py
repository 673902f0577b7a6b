"""The moments of a timed or gated series: which image of a place belongs to which, and its name.

At each place the images are ranked by the time that they state; the first of all places make the
first phase, and so on. That is right only where no image of a phase is later than one of the
next. In gated series each slice has its own heart beats, so that late phases may overlap: there
the number of phases that the file states must be the number found.

Source: DICOM PS3.3, C.7.6.16.2.7 (cardiac synchronization), C.8.3.1 (MR), C.8.9.1 (PET).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.core.remark import Remark
from medclf.read.dicom.header import CLOCK, Header

GATED = ("TriggerTime", "NominalCardiacTriggerDelayTime")


@dataclass(frozen=True, eq=False)
class Phases:
    """A timed series in order.

    Args:
        order: (T, Z), which image shows a phase at a place.
        names: What each phase is called.
        remarks: What a person should know of the order.
    """

    order: NDArray[np.int64]
    names: tuple[str, ...]
    remarks: tuple[Remark, ...] = ()


def find_phases(
    headers: Sequence[Header], places: Sequence[Sequence[int]], marks: Mapping[str, str]
) -> Phases | None:
    """Rank the images at each place by the first mark that tells them all apart.

    Args:
        headers: The images.
        places: Numbers of the images at each place, from below; equally many at each.
        marks: Names of marks, and how their values are written.

    Returns:
        `None` where there are not equally many, or no mark orders them.
    """
    if len({len(some) for some in places}) != 1 or len(places[0]) < 2:
        return None
    for mark, form in marks.items():
        found = [[headers[i].mark(mark) for i in some] for some in places]
        if all(isinstance(time, float) for some in found for time in some):
            phases = _rank(headers, places, np.array(found, float), mark, form)
            if phases is not None:
                return phases
    return None


def _rank(
    headers: Sequence[Header],
    places: Sequence[Sequence[int]],
    times: NDArray[np.float64],
    mark: str,
    form: str,
) -> Phases | None:
    """Rank (Z, T) times at each place."""
    ranks = np.argsort(times, axis=1, kind="stable")
    ranked = np.take_along_axis(times, ranks, axis=1)
    if (np.diff(ranked, axis=1) <= 0).any():
        return None
    if (ranked.max(0)[:-1] >= ranked.min(0)[1:]).any():
        stated = {headers[i].mark("CardiacNumberOfImages") for some in places for i in some}
        if mark not in GATED or stated != {float(times.shape[1])}:
            return None
    remarks: tuple[Remark, ...] = ()
    widest = float(np.ptp(ranked, axis=0).max())
    if widest > 0 and mark not in CLOCK:
        told = f"slices of one phase differ in {mark} by up to {widest:g}: phases bear the mean"
        remarks = (Remark("gated", told),)
    order = np.take_along_axis(np.array(places), ranks, axis=1).T
    means = ranked.mean(0)
    if mark in CLOCK:
        means = means - means[0]
    return Phases(order, tuple(form.format(f"{time:.6g}") for time in means), remarks)
