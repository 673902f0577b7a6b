"""TIFF: pictures of any depth, several equal pages as one volume, and levels of a pyramid.

Of a pyramid the finest level is read that is not too large, and a remark says which. tifffile
decodes. It fills with zeros what a damaged file leaves out, and goes on without pages
and tags that it cannot find; so the chain of pages, the place of every tag and of every strip
are first held against the file's length.

Source: Aldus, TIFF 6.0, sections 2 to 6; the BigTIFF design of libtiff.
"""

import logging
from dataclasses import replace
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.remark import Remark
from medclf.errors import ReadError
from medclf.read.alpha import without_alpha
from medclf.read.orientation import turn_upright
from medclf.read.refuse import PIXELS, check_size, one_line
from medclf.read.tiff_spacing import read_spacing
from medclf.read.values import narrow
from medclf.read.volume import make_image, name_phases, spacing_grid

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_ORIENTATION = 274
_LYING = 5
"""The first of the orientations that change rows with columns."""

_AXES = ("CS", "T", "ZQI", "Y", "X")
"""tifffile's letters: channels, time, depth (named or not), rows, columns."""

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TYPE_BYTES |= {16: 8, 17: 8, 18: 8}

# What tifffile logs of damaged files is told by our errors; without a handler of an application's
# own, it would also appear on the terminal.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def read_tiff(raw: bytes, where: str) -> Image:
    """Read a TIFF.

    Args:
        raw: The file's bytes.
        where: Names the file in messages.

    Returns:
        Values (1, Y, X) of a grey picture, (3, Y, X) of a coloured one, (1, Z, Y, X) of several
        equal pages, (C, …) where pages are named channels, (T, C, …) with numbered phases where
        they are named moments. Whole numbers as stored, fractions as float32; one bit as 0 and 1.
        Files in which 0 is white are inverted, palettes and CMYK become RGB, an opaque alpha
        channel is left out, the orientation tag is applied. Spacing where OME or ImageJ state it.

    Raises:
        ReadError: damaged, cut short, too large, partly transparent, pages that differ, or a
            kind of colour that is not read.
    """
    from tifffile import PHOTOMETRIC, TiffFile

    pages = _count_pages(raw, where)
    try:
        with TiffFile(BytesIO(raw)) as file:
            levels = _levels(file, pages, where)
            chosen = _choose(levels)
            series = levels[chosen]
            check_size(series.shape, where)
            page = _check_pages(series, len(raw), where)
            values = series.asarray()
            if values.shape != series.shape:
                raise ReadError(f"{where}: damaged: {series.shape} wanted, found {values.shape}")
            values = _coloured(_ordered(values, series.axes, where), page, where)
            code = int(page.tags.valueof(_ORIENTATION, 1))
            code = code if 1 <= code <= 8 else 1
            spacing = _spacing(file, levels[0], series, code)
            values = turn_upright(values, code).swapaxes(0, 1)
            grid = spacing_grid(spacing, flat=values.shape[2] == 1)
            image = make_image(values, grid, name_phases(len(values)))
            full = values.dtype.kind == "f" or page.photometric == PHOTOMETRIC.PALETTE
            bits = image.bits if full else page.bitspersample
            return replace(image, bits=bits, remarks=_remark(levels, chosen))
    except ReadError:
        raise
    except Exception as problem:  # tifffile has no closed list of what damaged files raise.
        raise ReadError(f"{where}: damaged or cut short: {one_line(problem)}") from problem


def _count_pages(raw: bytes, where: str) -> int:
    """Follow the chain of pages to its end, and check that every tag's value is in the file."""
    order: Literal["little", "big"] = "little" if raw.startswith(b"II") else "big"
    big = raw[2:4] in (b"+\0", b"\0+")
    word, counter, entry = (8, 8, 20) if big else (4, 2, 12)

    def number(start: int, length: int) -> int:
        if start + length > len(raw):
            raise ReadError(f"{where}: the TIFF is cut short")
        return int.from_bytes(raw[start : start + length], order)

    offset, seen, entries = number(word if big else 4, word), set[int](), 0
    while offset:
        if offset in seen:
            raise ReadError(f"{where}: the TIFF is damaged: its pages form a ring")
        seen.add(offset)
        entries += number(offset, counter)
        if entries * entry > len(raw):
            raise ReadError(f"{where}: the TIFF is damaged: its pages lie over each other")
        tags = range(offset + counter, offset + counter + entry * number(offset, counter), entry)
        number(tags.stop, word)
        for tag in tags:
            size = number(tag + 4, word) * _TYPE_BYTES.get(number(tag + 2, 2), 0)
            if size > word:
                number(number(tag + 4 + word, word) + size, 0)
        offset = number(tags.stop, word)
    return len(seen)


