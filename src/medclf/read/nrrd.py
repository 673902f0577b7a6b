"""NRRD, a .nrrd file or an .nhdr header beside its data: the form of 3D Slicer.

A file may have any number of axes, and says by vectors and kinds which are of space, which is time
and which are components. The data are read in another file (nrrd_data.py).

Source: Teem, Definition of NRRD File Format, sections 1, 4, 5 and 6 (versions 1 to 5).
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.alpha import without_alpha
from medclf.read.nrrd_data import data_names, read_data
from medclf.read.tags import Tags
from medclf.read.volume import make_grid, make_image, name_phases, spacing_grid

SIGNATURE = b"NRRD000"

SPACES = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (1, 1, 1)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1, -1, 1)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1, -1, 1)),
}
"""The factors that turn a frame of the patient to LPS. Other frames are not of the patient."""

MM = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001}

OF_SPACE = ("domain", "space", "", "???", "none")
REFUSED = ("complex", "hsv-color", "xyz-color", "quaternion")

_LONGEST = 2**24
_VECTOR = re.compile(r"\(([^()]*)\)|(none)", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class _Axes:
    """What each axis of the file is, fastest first.

    Args:
        sizes: Samples along each.
        kinds: In small letters, "" where not told.
        vectors: The steps of those of space, by number; empty where the file tells none.
        space: Which are of space.
        time: Which is time, one at most.
        channels: The others.
    """

    sizes: tuple[int, ...]
    kinds: tuple[str, ...]
    vectors: dict[int, NDArray[np.float64]]
    space: tuple[int, ...]
    time: tuple[int, ...]
    channels: tuple[int, ...]


def read_nrrd(raw: bytes, source: Source) -> Image:
    """Read an image and the place it holds in the patient.

    Args:
        raw: The bytes of the .nrrd or the .nhdr.
        source: Where they are from; the data may lie beside.

    Returns:
        Values (C, Z, Y, X), (C, Y, X) of a picture, (T, C, Z, Y, X) where an axis is of time,
        wherever that axis and those of components stand in the file. Numbers as stored, fractions
        as float32. Origin and directions are `None` where the space is not that of a patient,
        spacing where the unit is no length.

    Raises:
        ReadError: a file is absent, cut short, longer than its header says or outside the folder;
            a field is missing or not understood; or the kinds do not tell 2 or 3 axes of space.
    """
    tags, end = _split(raw, str(source))
    axes = _axes(tags)
    values = read_data(tags, axes.sizes, raw[end:], source)
    last = len(axes.sizes) - 1
    order = [last - axis for axis in (*axes.time, *axes.channels, *axes.space[::-1])]
    space = tuple(axes.sizes[axis] for axis in axes.space[::-1])
    moments = axes.sizes[axes.time[0]] if axes.time else 1
    shape = (moments, -1, *((1,) * (3 - len(space))), *space)
    values = values.transpose(order).reshape(shape)
    if "rgba-color" in axes.kinds and values.shape[1] == 4:
        values = np.moveaxis(without_alpha(np.moveaxis(values, 1, 0), tags.where), 0, 1)
    return make_image(values, _grid(tags, axes), name_phases(moments))


def name_nrrd_data(raw: bytes, where: str) -> list[str]:
    """List the files that hold the data, as the header names them; none where it holds them."""
    tags, end = _split(raw, where)
    return data_names(tags, raw[end:], _axes(tags).sizes)


def _split(raw: bytes, where: str) -> tuple[Tags, int]:
    """Read the fields up to the empty line; of names, case and spaces do not count."""
    fields, place = dict[str, str](), raw.find(b"\n") + 1 or len(raw)
    while place < len(raw):
        end = raw.find(b"\n", place, _LONGEST)
        line = raw[place : end if end >= 0 else len(raw)].decode("utf-8", "replace").strip()
        place = end + 1 if end >= 0 else len(raw)
        if not line:
            break
        name, colon, value = line.partition(":")
        if line.startswith("#") or value.startswith("="):
            continue
        if not colon:
            raise ReadError(f"{where}: a field and a colon wanted, found {line[:60]!r}")
        name = name.lower().replace(" ", "")
        fields[name] = value.strip()
        if name == "datafile" and value.upper().split()[:1] == ["LIST"]:
            break
    return Tags(fields, where), place


def _axes(tags: Tags) -> _Axes:
    (dimension,) = tags.whole(1, "dimension") or (0,)
    sizes = tags.whole(dimension, "sizes")
    if not 2 <= dimension <= 16 or sizes is None or min(sizes) < 1:
        found = f"{dimension} of {tags.find('sizes')!r}"
        raise ReadError(f"{tags.where}: 2 to 16 axes and their sizes wanted, found {found}")
    kinds = tuple(tags.find("kinds").lower().split()) or ("",) * dimension
    if len(kinds) != dimension or set(kinds) & set(REFUSED):
        raise ReadError(f"{tags.where}: kinds of axes that are not read: {tags.find('kinds')}")
    vectors = _vectors(tags, dimension)
    spacings = tags.numbers(dimension, "spacings")
    roles: dict[str, list[int]] = {"space": [], "time": [], "channels": []}
    for axis, kind in enumerate(kinds):
        apart = spacings is not None and np.isnan(spacings[axis]) and kind in OF_SPACE[2:]
        of_space = axis in vectors if vectors else kind in OF_SPACE and not apart
        moment = of_space and vectors and len(vectors[axis]) == 4 and not vectors[axis][:3].any()
        role = "time" if moment or kind == "time" else "space" if of_space else "channels"
        roles[role].append(axis)
    if len(roles["space"]) not in (2, 3) or len(roles["time"]) > 1:
        found = f"{tags.find('kinds') or 'no kinds'} of {sizes}"
        raise ReadError(f"{tags.where}: 2 or 3 axes of space, 1 of time wanted, found {found}")
    return _Axes(sizes, kinds, vectors, *(tuple(axes) for axes in roles.values()))


def _vectors(tags: Tags, dimension: int) -> dict[int, NDArray[np.float64]]:
    """Read the step along each axis that has one, by its number."""
    text = tags.find("spacedirections")
    found = _VECTOR.findall(text)
    try:
        vectors = {
            axis: np.array(inside.split(","), np.float64)
            for axis, (inside, none) in enumerate(found)
            if not none
        }
    except ValueError:
        vectors = {}
    lengths = {len(vector) for vector in vectors.values()}
    if text and (len(found) != dimension or len(lengths) != 1 or not lengths <= {2, 3, 4}):
        raise ReadError(f"{tags.where}: {dimension} directions wanted, found {text[:120]}")
    return vectors


def _grid(tags: Tags, axes: _Axes) -> Grid:
    space = tags.find("space").lower()
    frame = SPACES.get(re.sub(r"(-time|(?<=^\w{3})t)$", "", space))
    if not axes.vectors:
        return _spaced(tags, axes)
    rows = np.array([axes.vectors[axis] for axis in axes.space])
    units = _QUOTED.findall(tags.find("spaceunits")) or [""] * rows.shape[1]
    count = min(3, rows.shape[1])
    factors = np.array([MM.get(unit.strip().lower(), 0.0) for unit in units[:count]])
    if len(factors) != count or not factors.all():
        return Grid()
    mm = rows[:, :3] * factors
    flat = len(axes.space) == 3 and axes.sizes[axes.space[2]] == 1
    origin = _origin(tags, rows.shape[1])
    if frame is None or origin is None or rows.shape[1] == 2:
        return spacing_grid(tuple(np.linalg.norm(mm, axis=1).tolist()), flat=flat)
    return make_grid(mm * frame, origin[:3] * factors * frame, tags.where, flat=flat)


def _origin(tags: Tags, count: int) -> NDArray[np.float64] | None:
    text = tags.find("spaceorigin")
    inner = Tags({"space origin": text.strip("() ").replace(",", " ")}, tags.where)
    return inner.numbers(count, "space origin") if text else None


def _spaced(tags: Tags, axes: _Axes) -> Grid:
    """Take the spacing of a file without vectors; it tells no place."""
    spacings = tags.numbers(len(axes.sizes), "spacings")
    units = _QUOTED.findall(tags.find("units")) or [""] * len(axes.sizes)
    if spacings is None or len(units) != len(axes.sizes):
        return Grid()
    factors = [MM.get(units[axis].strip().lower(), 0.0) for axis in axes.space]
    spacing_mm = [
        abs(spacings[axis]) * factor for axis, factor in zip(axes.space, factors, strict=True)
    ]
    flat = len(axes.space) == 3 and axes.sizes[axes.space[2]] == 1
    return spacing_grid(tuple(spacing_mm), flat=flat)
