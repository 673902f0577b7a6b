"""JPEG: grey or coloured pictures of 8 bits, decoded by libjpeg-turbo.

Decoders fill with grey what a file that was cut short leaves out, and say so at most in passing.
So the segments are followed to the last marker first; they also tell the size before memory is
taken for it, and how the camera was held.

Source: ITU-T T.81 (JPEG), annex B; CIPA DC-008 (Exif), 4.5.4.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.errors import ReadError
from medclf.read.refuse import check_size
from medclf.read.scratch import scratch

JPEG = b"\xff\xd8\xff"

SCANS = 200
"""The most scans of a picture: each is a run over all of it, and few bytes can claim many."""

_BLOCK = 64
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_EXIF, _SCAN, _END, _ALONE = 0xE1, 0xDA, 0xD9, frozenset({0x01, *range(0xD0, 0xD9)})
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)


@dataclass(frozen=True)
class Segments:
    """What the segments of a JPEG tell.

    Args:
        shape: Rows and columns.
        bits: Of a sample.
        samples: Of a pixel: 1 is grey, 3 colour, 4 ink.
        exif: The EXIF block, or nothing.
    """

    shape: tuple[int, int]
    bits: int
    samples: int
    exif: bytes


def follow_segments(raw: bytes, where: str) -> Segments:
    """Follow the segments of a JPEG from the first to the marker of its end.

    Raises:
        ReadError: there is no end, no size, one that is too large, or too many scans.
    """
    place, scans, exif, frame = 2, 0, b"", b""
    while found := _MARKER.search(raw, place):
        place = found.end()
        kind = raw[place - 1]
        if kind == _END:
            break
        if kind in _ALONE:
            continue
        start = place + 2
        length = int.from_bytes(raw[place:start], "big")
        place += length if length > 2 else 2
        if kind in _FRAMES and not frame:
            frame = raw[start:place]
        elif kind == _EXIF and not exif and raw.startswith(b"Exif\0", start, place):
            exif = raw[start:place]
        elif kind == _SCAN:
            scans += 1
    else:
        raise ReadError(f"{where}: the JPEG is cut short: its end is not there")
    if len(frame) < 6 or not 0 < scans <= SCANS:
        raise ReadError(f"{where}: a JPEG of one size and 1 to {SCANS} scans wanted, found {scans}")
    size = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    check_size(size, where)
    if not can_hold(*size, len(raw)):
        raise ReadError(f"{where}: the JPEG is cut short: {len(raw)} bytes for {size} pixels")
    return Segments(size, frame[0], frame[5], exif)


def can_hold(rows: int, columns: int, length: int) -> bool:
    """Tell whether so many bytes can be a JPEG of this size: 8 x 8 pixels take one bit or more.

    Decoders fill up what is missing, so that a forged size would become a large grey picture.
    """
    return rows * columns <= _BLOCK * 8 * length


def decode_jpeg(raw: bytes, found: Segments) -> NDArray[np.uint8]:
    """Decode a JPEG of 8 bits and 1 or 3 samples: (1, Y, X) or (3, Y, X)."""
    from imagecodecs import jpeg8_decode

    if found.samples == 1:
        return np.asarray(jpeg8_decode(raw))[None]
    mixed = jpeg8_decode(raw, out=scratch((*found.shape, found.samples), np.uint8))
    return np.ascontiguousarray(mixed.transpose(2, 0, 1))
