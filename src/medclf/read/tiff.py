"""TIFF: pictures of any depth, and several equal pages as one volume.

tifffile decodes. It fills with zeros what a damaged file leaves out, and goes on without pages
and tags that it cannot find; so the chain of pages, the place of every tag and of every strip
are first held against the file's length.

Source: Aldus, TIFF 6.0, sections 2 to 6; the BigTIFF design of libtiff.
"""

import logging
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.read.orientation import turn_upright
from medclf.read.refuse import check_size, one_line
from medclf.read.values import narrow, settle

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_ORIENTATION = 274
_DEPTH_AXES, _CHANNEL_AXES = "ZQIT", "SC"
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
        equal pages, (C, …) where pages are named channels. Whole numbers as stored, fractions as
        float32; one bit as 0 and 1. Files in which 0 is white are inverted, palettes and CMYK
        become RGB, an opaque alpha channel is left out, the orientation tag is applied.

    Raises:
        ReadError: damaged, cut short, too large, partly transparent, pages that differ, or a
            kind of colour that is not read.
    """
    from tifffile import PHOTOMETRIC, TiffFile

    pages = _count_pages(raw, where)
    try:
        with TiffFile(BytesIO(raw)) as file:
            series, page = _only_series(file, pages, len(raw), where)
            check_size(series.shape, where)
            values = series.asarray()
            if values.shape != series.shape:
                raise ReadError(f"{where}: damaged: {series.shape} wanted, found {values.shape}")
            values = _coloured(_channels_first(values, series.axes, where), page, where)
            code = int(page.tags.valueof(_ORIENTATION, 1))
            values = settle(turn_upright(values, code if 1 <= code <= 8 else 1))
            full = values.dtype.kind == "f" or page.photometric == PHOTOMETRIC.PALETTE
            return Image(values, bits=8 * values.dtype.itemsize if full else page.bitspersample)
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

    offset, seen = number(word if big else 4, word), set[int]()
    while offset:
        if offset in seen:
            raise ReadError(f"{where}: the TIFF is damaged: its pages form a ring")
        seen.add(offset)
        tags = range(offset + counter, offset + counter + entry * number(offset, counter), entry)
        number(tags.stop, word)
        for tag in tags:
            size = number(tag + 4, word) * _TYPE_BYTES.get(number(tag + 2, 2), 0)
            if size > word:
                number(number(tag + 4 + word, word) + size, 0)
        offset = number(tags.stop, word)
    return len(seen)


def _only_series(
    file: "TiffFile", pages: int, length: int, where: str
) -> "tuple[TiffPageSeries, TiffPage]":
    """Find the one picture or stack of the file, thumbnails aside, and check that it is whole."""
    if len(file.pages) != pages:
        raise ReadError(f"{where}: the TIFF is damaged: {len(file.pages)} of {pages} pages found")
    whole = [s for s in file.series if not s.keyframe.is_reduced]
    if len(whole) != 1:
        raise ReadError(f"{where}: pages of one size and kind wanted, found {len(whole)} kinds")
    series = whole[0]
    if series.dataoffset is not None and series.dataoffset + series.nbytes > length:
        raise ReadError(f"{where}: the TIFF is cut short")
    for page in series.pages:
        if page is None or not page.dataoffsets:
            raise ReadError(f"{where}: the TIFF is damaged: a page, or its pixels, are missing")
        for offset, size in zip(page.dataoffsets, page.databytecounts, strict=True):
            if size == 0 or offset + size > length:
                raise ReadError(f"{where}: the TIFF is cut short: strips of pixels are missing")
    return series, series.keyframe


def _channels_first(values: NDArray[Any], axes: str, where: str) -> NDArray[Any]:
    """Order the axes as (channels, *space); tifffile names them by letters."""
    depth = [axis for axis in axes if axis in _DEPTH_AXES]
    channels = [axis for axis in axes if axis in _CHANNEL_AXES]
    rest = set(axes).difference(depth, channels)
    if rest != {"Y", "X"} or len(depth) > 1 or len(channels) > 1:
        raise ReadError(f"{where}: pages along one axis wanted, found axes {axes}")
    return np.moveaxis(values, axes.index(channels[0]), 0) if channels else values[None]


def _coloured(values: NDArray[Any], page: "TiffPage", where: str) -> NDArray[Any]:
    """Give the samples the meaning that the file states; larger is brighter."""
    from tifffile import PHOTOMETRIC

    kind, most = PHOTOMETRIC(page.photometric).name, (1 << page.bitspersample) - 1
    if values.dtype.kind not in "buif":
        raise ReadError(f"{where}: pixels of a kind that is not read: {values.dtype}")
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    if page.extrasamples:
        values = _without_alpha(values, page, most, where)
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


def _without_alpha(values: NDArray[Any], page: "TiffPage", opaque: int, where: str) -> NDArray[Any]:
    """Leave out what follows the colours, when it is an alpha channel that hides nothing."""
    colours = page.samplesperpixel - len(page.extrasamples)
    if (values[colours:] != opaque).any():
        raise ReadError(f"{where}: partly transparent: what lies behind it is not known")
    return values[:colours]
