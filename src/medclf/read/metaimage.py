"""MetaImage, an .mha file or an .mhd header beside its raw data: the form of the LUNA16 CTs.

Tags in text, the last of which names the data: in the same file, in another, or in one file per
slice. Its vectors are in LPS, one row of TransformMatrix per axis of the file. The letters of
AnatomicalOrientation tell the side from which an axis comes, as the programs that write them mean
it (the tag reference says the opposite); they count only where there is no matrix.

Source: the MetaIO tag reference of the Insight Toolkit; its metaObject.cxx for the letters.
"""

from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.beside import number_names, read_beside
from medclf.read.inflate import inflate
from medclf.read.refuse import check_size
from medclf.read.tags import Tags
from medclf.read.volume import (
    Bytes,
    make_grid,
    make_image,
    name_phases,
    parse_numbers,
    scale,
    spacing_grid,
    view_values,
)

SIGNATURES = (b"ObjectType", b"NDims", b"Comment")

TYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2"},
    **{"MET_INT": "i4", "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4"},
    **{"MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8"},
}
"""NumPy's names of the types on disk, where a long has 4 bytes on every machine."""

MODALITIES = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_NM": "NM", "MET_MOD_US": "US"}

LONGEST = 2**16
"""Bytes within which the tags end."""

MATRIX, ORIGIN = ("TransformMatrix", "Rotation", "Orientation"), ("Offset", "Position", "Origin")
LETTERS = "AnatomicalOrientation"

FROM = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "I": (2, 1), "S": (2, -1)}
"""Axis of (x, y, z) in LPS and direction along it, by the side from which a file's axis comes."""

TRUE, FALSE = ("true", "t", "1"), ("false", "f", "0")

_MM = {"": 1.0, "?": 1.0, "mm": 1.0, "um": 0.001, "cm": 10.0}
_UNIT = 0.01
"""How far the length of a direction may be from 1."""


@dataclass(frozen=True)
class _Form:
    """What the header says of its data.

    Args:
        axes: 2, 3 or 4.
        shape: (T, Z, Y, X, C).
        dtype: As stored.
    """

    axes: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize


def read_metaimage(raw: bytes, source: Source) -> Image:
    """Read an image and the place it holds in the patient.

    Args:
        raw: The bytes of the .mha or the .mhd.
        source: Where they are from; the data may lie beside.

    Returns:
        Values (C, Z, Y, X); (C, Y, X) of one slice; (T, C, Z, Y, X), phases numbered, where the
        file has four axes. Whole numbers as stored, fractions and scaled values as float32.
        Spacing is `None` where the file states neither ElementSpacing nor ElementSize; origin and
        directions are so where it states none of Offset, TransformMatrix, AnatomicalOrientation.

    Raises:
        ReadError: a file is absent, cut short, longer than its header says or outside the folder,
            or a tag is missing or not understood.
    """
    tags, end = _split(raw, str(source))
    form = _form(tags)
    dtype, data = form.dtype, _data(tags, form, raw[end:], source)
    if tags.find("BinaryData").lower() in FALSE:
        data, dtype = parse_numbers(data, dtype, tags.where), dtype.newbyteorder("=")
    values = np.moveaxis(view_values(data, dtype, form.shape, tags.where), -1, 1)
    slope = tags.numbers(1, "ElementToIntensityFunctionSlope")
    start = tags.numbers(1, "ElementToIntensityFunctionOffset")
    values = scale(values, 1 if slope is None else slope[0], 0 if start is None else start[0])
    image = make_image(values, _grid(tags, form), name_phases(len(values)))
    return replace(image, modality=MODALITIES.get(tags.find("Modality"), ""))


def _split(raw: bytes, where: str) -> tuple[Tags, int]:
    """Read the tags, and tell where they end: behind the one that names the data."""
    tags, place = dict[str, str](), 0
    while "ElementDataFile" not in tags:
        end = raw.find(b"\n", place, LONGEST)
        if end < 0 and not raw.startswith(b"ElementDataFile", place):
            raise ReadError(f"{where}: the tag ElementDataFile wanted at the end, found none")
        end = end if end >= 0 else len(raw)
        key, _, value = raw[place:end].decode("utf-8", "replace").partition("=")
        tags[key.strip()] = value.strip()
        place = end + 1
    return Tags(tags, where), place


