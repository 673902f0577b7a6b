"""PNG, JPEG and BMP: pictures of 8 or 16 bits, grey or coloured, turned upright.

libpng and libjpeg-turbo decode what is common, faster than Pillow and without cutting colours of
16 bits to 8; Pillow decodes the rest: palettes, few bits, CMYK, BMP. Its openers are called by
name, one per signature, so that no other form can be smuggled in and its own looser limit on size
does not apply. The chunks of a PNG are followed first, and their checksums compared.

Source: ISO/IEC 15948 (PNG), 5.3 and 11.2.
"""

import struct
import zlib
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile
from PIL.Image import Image as Picture
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from medclf.core.image import Image
from medclf.errors import ReadError
from medclf.read.alpha import without_alpha
from medclf.read.jpeg import JPEG, decode_jpeg, follow_segments
from medclf.read.orientation import read_orientation, turn_upright
from medclf.read.quiet import Quiet
from medclf.read.refuse import check_size, one_line
from medclf.read.values import settle

PNG, BMP = b"\x89PNG\r\n\x1a\n", b"BM"

OPENERS: dict[bytes, type[ImageFile]] = {PNG: PngImageFile, JPEG: JpegImageFile, BMP: BmpImageFile}

_PALETTE, _HEADER = 3, 13

# Pillow warns of EXIF blocks that it cannot follow when it looks for dots per inch, which are not
# used here; what would change the pixels it raises.
_PILLOW = Quiet("PIL")


def read_raster(raw: bytes, where: str) -> Image:
    """Read a PNG, JPEG or BMP.

    Args:
        raw: The file's bytes.
        where: Names the file in messages.

    Returns:
        Values (1, Y, X) of a grey picture, (3, Y, X) of one with colours or a palette, uint8 or
        uint16 as stored; black and white as 0 and 1 with `bits` 1. 2 and 4 bit greys come
        stretched to 8. CMYK becomes RGB. An opaque alpha channel is left out. EXIF orientation
        is applied. There is no spacing: dots per inch are not millimetres in a patient.

    Raises:
        ReadError: damaged, cut short, too large, animated, or partly transparent.
    """
    read = {PNG: _read_png, JPEG: _read_jpeg, BMP: _read_bmp}
    kind = next((magic for magic in read if raw.startswith(magic)), None)
    if kind is None:
        raise ReadError(f"{where}: PNG, JPEG or BMP wanted, found {raw[:8]!r}")
    try:
        values, bits, exif = read[kind](raw, where)
    except ReadError:
        raise
    except Exception as problem:  # The decoders have no closed list of what damaged files raise.
        raise ReadError(f"{where}: damaged or cut short: {one_line(problem)}") from problem
    return Image(settle(turn_upright(values, read_orientation(exif))), bits=bits)


def _read_png(raw: bytes, where: str) -> tuple[NDArray[np.generic], int, bytes]:
    chunks = _follow_chunks(raw, where)
    header, exif = chunks[b"IHDR"], bytes(chunks.get(b"eXIf", b""))
    rows, columns, depth, colour = struct.unpack_from(">IIBB", header)
    check_size((columns, rows), where)
    plain = depth == 8 and colour != _PALETTE and b"tRNS" not in chunks
    if not plain and depth != 16:
        return *_by_pillow(PNG, raw, where), exif
    return _channels_first(_decode_png(raw), where), depth, exif


def _read_jpeg(raw: bytes, where: str) -> tuple[NDArray[np.generic], int, bytes]:
    found = follow_segments(raw, where)
    if found.bits == 8 and found.samples in (1, 3):
        return decode_jpeg(raw, found), 8, found.exif
    return *_by_pillow(JPEG, raw, where), found.exif


def _read_bmp(raw: bytes, where: str) -> tuple[NDArray[np.generic], int, bytes]:
    return *_by_pillow(BMP, raw, where), b""


def _by_pillow(kind: bytes, raw: bytes, where: str) -> tuple[NDArray[np.generic], int]:
    with _PILLOW:
        picture = OPENERS[kind](BytesIO(raw))
    check_size((picture.height, picture.width), where)
    return _values(picture, where)


def _values(picture: Picture, where: str) -> tuple[NDArray[np.generic], int]:
    """Decode the pixels, channels first, and tell their significant bits."""
    picture.load()
    if picture.mode == "PA" or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    elif picture.mode in ("P", "CMYK", "YCbCr"):
        picture = picture.convert("RGB")
    if picture.mode not in ("1", "L", "LA", "RGB", "RGBA"):
        raise ReadError(f"{where}: pixels of a kind that is not read: {picture.mode}")
    if picture.mode == "1":
        return np.asarray(picture, np.uint8)[None], 1
    values = np.asarray(picture)
    return _channels_first(values, where), 8


def _channels_first(values: NDArray[np.generic], where: str) -> NDArray[np.generic]:
    """Move channels first, and leave out an alpha channel that hides nothing."""
    if values.ndim == 2:
        return values[None]
    channels = values.transpose(2, 0, 1)
    return channels if len(channels) in (1, 3) else without_alpha(channels, where)


def _decode_png(raw: bytes) -> NDArray[np.generic]:
    from imagecodecs import png_decode

    return np.asarray(png_decode(raw))


def _follow_chunks(raw: bytes, where: str) -> dict[bytes, memoryview]:
    """Follow the chunks to the last, compare their checksums, and return the first of each kind."""
    view, start, kind = memoryview(raw), len(PNG), b""
    chunks: dict[bytes, memoryview] = {}
    while start + 12 <= len(raw) and kind != b"IEND":
        end = start + 8 + int.from_bytes(view[start : start + 4], "big")
        kind = bytes(view[start + 4 : start + 8])
        if end + 4 > len(raw):
            raise ReadError(f"{where}: the PNG is cut short")
        if zlib.crc32(view[start + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ReadError(f"{where}: the PNG is damaged: a checksum does not fit")
        chunks.setdefault(kind, view[start + 8 : end])
        start = end + 4
    if kind != b"IEND" or len(chunks.get(b"IHDR", b"")) < _HEADER:
        raise ReadError(f"{where}: the PNG is cut short")
    if b"acTL" in chunks and (frames := int.from_bytes(chunks[b"acTL"][:4], "big")) > 1:
        raise ReadError(f"{where}: one picture wanted, found an animation of {frames}")
    return chunks
