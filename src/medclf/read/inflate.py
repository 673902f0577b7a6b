"""Packed bytes, unpacked at once, as fast as one core can and never to more than was claimed.

libdeflate unpacks a whole stream in one call, twice as fast as zlib, into memory of the size that
the header of the image (or the end of the gzip stream) claims. What it does not take (streams of
several parts, or with a tail) goes through zlib, which tells what is wrong.

Source: RFC 1950 (zlib); RFC 1952 (gzip), sections 2.2 and 2.3.
"""

import bz2
import zlib

from medclf.errors import ReadError
from medclf.read.refuse import one_line

LIMIT = 2 * 2**30
"""The most bytes that one member or stream may unpack to, unless the caller allows more."""

GZIP = b"\x1f\x8b"

DEFLATE_RATIO = 1032
"""Unpacked to packed bytes that deflate cannot exceed: what claims more is forged."""

_PART = b"\x1f\x8b\x08"
_KNOWN_FLAGS, _SHORTEST, _CHUNK = 0x20, 18, 2**20


def gunzip(raw: bytes, where: str, limit: int = LIMIT) -> bytes | bytearray:
    """Unpack a gzip stream of one or several parts, and check that it is whole.

    Raises:
        ReadError: it is cut short or damaged, or unpacks to more than `limit` bytes.
    """
    size = int.from_bytes(raw[-4:], "little")
    if 0 < size <= min(limit, DEFLATE_RATIO * len(raw)) and not _has_parts(raw):
        from imagecodecs import DeflateError, gzip_decode

        try:
            whole = gzip_decode(raw, out=bytearray(size))
        except DeflateError:
            whole = b""
        if isinstance(whole, bytearray):  # Another type tells that less came out than claimed.
            return whole
    return _gunzip_parts(raw, where, limit)


def inflate(raw: bytes, size: int, where: str) -> bytes | bytearray:
    """Unpack a zlib or gzip stream, whose size the header of the image claims.

    Raises:
        ReadError: it is cut short or damaged, or unpacks to more.
    """
    if raw.startswith(GZIP):
        return gunzip(raw, where, size)
    if 0 < size <= DEFLATE_RATIO * len(raw):
        from imagecodecs import DeflateError, deflate_decode

        try:
            whole = deflate_decode(raw, out=bytearray(size))
        except DeflateError:
            whole = b""
        if isinstance(whole, bytearray):
            return whole
    stream = zlib.decompressobj()
    try:
        whole = stream.decompress(raw, size + 1)
    except zlib.error as problem:
        raise ReadError(f"{where}: damaged zlib data: {one_line(problem)}") from problem
    return _whole(whole, size, stream.eof, where)


def inflate_bare(raw: bytes, size: int, where: str) -> bytes:
    """Unpack a deflate stream without a header, as members of a zip are packed.

    Raises:
        ReadError: it is cut short or damaged, or unpacks to another size than the archive claims.
    """
    if not size:
        return b""
    if size <= DEFLATE_RATIO * len(raw):
        from imagecodecs import DeflateError, deflate_decode

        try:
            whole = bytes(deflate_decode(raw, out=size, raw=True))
        except DeflateError:
            whole = b""
        if len(whole) == size:
            return whole
    raise ReadError(f"{where}: damaged: it does not unpack to {size:,} bytes")


def bunzip(raw: bytes, size: int, where: str) -> bytes | bytearray:
    """Unpack a bzip2 stream, whose size the header of the image claims.

    Raises:
        ReadError: it is cut short or damaged, or unpacks to more.
    """
    stream = bz2.BZ2Decompressor()
    try:
        whole = stream.decompress(raw, size + 1)
    except (OSError, ValueError) as problem:
        raise ReadError(f"{where}: damaged bzip2 data: {one_line(problem)}") from problem
    return _whole(whole, size, stream.eof, where)


def _whole(unpacked: bytes, size: int, ended: bool, where: str) -> bytes:
    if len(unpacked) > size:
        raise ReadError(f"{where}: unpacks to more than {size:,} bytes")
    if not ended:
        raise ReadError(f"{where}: the packed data are cut short")
    return unpacked


def _has_parts(raw: bytes) -> bool:
    """Tell whether what looks like the header of another part stands within a gzip stream."""
    place = raw.find(_PART, 1)
    while place >= 0:
        header = raw[place : place + 10]
        if len(header) == 10 and header[3] < _KNOWN_FLAGS and header[8] in (0, 2, 4):
            return True
        place = raw.find(_PART, place + 1)
    return False


def _gunzip_parts(raw: bytes, where: str, limit: int) -> bytes:
    """Unpack part after part, a piece at a time, so that many parts cost no more than one."""
    parts, size, place = list[bytes](), 0, 0
    view = memoryview(raw)
    while raw.startswith(GZIP, place):
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            piece = view[place : place + _CHUNK]
            if not piece:
                raise ReadError(f"{where}: the gzip data are cut short")
            try:
                parts.append(stream.decompress(piece, limit - size + 1))
            except zlib.error as problem:
                raise ReadError(f"{where}: damaged gzip data: {one_line(problem)}") from problem
            place += len(piece) - len(stream.unused_data)
            size += len(parts[-1])
            if size > limit:
                raise ReadError(f"{where}: unpacks to more than {limit:,} bytes")
    if not place:
        raise ReadError(f"{where}: gzip data wanted, found others")
    return b"".join(parts)
