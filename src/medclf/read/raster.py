"""PNG, JPEG and BMP: pictures of 8 or 16 bits, grey or coloured, turned upright.

Pillow decodes. Its openers are called by name, one per signature, so that no other form can be
smuggled in and its own looser limit on size does not apply. PNG of 16 bits goes through libpng
instead, since Pillow would cut its colours to 8 bits; its chunks' checksums are compared too.

Source: ISO/IEC 15948 (PNG), 5.3 and 11.2; ITU-T T.81 (JPEG).
"""

import zlib
from collections.abc import Iterator
from contextlib import nullcontext
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
from medclf.read.orientation import read_orientation, turn_upright
from medclf.read.quiet import Quiet
from medclf.read.refuse import check_size, one_line
from medclf.read.values import settle

PNG, JPEG, BMP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"

OPENERS: dict[bytes, type[ImageFile]] = {PNG: PngImageFile, JPEG: JpegImageFile, BMP: BmpImageFile}

# Pillow warns of EXIF blocks that it cannot follow when it looks for dots per inch, which are not
# used here; what would change the pixels it raises.
_PILLOW = Quiet("PIL")
_NOTHING = nullcontext()


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
    opener = next((o for magic, o in OPENERS.items() if raw.startswith(magic)), None)
    if opener is None:
        raise ReadError(f"{where}: PNG, JPEG or BMP wanted, found {raw[:8]!r}")
    exif = _check_png(raw, where) if opener is PngImageFile else b""
    try:
        with _PILLOW if raw.find(b"Exif\0", 0, 2**16) >= 0 else _NOTHING:
            picture = opener(BytesIO(raw))
        check_size((picture.height, picture.width), where)
        if opener is PngImageFile and raw[24] == 16:
            values, bits = _deep_png(raw, where), 16
        else:
            values, bits = _values(picture, where)
    except ReadError:
        raise
    except Exception as problem:  # Pillow has no closed list of what damaged files raise.
        raise ReadError(f"{where}: damaged or cut short: {one_line(problem)}") from problem
    code = read_orientation(exif or picture.info.get("exif", b""))
    return Image(settle(turn_upright(values, code)), bits=bits)


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
    channels = np.moveaxis(values, -1, 0)
    return channels if len(channels) in (1, 3) else without_alpha(channels, where)


def _deep_png(raw: bytes, where: str) -> NDArray[np.generic]:
    from imagecodecs import png_decode

    return _channels_first(np.asarray(png_decode(raw)), where)


def _check_png(raw: bytes, where: str) -> bytes:
    """Follow the chunks to the last, compare their checksums, and return the EXIF one."""
    exif, kind = b"", b""
    for kind, content in _chunks(raw, where):
        if kind == b"eXIf":
            exif = bytes(content)
        elif kind == b"acTL" and (frames := int.from_bytes(content[:4], "big")) > 1:
            raise ReadError(f"{where}: one picture wanted, found an animation of {frames}")
    if kind != b"IEND":
        raise ReadError(f"{where}: the PNG is cut short")
    return exif


def _chunks(raw: bytes, where: str) -> Iterator[tuple[bytes, memoryview]]:
    view, start = memoryview(raw), len(PNG)
    while start + 12 <= len(raw):
        end = start + 8 + int.from_bytes(view[start : start + 4], "big")
        kind = bytes(view[start + 4 : start + 8])
        if end + 4 > len(raw):
            raise ReadError(f"{where}: the PNG is cut short")
        if zlib.crc32(view[start + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise ReadError(f"{where}: the PNG is damaged: a checksum does not fit")
        yield kind, view[start + 8 : end]
        if kind == b"IEND":
            return
        start = end + 4
