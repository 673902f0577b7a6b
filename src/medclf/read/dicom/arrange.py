"""The slices of one image in order, and all that is found on the way.

Copies of a slice are left out, phases told apart, slices laid along their normal. What is missing
or cannot be told apart is refused; what leans or lies unevenly, but touches, will be interpolated.
Each finding becomes a remark.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.remark import Remark
from medclf.errors import ReadError
from medclf.read.dicom.header import CLOCK, DECLARED, Header
from medclf.read.dicom.part import at_places
from medclf.read.dicom.phase import find_phases
from medclf.read.dicom.stack import BESIDE, Stack, lay
from medclf.read.dicom.straighten import even_out, space_taken, straighten
from medclf.read.refuse import check_size

ROUNDED = 0.01
"""The share of a step from which slices beside their even place are told of."""

APART = 2.0
"""Slices that lie so many times their thickness apart are told of."""

STATED = ("NumberOfSlices", "ImagesInAcquisition")
"""What states how many slices there should be."""

CROWDED = 0.1
"""Of the widest step so small a share is none: two slices that lie so near show one place."""

NAMED = 3

Identical = Callable[[int, int], bool]
"""Tells whether two images have the same pixels."""


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Images in order.

    Args:
        order: (T, Z), the number of the image at each place; T is 1 where there are no phases.
        phases: Their names; empty for a still image.
        stack: How the slices lie.
        remarks: What was found.
    """

    order: NDArray[np.int64]
    phases: tuple[str, ...]
    stack: Stack
    remarks: tuple[Remark, ...]


def arrange(headers: Sequence[Header], identical: Identical, where: str) -> Arrangement:
    """Bring the images of one stack into order.

    Args:
        headers: Placed images that share form, direction and spacing.
        identical: Compares two of them.
        where: Names the series in messages.

    Raises:
        ReadError: slices are missing, different images at one place cannot be told apart, or the
            slices would fill the memory once they are straight and even.
    """
    places, remarks = _without_copies(headers, identical, where)
    order, phases, more = _in_phases(headers, places, where)
    remarks += more
    spots = np.array([[headers[i].place for i in row] for row in order])
    first = headers[int(order[0, 0])]
    stack = lay(spots[0], np.asarray(first.axes), tuple(first.spacing_mm or ()))
    _check_together(spots, stack, where)
    slices = [headers[int(i)] for i in order[0]]
    remarks += _judge_steps(stack, slices, where)
    remarks += _judge_lean(stack, slices, where)
    remarks += _judge_count(stack, slices)
    space = space_taken(stack, first.form.rows, first.form.columns)
    check_size((len(order), first.form.samples, *space), where)
    return Arrangement(order, phases, stack, tuple(remarks))


def finish(values: NDArray[Any], first: Image, found: Arrangement) -> Image:
    """Make the image of slices in order.

    Args:
        values: (T, C, Z, Y, X), as scanned; slices that lean are moved to their places, those at
            uneven steps interpolated.
        first: Whose modality, unit and bits they share.
        found: How they lie.
    """
    stack, grid = found.stack, found.stack.grid
    if not stack.rectangular:
        values, grid = straighten(values, stack)
    if not stack.even:
        values, step = even_out(values, stack.heights_mm)
        grid = replace(grid, spacing_mm=(step, *(grid.spacing_mm or ())[-2:]))
    if len(stack.heights_mm) == 1:
        values = values[:, :, 0]
    values = values if found.phases else values[0]
    return replace(first, values=values, grid=grid, phases=found.phases, remarks=found.remarks)


def _without_copies(
    headers: Sequence[Header], identical: Identical, where: str
) -> tuple[list[list[int]], list[Remark]]:
    """Leave out copies: files of one UID, and images of equal pixels where no phase needs them."""
    found = at_places(headers, range(len(headers)))
    places = [_distinct(headers, some, identical, where) for some in found]
    if max(map(len, places)) > 1 and find_phases(headers, places, {**DECLARED, **CLOCK}) is None:
        places = [_differing(some, identical) for some in places]
    kept = {i for some in places for i in some}
    copies = [headers[i].source for i in range(len(headers)) if i not in kept]
    if not copies:
        return places, []
    told = ", ".join(source.member or source.path.name for source in copies[:NAMED])
    more = ", …" if len(copies) > NAMED else ""
    slices = "1 copy of a slice" if len(copies) == 1 else f"{len(copies)} copies of slices"
    return places, [Remark("duplicate", f"{slices} left out: {told}{more}")]


def _distinct(
    headers: Sequence[Header], some: Sequence[int], identical: Identical, where: str
) -> list[int]:
    """Keep the first image of each UID at one place."""
    firsts: dict[str, int] = {}
    kept = []
    for i in some:
        first = firsts.setdefault(headers[i].instance, i) if headers[i].instance else i
        if first == i:
            kept.append(i)
        elif not identical(first, i):
            one, other = headers[first].source, headers[i].source
            raise ReadError(f"{where}: two images with one SOPInstanceUID: {one} and {other}")
    return kept


def _differing(some: Sequence[int], identical: Identical) -> list[int]:
    kept: list[int] = []
    for i in some:
        if not any(identical(first, i) for first in kept):
            kept.append(i)
    return kept


