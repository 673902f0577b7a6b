"""A series is parted into the images that it holds, by headers alone.

What differs in form, direction or pixel spacing is never one stack, and a localizer never a slice
of one; an image without a place, or of several frames, stands alone, but together with all its
files where it lies in several. Where several images lie at one place, marks part them: another
echo is another image, another moment a phase of the same. Acquisitions are parted where they
repeat places, and as echoes or kernels where they lie between each other's slices. What no mark
explains is left together, for the reader to refuse.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

import numpy as np

from medclf.read.dicom.header import ACQUISITION, CLOCK, DECLARED, PHYSICAL, Header, Mark
from medclf.read.dicom.phase import find_phases
from medclf.read.dicom.stack import Stack, gather, lay, normal_of

TURNED = 1e-3
"""Directions that agree to this in each cosine are one, and spacings that agree to this share."""

DYNAMIC = 5
"""So many acquisitions of the same places are one timed series; fewer are images of their own."""

FEWEST = 3
"""Slices that make a stack of which it can be told whether it is even."""

NAMED = 4
"""Groups that a message names."""

PLACED = "slices with a place"
"""What the only stack of a series is called, where images without a place stand beside it."""

PLANES = ("axial", "coronal", "sagittal")
"""The plane whose normal is z, y or x."""


@dataclass(frozen=True)
class Group:
    """Images of a series that belong together.

    Args:
        members: Their numbers.
        name: How they differ from the other groups of the series; "" where there is but one.
    """

    members: tuple[int, ...]
    name: str = ""


def part(headers: Sequence[Header]) -> list[Group]:
    """Part the images of one series, or of what should be one.

    Returns:
        At least one group. Copies of an image, which bear one SOPInstanceUID, go with their first,
        as do all parts of a concatenation.
    """
    firsts: dict[str, int] = {}
    copies: dict[int, list[int]] = {}
    for i, header in enumerate(headers):
        same = header.instance if header.placed else header.concatenation
        first = firsts.setdefault(same, i) if same else i
        copies.setdefault(first, []).append(i)
    groups = [
        piece for group in _by_form(headers, list(copies)) for piece in _by_marks(headers, group)
    ]
    seen: Counter[str] = Counter()
    named = []
    for group in groups:
        seen[group.name] += 1
        number = f" {seen[group.name]}" if seen[group.name] > 1 else ""
        members = sorted(i for first in group.members for i in copies[first])
        named.append(Group(tuple(members), group.name + number))
    return named


def tell_groups(groups: Sequence[Group]) -> str:
    """Say how many images there are, and how they differ."""
    told = "; ".join(f"{group.name} ({len(group.members)})" for group in groups[:NAMED])
    return f"{len(groups)}: {told}{'; …' if len(groups) > NAMED else ''}"


def stack_of(headers: Sequence[Header], members: Sequence[int]) -> Stack:
    """Lay placed images that share their form over one another, one of each height."""
    firsts = [some[0] for some in at_places(headers, members)]
    first = headers[firsts[0]]
    places = np.array([headers[i].place for i in firsts])
    return lay(places, np.asarray(first.axes), tuple(first.spacing_mm or ()))


def _by_form(headers: Sequence[Header], members: Sequence[int]) -> list[Group]:
    """Part by form, direction and pixel spacing; what has no place is alone."""
    alone = [i for i in members if not headers[i].placed]
    clusters: list[list[int]] = []
    for i in members:
        if headers[i].placed:
            mate = next((some for some in clusters if _alike(headers[some[0]], headers[i])), None)
            if mate is None:
                clusters.append([i])
            else:
                mate.append(i)
    if len(clusters) + len(alone) == 1:
        return [Group(tuple(members))]
    told = [_tell(headers[some[0]]) for some in clusters]
    differ = [len(set(column)) > 1 for column in zip(*told, strict=True)]
    named = [
        Group(
            tuple(some),
            ", ".join(w for w, shown in zip(words, differ, strict=True) if w and shown) or PLACED,
        )
        for some, words in zip(clusters, told, strict=True)
    ]
    return [*named, *(Group((i,), _file(headers[i])) for i in alone)]


def _alike(one: Header, other: Header) -> bool:
    """Tell whether two placed images can be slices of one stack."""
    if one.form != other.form:
        return False
    if one.axes is other.axes and one.spacing_mm is other.spacing_mm:
        return True  # As read once for all slices that state the same, which is most of them.
    axes = np.asarray(one.axes) - np.asarray(other.axes)
    ratio = np.asarray(one.spacing_mm) / np.asarray(other.spacing_mm)
    return bool(np.abs(axes).max() <= TURNED and np.abs(ratio - 1).max() <= TURNED)


def _tell(header: Header) -> tuple[str, ...]:
    """Say in words what a stack is, so that others differ in some of them."""
    form, axes = header.form, np.asarray(header.axes)
    normal = np.abs(normal_of(axes))
    plane = PLANES[int(normal.argmax())]
    turn = plane if normal.max() > 1 - TURNED else f"oblique {plane}"
    mm = " x ".join(f"{side:g}" for side in header.spacing_mm or ())
    return (
        "localizer" if form.localizer else "",
        form.series,
        form.modality,
        turn,
        f"{form.rows} x {form.columns}",
        f"pixels of {mm} mm",
        form.photometric,
        form.frame_of_reference,
    )


def _file(header: Header) -> str:
    return PurePosixPath(header.source.member or header.source.path.name).name


def _by_marks(headers: Sequence[Header], group: Group) -> list[Group]:
    """Part images that share their form by marks, where several lie at one place."""
    members = group.members
    if len(members) == 1 or not headers[members[0]].placed:
        return [group]
    places = at_places(headers, members)
    most = max(map(len, places))
    if most == 1:
        return _by_acquisition(headers, group)
    for mark, form in PHYSICAL.items():
        pieces = _split(headers, group, mark, form)
        if _explains(headers, pieces, most):
            return [small for piece in pieces for small in _by_marks(headers, piece)]
    if find_phases(headers, places, DECLARED) is not None:
        return [group]
    ((mark, form),) = ACQUISITION.items()
    pieces = _split(headers, group, mark, form)
    timed = find_phases(headers, places, CLOCK) is not None
    if _explains(headers, pieces, most) and not (timed and len(pieces) >= DYNAMIC):
        return [small for piece in pieces for small in _by_marks(headers, piece)]
    return [group]


def at_places(headers: Sequence[Header], members: Sequence[int]) -> list[list[int]]:
    """Put together the numbers of images that are at one height."""
    places = np.array([headers[i].place for i in members])
    axes = np.asarray(headers[members[0]].axes)
    return [[members[i] for i in some] for some in gather(places, axes)]


def _split(headers: Sequence[Header], group: Group, mark: str, form: str) -> list[Group]:
    """Part a group by the values of a mark, in their order; those without it come first."""
    pieces: dict[Mark, list[int]] = {}
    for i in group.members:
        pieces.setdefault(headers[i].mark(mark), []).append(i)

    def rank(value: Mark) -> tuple[bool, bool, float, str]:
        number = value if isinstance(value, float) else 0.0
        return value is not None, isinstance(value, str), number, str(value)

    named = []
    for value in sorted(pieces, key=rank):
        text = f"{value:g}" if isinstance(value, float) else value
        told = f"no {mark}" if text is None else form.format(text)
        named.append(Group(tuple(pieces[value]), ", ".join(filter(None, (group.name, told)))))
    return named


def _explains(headers: Sequence[Header], pieces: Sequence[Group], most: int) -> bool:
    """Tell whether pieces of about one size have fewer images at each place than all together."""
    sizes = [len(piece.members) for piece in pieces]
    if not 2 <= len(pieces) <= most or 2 * min(sizes) < max(sizes):
        return False
    return all(max(map(len, at_places(headers, piece.members))) < most for piece in pieces)


def _by_acquisition(headers: Sequence[Header], group: Group) -> list[Group]:
    """Part images of different places where they are several even stacks rather than one.

    An even stack is parted where others lie between its slices; an uneven one by the first mark
    that makes even stacks of it.
    """
    even = stack_of(headers, group.members).even
    first = headers[group.members[0]]
    alike = even and all(headers[i].axes is first.axes for i in group.members)  # Marks are, too.
    for mark, form in (ACQUISITION if alike else {**ACQUISITION, **PHYSICAL}).items():
        pieces = _split(headers, group, mark, form)
        several = len(pieces) > 1 and all(_stacks(headers, piece) for piece in pieces)
        if several and (not even or _interleaved(headers, pieces)):
            return pieces
    return [group]


def _stacks(headers: Sequence[Header], piece: Group) -> bool:
    return len(piece.members) >= FEWEST and stack_of(headers, piece.members).even


def _interleaved(headers: Sequence[Header], pieces: Sequence[Group]) -> bool:
    """Tell whether pieces overlap in height."""
    normal = normal_of(np.asarray(headers[pieces[0].members[0]].axes))
    ranges = []
    for piece in pieces:
        heights = np.array([headers[i].place for i in piece.members]) @ normal
        ranges.append((heights.min(), heights.max()))
    ranges.sort()
    return any(low < high for (_, high), (low, _) in pairwise(ranges))
