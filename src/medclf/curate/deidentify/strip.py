"""What hides beside the pixels of a compressed or plain picture: comments, EXIF, spare bits, tails.

A JPEG frame inside a DICOM file is a whole JPEG file, with room for comments and a camera's notes;
JPEG 2000 has comments too. Old overlays lie in the spare bits of plain pixels, and any bytes may
follow the last pixel. All of it goes; the pixels stay as they are, bit by bit.

Source: ITU-T T.81, annex B and T.87 (JPEG, JPEG-LS); T.800, annex A; DICOM PS3.5, 8.1.2.
"""

from typing import TYPE_CHECKING

import numpy as np

from medclf.errors import ReadError

if TYPE_CHECKING:
    from pydicom import Dataset

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_NOTES = frozenset({0xFE, *range(0xE0, 0xF0)})
_JFIF, _ADOBE = b"JFIF\0", b"Adobe"
_JFIF_BYTES = 16
_2000, _2000_COMMENT, _2000_TILE = b"\xff\x4f\xff\x51", 0x64, 0x90


def strip_jpeg(raw: bytes, where: str) -> bytes:
    """Take comments and all notes of programs out of a JPEG or JPEG-LS stream, and its tail.

    What tells how to show it stays: the density in JFIF, the colour transform in Adobe's segment.

    Raises:
        ReadError: its segments cannot be followed.
    """
    parts, place = [raw[:2]], 2
    if raw[:2] != bytes((0xFF, _START)):
        raise ReadError(f"{where}: no JPEG stream")
    while True:
        while raw[place : place + 2] == b"\xff\xff":
            place += 1
        if place + 4 > len(raw) and raw[place : place + 2] != bytes((0xFF, _END)):
            raise ReadError(f"{where}: the JPEG stream is cut short")
        if raw[place] != 0xFF:
            raise ReadError(f"{where}: the JPEG stream is damaged")
        kind = raw[place + 1]
        if kind == _END:
            return b"".join([*parts, raw[place : place + 2]])
        if kind in _ALONE:
            stop = place + 2
        else:
            stop = place + 2 + int.from_bytes(raw[place + 2 : place + 4], "big")
        parts.append(_kept(kind, raw[place:stop]))
        if kind == _SCAN:
            end = _scan_end(raw, stop)
            parts.append(raw[stop:end])
            stop = end
        place = stop


def _kept(kind: int, segment: bytes) -> bytes:
    if kind not in _NOTES:
        return segment
    if kind == 0xE0 and segment[4:9] == _JFIF and len(segment) >= _JFIF_BYTES + 2:
        # Of JFIF the version and density, without the small picture that may follow.
        return b"\xff\xe0\x00\x10" + segment[4:16] + b"\0\0"
    return segment if kind == 0xEE and segment[4:9] == _ADOBE and len(segment) == 16 else b""


def _scan_end(raw: bytes, place: int) -> int:
    """Find the next marker after coded data, in which 0xFF is followed by less than 0x80 or RST."""
    while (place := raw.find(b"\xff", place)) >= 0 and place + 1 < len(raw):
        after = raw[place + 1]
        if after >= 0x80 and not 0xD0 <= after <= 0xD7 and after != 0xFF:
            return place
        place += 1
    return len(raw)


def strip_jpeg_2000(raw: bytes, where: str) -> bytes:
    """Take the comments out of the main header of a JPEG 2000 codestream, and boxes around it.

    Raises:
        ReadError: its header cannot be followed.
    """
    start = raw.find(_2000)
    if start < 0:
        raise ReadError(f"{where}: no JPEG 2000 stream")
    parts, place = [raw[start : start + 2]], start + 2
    while True:
        kind = raw[place + 1] if raw[place : place + 1] == b"\xff" else 0
        if kind == 0 or place + 4 > len(raw):
            raise ReadError(f"{where}: the JPEG 2000 stream is damaged or cut short")
        if kind == _2000_TILE:
            break
        stop = place + 2 + int.from_bytes(raw[place + 2 : place + 4], "big")
        if kind != _2000_COMMENT:
            parts.append(raw[place:stop])
        place = stop
    end = raw.rfind(b"\xff\xd9")
    return b"".join([*parts, raw[place : end + 2 if end > place else None]])


def strip_frames(dataset: "Dataset", where: str) -> None:
    """Strip the pixel data of a DICOM file in place: each compressed frame, or spare bits and tail.

    Raises:
        ReadError: a compressed frame cannot be followed.
    """
    if "PixelData" not in dataset:
        return
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        _strip_plain(dataset)
        return
    from pydicom.encaps import encapsulate, generate_frames

    number = int(dataset.get("NumberOfFrames") or 1)
    tables = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
    offsets = None if None in tables else tables
    frames = [
        _strip_frame(frame, where)
        for frame in generate_frames(
            dataset.PixelData, number_of_frames=number, extended_offsets=offsets
        )
    ]
    if len(frames) < number:
        raise ReadError(f"{where}: {number} frames wanted, found {len(frames)}")
    for name in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if name in dataset:
            delattr(dataset, name)
    dataset.PixelData = encapsulate(frames[:number], has_bot=_fits(frames))
    dataset["PixelData"].is_undefined_length = True


def _fits(frames: list[bytes]) -> bool:
    return sum(len(frame) + 9 for frame in frames) < 2**32


def _strip_frame(frame: bytes, where: str) -> bytes:
    if frame.startswith(b"\xff\xd8"):
        return strip_jpeg(frame, where)
    if _2000 in frame[:512]:
        return strip_jpeg_2000(frame, where)
    return frame


def _strip_plain(dataset: "Dataset") -> None:
    """Cut what follows the last pixel, and clear the bits of unsigned pixels that hold no value."""
    from pydicom.pixels.utils import get_expected_length

    length = get_expected_length(dataset)
    # In big-endian words of two pixels the last byte is not the last pixel.
    raw = dataset.PixelData[: length + length % 2]
    allocated, stored = int(dataset.BitsAllocated), int(dataset.get("BitsStored") or 0)
    high = int(dataset.get("HighBit") or stored - 1)
    if allocated in (8, 16) and 0 < stored < allocated and dataset.PixelRepresentation == 0:
        little = dataset.file_meta.TransferSyntaxUID.is_little_endian
        dtype = np.dtype(f"{'<' if little else '>'}u{allocated // 8}")
        low = high + 1 - stored
        if low >= 0 and len(raw) % dtype.itemsize == 0:
            mask = np.array(((1 << stored) - 1) << low, dtype)
            raw = (np.frombuffer(raw, dtype) & mask).astype(dtype).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