def _levels(file: "TiffFile", pages: int, where: str) -> "list[TiffPageSeries]":
    """Find the one picture or stack of the file, thumbnails aside, from fine to coarse."""
    if len(file.pages) != pages:
        raise ReadError(f"{where}: the TIFF is damaged: {len(file.pages)} of {pages} pages found")
    whole = [s for s in file.series if not s.keyframe.is_reduced]
    if len(whole) != 1:
        raise ReadError(f"{where}: pages of one size and kind wanted, found {len(whole)} kinds")
    return list(whole[0].levels)


def _choose(levels: "list[TiffPageSeries]") -> int:
    """Tell the finest level that may be read, or the first where none may."""
    sizes = [level.sizes["width"] * level.sizes["height"] for level in levels]
    return next((number for number, size in enumerate(sizes) if size <= PIXELS), 0)


def _remark(levels: "list[TiffPageSeries]", chosen: int) -> tuple[Remark, ...]:
    if len(levels) == 1:
        return ()
    fine, read = (
        f"{one.sizes['width']} x {one.sizes['height']}" for one in (levels[0], levels[chosen])
    )
    reason = f", since level 0 has {fine}" if chosen else ""
    message = (
        f"of a pyramid of {len(levels)} levels, level {chosen} was read, {read} pixels{reason}"
    )
    return (Remark("level", message, grave=chosen > 0),)


def _check_pages(series: "TiffPageSeries", length: int, where: str) -> "TiffPage":
    """Check that all strips and tiles of a level are there; return the page that stands for all."""
    if series.dataoffset is not None and series.dataoffset + series.nbytes > length:
        raise ReadError(f"{where}: the TIFF is cut short")
    for page in series.pages:
        if page is None or not page.dataoffsets:
            raise ReadError(f"{where}: the TIFF is damaged: a page, or its pixels, are missing")
        parts = prod(getattr(page, "keyframe", page).chunked)
        if len(page.dataoffsets) < parts:
            found = f"{len(page.dataoffsets)} of {parts} strips or tiles"
            raise ReadError(f"{where}: the TIFF is damaged: only {found} are there")
        for offset, size in zip(page.dataoffsets, page.databytecounts, strict=True):
            if size == 0 or offset + size > length:
                raise ReadError(f"{where}: the TIFF is cut short: strips of pixels are missing")
    return series.keyframe


def _ordered(values: NDArray[Any], axes: str, where: str) -> NDArray[Any]:
    """Order the axes as (C, T, Z, Y, X); tifffile names them by letters."""
    kinds = {letter: [n for n, axis in enumerate(axes) if axis in letter] for letter in _AXES}
    channels, time, depth, rows, columns = kinds.values()
    if [len(rows), len(columns)] != [1, 1] or max(len(time), len(depth)) > 1:
        raise ReadError(f"{where}: pages along one axis wanted, found axes {axes}")
    if sum(map(len, kinds.values())) != len(axes):
        raise ReadError(f"{where}: axes that are not read: {axes}")
    values = values.transpose([*channels, *time, *depth, *rows, *columns])
    moments = values.shape[len(channels)] if time else 1
    slices = values.shape[-3] if depth else 1
    return values.reshape(-1, moments, slices, *values.shape[-2:])


def _spacing(
    file: "TiffFile", finest: "TiffPageSeries", level: "TiffPageSeries", code: int
) -> tuple[float, ...]:
    """Tell the spacing (x, y, z) of a level, turned as its pixels are."""
    x, y, z = read_spacing(file)
    x *= finest.sizes["width"] / level.sizes["width"]
    y *= finest.sizes["height"] / level.sizes["height"]
    return (y, x, z) if code >= _LYING else (x, y, z)


def _coloured(values: NDArray[Any], page: "TiffPage", where: str) -> NDArray[Any]:
    """Give the samples the meaning that the file states; larger is brighter."""
    from tifffile import PHOTOMETRIC

    kind, most = PHOTOMETRIC(page.photometric).name, (1 << page.bitspersample) - 1
    if values.dtype.kind not in "buif":
        raise ReadError(f"{where}: pixels of a kind that is not read: {values.dtype}")
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    for _ in page.extrasamples:
        values = without_alpha(values, where, most)
    if kind == "PALETTE" and page.colormap is not None:
        values = narrow(page.colormap)[:, values[0]]
    elif kind == "MINISWHITE" and values.dtype.kind == "u":
        values = np.asarray(most - values, values.dtype)
    elif kind == "SEPARATED" and values.dtype == np.uint8 and len(values) == 4:
        light = 255 - values.astype(np.uint16)
        values = ((light[:3] * light[3:] + 127) // 255).astype(np.uint8)
    elif kind not in ("MINISBLACK", "RGB", "YCBCR"):
        raise ReadError(f"{where}: colours of a kind that is not read: {kind}")
    return values