def _form(tags: Tags) -> _Form:
    (axes,) = tags.whole(1, "NDims") or (0,)
    if axes not in (2, 3, 4) or tags.find("ObjectType") not in ("", "Image"):
        found = f"{tags.find('ObjectType') or 'one'} of {axes}"
        raise ReadError(f"{tags.where}: an Image of 2 to 4 axes wanted, found {found}")
    kind = tags.need("ElementType").removesuffix("_ARRAY")
    if kind not in TYPES:
        raise ReadError(f"{tags.where}: a type of {', '.join(TYPES)} wanted, found {kind}")
    sizes = tags.whole(axes, "DimSize")
    if sizes is None:
        raise ReadError(f"{tags.where}: the tag DimSize wanted, found none")
    x, y, z, t = (*sizes, 1, 1)[:4]
    (channels,) = tags.whole(1, "ElementNumberOfChannels") or (1,)
    shape = (t, z, y, x, channels)
    check_size(shape, tags.where)
    big = tags.find("BinaryDataByteOrderMSB", "ElementByteOrderMSB").lower() in TRUE
    return _Form(axes, shape, np.dtype((">" if big else "<") + TYPES[kind]))


def name_metaimage_data(raw: bytes, where: str) -> list[str]:
    """List the files that hold the data, as the header names them; none where it holds them."""
    tags, end = _split(raw, where)
    return _names(tags, raw[end:], _form(tags))


def _data(tags: Tags, form: _Form, rest: bytes, source: Source) -> Bytes:
    """Fetch the bytes of the values from this file, or from those that the header names."""
    names = _names(tags, rest, form)
    if not names:
        return _unpack(tags, rest, form.bytes)
    (skip,) = tags.whole(1, "HeaderSize") or (0,)
    size, whole = form.bytes // len(names), list[Bytes]()
    for name in names:
        data = read_beside(source, name)
        data = data[max(0, len(data) - size) if skip == -1 else max(0, skip) :]
        whole.append(_unpack(tags, data, size))
    return whole[0] if len(whole) == 1 else b"".join(whole)


def _unpack(tags: Tags, data: bytes, size: int) -> Bytes:
    return inflate(data, size, tags.where) if tags.find("CompressedData").lower() in TRUE else data


def _names(tags: Tags, rest: bytes, form: _Form) -> list[str]:
    """List the files of the data: none (LOCAL), one, one a line (LIST), or numbered."""
    named = tags.need("ElementDataFile")
    if named.upper() == "LOCAL":
        return []
    slices = form.shape[0] * (form.shape[1] if form.axes > 2 else form.shape[2])
    if named.upper().partition(" ")[0] == "LIST":
        names = rest.decode("utf-8", "replace").split("\n")
        names = [name.strip() for name in names if name.strip()]
    elif not (names := number_names(named, slices + 1)):
        return [named]
    if len(names) not in (slices, form.shape[0]):
        found = f"one per slice, found {len(names)}"
        raise ReadError(f"{tags.where}: {slices} files of data wanted, {found}")
    return names


def _grid(tags: Tags, form: _Form) -> Grid:
    """Place the image; the fourth axis, of time, has no place."""
    spacing = tags.numbers(form.axes, "ElementSpacing", "ElementSize")
    unit = tags.find("DistanceUnits")
    if spacing is None:
        return Grid()
    if unit not in _MM or not (np.isfinite(spacing) & (spacing > 0)).all():
        found = f"{spacing.tolist()} {unit}"
        raise ReadError(f"{tags.where}: spacing above 0 in um, mm or cm wanted, found {found}")
    spacing_mm, flat = spacing[:3] * _MM[unit], form.shape[1] == 1
    if form.axes == 2 or not any(name in tags for name in (*MATRIX, *ORIGIN, LETTERS)):
        return spacing_grid(tuple(spacing_mm.tolist()), flat=flat)
    origin = tags.numbers(form.axes, *ORIGIN)
    origin_mm = np.zeros(3) if origin is None else origin[:3] * _MM[unit]
    return make_grid(
        _directions(tags, form.axes) * spacing_mm[:, None], origin_mm, tags.where, flat=flat
    )


def _directions(tags: Tags, axes: int) -> NDArray[np.float64]:
    """Tell a unit row (x, y, z) in LPS for each of the first three axes."""
    matrix = tags.numbers(axes**2, *MATRIX)
    if matrix is None:
        return _lettered(tags)
    rows = matrix.reshape(axes, axes)
    lengths = np.linalg.norm(rows[:3, :3], axis=1)
    if axes == 4 and (rows[3, :3].any() or rows[:3, 3].any()):
        raise ReadError(f"{tags.where}: time apart from space wanted, found {rows.tolist()}")
    if not (np.abs(lengths - 1) < _UNIT).all():
        raise ReadError(f"{tags.where}: directions of length 1 wanted, found {rows.tolist()}")
    return np.asarray(rows[:3, :3] / lengths[:, None])


def _lettered(tags: Tags) -> NDArray[np.float64]:
    letters, rows = tags.find(LETTERS).upper(), np.eye(3)
    if letters.strip("?") == "":
        return rows
    if len(letters) < 3 or {FROM[c][0] for c in letters[:3] if c in FROM} != {0, 1, 2}:
        raise ReadError(f"{tags.where}: {LETTERS} as RAI wanted, found {letters}")
    return np.array([rows[FROM[c][0]] * FROM[c][1] for c in letters[:3]])