def _in_phases(
    headers: Sequence[Header], places: Sequence[Sequence[int]], where: str
) -> tuple[NDArray[np.int64], tuple[str, ...], list[Remark]]:
    """Order images as (T, Z), and name the phases."""
    if max(map(len, places)) == 1:
        return np.array(places).T, (), []
    phases = find_phases(headers, places, {**DECLARED, **CLOCK})
    if phases is not None:
        return phases.order, phases.names, list(phases.remarks)
    counts = sorted({len(some) for some in places})
    if len(counts) > 1:
        several = sum(len(some) > counts[0] for some in places)
        raise ReadError(
            f"{where}: as many images at each place wanted, found {counts[-1]} at most, "
            f"{counts[0]} at least; {several} of {len(places)} places have more than others"
        )
    raise ReadError(
        f"{where}: one image at each place wanted, found {counts[0]} that differ, and no echo, "
        "moment or acquisition tells them apart"
    )


def _check_together(spots: NDArray[np.float64], stack: Stack, where: str) -> None:
    """Refuse phases of one place that lie beside each other."""
    spacing = np.array(stack.grid.spacing_mm)[-2:]
    axes = np.asarray(stack.grid.axes)[-2:]
    beside = np.abs((spots - spots[0]) @ axes.T / spacing).max()
    if beside > BESIDE:
        raise ReadError(f"{where}: images of one place lie {beside:.3g} pixels beside each other")


def _judge_steps(stack: Stack, slices: Sequence[Header], where: str) -> list[Remark]:
    """Refuse gaps; tell of steps that are uneven, rounded, or much wider than the slices."""
    steps = np.diff(stack.heights_mm)
    if not len(steps):
        return []
    thickness = [header.thickness_mm for header in slices]
    if not stack.even:
        gaps = stack.gaps(thickness)
        usual = float(np.median(steps))
        if gaps:
            at = gaps[0]
            raise ReadError(
                f"{where}: slices are missing (gaps: {len(gaps)}); the first, {steps[at]:.4g} mm "
                f"where {usual:.4g} mm are usual, lies above {slices[at].source}"
            )
        _check_crowd(steps, slices, where)
        told = f"steps of {steps.min():.4g} to {steps.max():.4g} mm: interpolated to even ones"
        return [Remark("uneven", told, grave=True)]
    remarks = []
    if stack.unevenness > ROUNDED:
        off = stack.unevenness * stack.step_mm
        told = f"slices lie up to {off:.2g} mm beside even steps of {stack.step_mm:.4g} mm"
        remarks.append(Remark("rounded", f"{told}: taken as even"))
    thick = max(mm or 0.0 for mm in thickness)
    if thick and stack.step_mm > APART * thick:
        told = f"slices of {thick:g} mm lie {stack.step_mm:.4g} mm apart: some may be missing"
        remarks.append(Remark("apart", told, grave=True))
    return remarks


def _check_crowd(steps: NDArray[np.float64], slices: Sequence[Header], where: str) -> None:
    """Refuse slices beside others of the same place, which even steps would make hundreds of."""
    at = int(steps.argmin())
    if steps[at] < CROWDED * steps.max():
        raise ReadError(
            f"{where}: one slice at each place wanted, found two {steps[at]:.2g} mm apart where "
            f"others lie {steps.max():.4g} mm apart: {slices[at].source} and "
            f"{slices[at + 1].source}"
        )


def _judge_lean(stack: Stack, slices: Sequence[Header], where: str) -> list[Remark]:
    """Refuse neighbours that lie wholly beside each other; tell of a tilt, and of what is none."""
    if stack.rectangular:
        return []
    form = slices[0].form
    moved = np.abs(np.diff(stack.beside_px, axis=0)) >= (form.rows, form.columns)
    if moved.any():
        at = int(moved.any(axis=1).argmax())
        raise ReadError(
            f"{where}: slices above each other wanted, found one wholly beside its neighbour: "
            f"{slices[at].source} and {slices[at + 1].source}"
        )
    far = np.abs(stack.beside_px).max()
    spacing = np.array(stack.grid.spacing_mm)[-2:]
    lean = np.linalg.norm(stack.beside_px[-1] * spacing) / stack.heights_mm[-1]
    even = np.outer(stack.heights_mm / stack.heights_mm[-1], stack.beside_px[-1])
    if np.abs(stack.beside_px - even).max() <= BESIDE:
        told = f"slices lean by {np.degrees(np.arctan(lean)):.1f}° (a tilted gantry)"
        return [Remark("tilt", f"{told}: each moved to its place by interpolation")]
    told = f"slices lie up to {far:.3g} pixels beside the first"
    return [Remark("beside", f"{told}: each moved to its place by interpolation", grave=True)]


def _judge_count(stack: Stack, slices: Sequence[Header]) -> list[Remark]:
    """Tell where fewer slices are here than the headers state."""
    stated = [header.mark(name) for header in slices for name in STATED]
    most = max((int(count) for count in stated if isinstance(count, float)), default=0)
    found = len(stack.heights_mm)
    if most <= found:
        return []
    return [Remark("cut", f"{most} slices stated, {found} found", grave=True)]
