"""Pictures and volumes that are no DICOM: only what stands beside their pixels can be removed.

PNG keeps the chunks that make the picture, JPEG loses all notes, NIfTI the texts of its header and
every extension. How a photograph was held stays, for it must be turned. Nobody's name is known, so
each file gets a keyed word for a name, and a person must look at every picture.

Source: PNG, third edition, W3C 2025, 11; ITU-T T.81, annex B; NIfTI-1.1 and NIfTI-2 data formats.
"""

import gzip
import zlib
from struct import pack

import numpy as np

from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.strip import strip_jpeg
from medclf.errors import ReadError
from medclf.read.inflate import gunzip
from medclf.read.orientation import read_orientation

PNG, JPEG, GZIP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\x1f\x8b"
CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"IDAT", b"IEND")
"""Chunks of a PNG that say how its pixels look."""

FOLDER = "others"
_NIFTI = {348: (344, (b"n+1\0",)), 540: (4, (b"n+2\0",))}
_TEXTS = {
    348: ((4, 14), (14, 32), (32, 36), (148, 228), (228, 252), (328, 344)),
    540: ((240, 320), (320, 344), (508, 524)),
}
"""Where data_type, db_name, extents, descrip, aux_file and intent_name stand in NIfTI-1 and -2."""


def deidentify_other(raw: bytes, name: str, key: Key, where: str) -> tuple[str, str, bytes]:
    """De-identify a PNG, a JPEG or a NIfTI volume.

    Args:
        raw: Its bytes.
        name: Where it lies in its folder, from which its new name comes.
        key: Makes that name.
        where: Names it in messages.

    Returns:
        Its kind, where it goes, and its bytes.

    Raises:
        ReadError: it is of another kind, or damaged.
    """
    word = key.word("picture", name)
    if raw.startswith(PNG):
        return "PNG", f"{FOLDER}/{word}.png", strip_png(raw, where)
    if raw.startswith(JPEG):
        return "JPEG", f"{FOLDER}/{word}.jpg", _turned(raw, strip_jpeg(raw, where))
    if raw.startswith(GZIP):
        volume = strip_nifti(bytes(gunzip(raw, where)), where)
        return "NIfTI", f"{FOLDER}/{word}.nii.gz", gzip.compress(volume, mtime=0)
    return "NIfTI", f"{FOLDER}/{word}.nii", strip_nifti(raw, where)


def is_other(raw: bytes) -> bool:
    """Tell by its first bytes whether a file is of a kind that is cleaned here."""
    return raw.startswith((PNG, JPEG, GZIP)) or _nifti_size(raw) is not None


def strip_png(raw: bytes, where: str) -> bytes:
    """Keep of a PNG what makes its pixels, and how it was held.

    Raises:
        ReadError: its chunks cannot be followed.
    """
    parts, place, code = [PNG], len(PNG), 1
    while place + 12 <= len(raw):
        stop = place + 12 + int.from_bytes(raw[place : place + 4], "big")
        kind, chunk = raw[place + 4 : place + 8], raw[place:stop]
        if len(chunk) < stop - place:
            break
        if kind == b"eXIf":
            code = read_orientation(chunk[8:-4])
        if kind == b"IEND" and code != 1:
            parts.append(_chunk(b"eXIf", _exif(code)))
        if kind in CHUNKS:
            parts.append(chunk)
        if kind == b"IEND":
            return b"".join(parts)
        place = stop
    raise ReadError(f"{where}: the PNG is cut short")


def strip_nifti(raw: bytes, where: str) -> bytes:
    """Blank the texts and extensions of a NIfTI volume in one file, and cut its tail.

    Raises:
        ReadError: it is no such volume, or cut short.
    """
    size = _nifti_size(raw)
    if size is None:
        raise ReadError(f"{where}: no DICOM, PNG, JPEG or single-file NIfTI")
    order = "<" if raw[:4] == pack("<i", size) else ">"
    place, width = (40, 2) if size == 348 else (16, 8)
    dims = np.frombuffer(raw, f"{order}i{width}", 8, place)
    bits = int(np.frombuffer(raw, f"{order}i2", 1, 72 if size == 348 else 14)[0])
    start = np.frombuffer(
        raw, f"{order}{'f4' if size == 348 else 'i8'}", 1, 108 if size == 348 else 168
    )
    first, rank = int(start[0]), int(dims[0])
    end = first + -(-int(np.prod(dims[1 : rank + 1].astype(np.int64))) * bits // 8)
    if not (1 <= rank <= 7 and size <= first <= len(raw)) or end > len(raw):
        raise ReadError(f"{where}: the NIfTI volume is damaged or cut short")
    header = bytearray(raw[:size])
    for begin, stop in _TEXTS[size]:
        header[begin:stop] = bytes(stop - begin)
    return bytes(header) + bytes(first - size) + raw[first:end]


def _nifti_size(raw: bytes) -> int | None:
    for size, (place, marks) in _NIFTI.items():
        if raw[place : place + 4] in marks and size in (
            int.from_bytes(raw[:4], "little"),
            int.from_bytes(raw[:4], "big"),
        ):
            return size
    return None


def _turned(raw: bytes, stripped: bytes) -> bytes:
    """Put back how a photograph was held, if it must be turned."""
    place = raw.find(b"Exif\0\0", 0, 65536)
    code = read_orientation(raw[place : place + 65536]) if place >= 0 else 1
    if code == 1:
        return stripped
    body = b"Exif\0\0" + _exif(code)
    return stripped[:2] + b"\xff\xe1" + pack(">H", len(body) + 2) + body + stripped[2:]


def _exif(code: int) -> bytes:
    """Write a TIFF header and one directory with the orientation alone."""
    return b"MM\0*" + pack(">IHHHIHHI", 8, 1, 274, 3, 1, code, 0, 0)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body))
