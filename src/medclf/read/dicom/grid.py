"""Where the pixels of a DICOM file lie in the patient.

A classic file states it at its top level, an enhanced one in functional groups, shared by all
frames or one per frame. Frames form a volume with a known distance only where their stated
places are evenly spaced along one line; else the distance is left unknown.

Source: DICOM PS3.3, C.7.6.2 (image plane), C.7.6.16 (multi-frame functional groups), 10.7.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.errors import ReadError

if TYPE_CHECKING:
    from pydicom import Dataset

Vectors = NDArray[np.float64]

_EVEN = 0.02
"""Steps between frames may differ by this share: places are written with few decimals."""


def read_grid(dataset: "Dataset", frames: int, where: str) -> Grid:
    """Read spacing, origin and axes, z first, of the LPS frame.

    Args:
        dataset: The parsed file.
        frames: How many it holds; with 1 the grid has the two axes (y, x), else three.
        where: Names the file in messages.

    Returns:
        A grid whose parts are `None` where the file does not state them, states 0, or states
        frames that do not lie evenly. Spacing is PixelSpacing, else ImagerPixelSpacing, which
        is measured on the detector, or that of the scanned film, or of the only kind of region in
        an ultrasound; between frames it comes from their places, else from
        SpacingBetweenSlices, else SliceThickness.

    Raises:
        ReadError: a stated place is no number, or not as many numbers as it must be.
    """
    spacing = read_spacing(dataset, where)
    if frames == 1:
        place = read_numbers(
            functional_group(dataset, "PlanePositionSequence", 0), _PLACE, 3, where
        )
        axes = read_plane(dataset, 0, where)
        return Grid(spacing, None if place is None else place[::-1], axes)
    places = _places(dataset, frames, where)
    if places is None:
        places = _offset_places(dataset, frames, where)
    if places is None:
        depth = _depth(dataset, where)
        return Grid() if spacing is None or depth is None else Grid((depth, *spacing))
    return _stack(dataset, places, spacing, where)


def functional_group(dataset: "Dataset", name: str, frame: int) -> "Dataset":
    """Find what a frame states: its own group, else the shared one, else the file's top level."""
    groups = ("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)
    for keyword, number in groups:
        items = dataset.get(keyword) or ()
        found = items[number].get(name) if len(items) > number else None
        if found:
            item: Dataset = found[0]
            return item
    return dataset


_PLACE, _TURN = "ImagePositionPatient", "ImageOrientationPatient"
_SCANNED = "NominalScannedPixelSpacing"
_REGION = (
    *("RegionSpatialFormat", "PhysicalUnitsYDirection", "PhysicalUnitsXDirection"),
    *("PhysicalDeltaY", "PhysicalDeltaX"),
)
_CENTIMETRES = 3


def read_numbers(item: "Dataset", keyword: str, count: int, where: str) -> tuple[float, ...] | None:
    """Read `count` finite numbers, or `None` where the element is absent or empty."""
    value = item.get(keyword)
    if value is None or value == "":
        return None
    try:
        numbers = tuple(float(n) for n in (value if count > 1 else (value,)))
    except (TypeError, ValueError) as problem:
        raise ReadError(f"{where}: {keyword} holds no numbers") from problem
    if not numbers:
        return None
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise ReadError(f"{where}: {keyword} wants {count} numbers, found {list(numbers)}")
    return numbers


def read_spacing(dataset: "Dataset", where: str, frame: int = 0) -> tuple[float, ...] | None:
    """Read the distance of pixels along y and x; `None` where it is not stated, or 0."""
    item = functional_group(dataset, "PixelMeasuresSequence", frame)
    stated = (item, "PixelSpacing"), (dataset, "ImagerPixelSpacing"), (dataset, _SCANNED)
    for holder, keyword in stated:
        spacing = read_numbers(holder, keyword, 2, where)
        if spacing is not None and min(spacing) > 0:
            return spacing
    return _region_spacing(dataset, where)


def _region_spacing(dataset: "Dataset", where: str) -> tuple[float, ...] | None:
    """Read the scale of ultrasound, where every region is an image of the same scale in cm."""
    found = set()
    for region in dataset.get("SequenceOfUltrasoundRegions") or ():
        numbers = [read_numbers(region, keyword, 1, where) for keyword in _REGION]
        form, unit_y, unit_x, step_y, step_x = (None if n is None else n[0] for n in numbers)
        if (form, unit_y, unit_x) != (1, _CENTIMETRES, _CENTIMETRES) or not step_y or not step_x:
            return None
        found.add((round(10 * abs(step_y), 9), round(10 * abs(step_x), 9)))
    return found.pop() if len(found) == 1 else None


def _depth(dataset: "Dataset", where: str) -> float | None:
    """Read the stated distance of frames. Nuclear medicine signs it by its direction."""
    item = functional_group(dataset, "PixelMeasuresSequence", 0)
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        number = read_numbers(item, keyword, 1, where)
        if number is not None and number[0] != 0:
            return abs(number[0])
    return None


def read_plane(dataset: "Dataset", frame: int, where: str) -> Vectors | None:
    """Read the directions of y and x as unit rows (z, y, x)."""
    item = functional_group(dataset, "PlaneOrientationSequence", frame)
    turn = read_numbers(item, _TURN, 6, where)
    if turn is None:
        return None
    along_x, along_y = np.array(turn[:3]), np.array(turn[3:])
    lengths = np.linalg.norm(along_x), np.linalg.norm(along_y)
    if min(lengths) == 0:
        return None
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(along_x @ along_y)) > 0.01:
        raise ReadError(f"{where}: {_TURN} must be two unit vectors at right angles: {turn}")
    return np.stack([along_y / lengths[1], along_x / lengths[0]])[:, ::-1]


def _places(dataset: "Dataset", frames: int, where: str) -> Vectors | None:
    """Read each frame's own place as rows (z, y, x), where every frame states one."""
    rows = []
    for frame in range(frames):
        item = functional_group(dataset, "PlanePositionSequence", frame)
        row = None if item is dataset else read_numbers(item, _PLACE, 3, where)
        if row is None:
            return None
        rows.append(row[::-1])
    return np.array(rows)


def _offset_places(dataset: "Dataset", frames: int, where: str) -> Vectors | None:
    """Find the places of a dose's frames, which are told by their distances along the normal."""
    if "GridFrameOffsetVector" not in dataset:
        return None
    offsets = read_numbers(dataset, "GridFrameOffsetVector", frames, where)
    corner, plane = read_numbers(dataset, _PLACE, 3, where), read_plane(dataset, 0, where)
    if offsets is None or corner is None or plane is None:
        return None
    heights = np.array(offsets) - offsets[0]  # The first may be 0, or its own place.
    return np.array(corner[::-1]) + heights[:, None] * np.cross(plane[0], plane[1])


def _stack(
    dataset: "Dataset", places: Vectors, spacing: tuple[float, ...] | None, where: str
) -> Grid:
    """Make the grid of frames that state their places."""
    steps = np.diff(places, axis=0)
    step = steps.mean(axis=0)
    depth = float(np.linalg.norm(step))
    if depth == 0 or np.abs(steps - step).max() > _EVEN * depth:
        return Grid()
    planes = [read_plane(dataset, frame, where) for frame in range(len(places))]
    if planes[0] is None or any(p is None or np.abs(p - planes[0]).max() > 1e-4 for p in planes):
        return Grid(None if spacing is None else (depth, *spacing))
    axes = np.vstack([step / depth, planes[0]])
    origin = tuple(float(mm) for mm in places[0])
    return Grid(None if spacing is None else (depth, *spacing), origin, axes)
