"""What a compressed DICOM frame claims about its own size, before any decoder believes it.

Decoders take memory by the frame's inner header; one damaged byte there can claim terabytes. Only
that header is looked at: the frame segment of JPEG and JPEG-LS, the size segment of JPEG 2000, and
the boxes that may stand before it.

Source: ITU-T T.81, B.2.2; T.87, C.2.2; T.800, A.5.1 and I.4; DICOM PS3.5, A.4.
"""

import struct
from typing import TYPE_CHECKING

from medclf.errors import ReadError
from medclf.read.jpeg import can_hold

if TYPE_CHECKING:
    from pydicom import Dataset

_JPEG, _JPEG_2000 = b"\xff\xd8\xff", b"\xff\x4f\xff\x51"
_BOXES, _BOX_HEADER = b"\x00\x00\x00\x0cjP  ", 8
_FRAME_SEGMENTS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_HUFFMAN = range(0xC0, 0xC4)
_TILES = 65535
_END, _TAIL = b"\xff\xd9", 1024
"""The marker that ends a frame, and how far behind it padding may go on."""


def check_codestreams(dataset: "Dataset", frames: int, where: str) -> int:
    """Compare every compressed frame's own size with that of the DICOM header.

    Returns:
        The most bits of a sample that a frame states; 0 where their form states none.

    Raises:
        ReadError: they differ, or a JPEG 2000 frame claims more tiles than there may be.
        ValueError: a frame is cut short.
    """
    from pydicom.encaps import generate_frames
    from pydicom.uid import RLELossless

    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated or syntax == RLELossless:
        return 0
    bits, wanted = (
        0,
        (int(dataset.Rows), int(dataset.Columns), int(dataset.get("SamplesPerPixel", 1))),
    )
    offsets = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
    given = None if None in offsets else offsets
    for frame in generate_frames(
        dataset.PixelData, number_of_frames=frames, extended_offsets=given
    ):
        check_end(frame)
        bits = max(bits, read_codestream_bits(frame))
        found = read_codestream_size(frame)
        if found is not None and found != wanted:
            raise ReadError(
                f"{where}: frames of (rows, columns, samples) {wanted} wanted, found {found}"
            )
    return bits


def check_end(frame: bytes) -> None:
    """Refuse a frame that lacks its end: some decoders fill up with grey, and say nothing.

    Raises:
        ValueError: it is cut short.
    """
    marked = frame.startswith((_JPEG, _JPEG_2000))
    if marked and not frame[-_TAIL:].rstrip(b"\0\xff").endswith(_END):
        raise ValueError("a compressed frame is cut short: it has no end")


def read_codestream_size(frame: bytes) -> tuple[int, int, int] | None:
    """Read (rows, columns, samples) of one frame; `None` where its form is another.

    Raises:
        ValueError: the header is cut short, or its boxes or tiles are impossible.
    """
    if frame.startswith(_JPEG):
        return _jpeg_size(frame)
    if frame.startswith(_BOXES):
        _check_boxes(frame)
    start = frame.find(_JPEG_2000, 0, 256)
    return None if start < 0 else _jpeg_2000_size(frame[start + 4 :])


def read_codestream_bits(frame: bytes) -> int:
    """Read how many bits a sample of one frame has; 0 where its form is another.

    Raises:
        ValueError: the header is cut short.
    """
    if frame.startswith(_JPEG):
        return frame[_jpeg_frame(frame) + 4]
    start = frame.find(_JPEG_2000, 0, 256)
    return 0 if start < 0 or len(frame) <= start + 42 else (frame[start + 42] & 127) + 1


def _jpeg_size(frame: bytes) -> tuple[int, int, int]:
    place = _jpeg_frame(frame)
    rows, columns, samples = struct.unpack_from(">HHB", frame, place + 5)
    if frame[place + 1] in _HUFFMAN and not can_hold(rows, columns, len(frame)):
        raise ValueError("the JPEG frame claims more pixels than its bytes can hold")
    return rows, columns, samples


def _jpeg_frame(frame: bytes) -> int:
    """Find the segment that states the size."""
    place = 2
    while place + 10 <= len(frame) and frame[place] == 0xFF:
        kind = frame[place + 1]
        if kind in _FRAME_SEGMENTS:
            return place
        filler = kind in (0xFF, 0x01)
        place += 1 if filler else 2 + int.from_bytes(frame[place + 2 : place + 4], "big")
    raise ValueError("the JPEG frame states no size")


def _check_boxes(frame: bytes) -> None:
    """Follow the boxes before the codestream: in one of no length pydicom would turn for ever."""
    place = len(_BOXES) + 4
    while place < len(frame) and frame[place + 4 : place + 8] != b"jp2c":
        length = int.from_bytes(frame[place : place + 4], "big")
        if length < _BOX_HEADER:
            raise ValueError("the JPEG 2000 frame has a box without length")
        place += length


def _jpeg_2000_size(segment: bytes) -> tuple[int, int, int]:
    if len(segment) < 38:
        raise ValueError("the JPEG 2000 frame is cut short")
    right, bottom, left, top, wide, high, from_x, from_y, samples = struct.unpack_from(
        ">8IH", segment, 4
    )
    if 0 in (wide, high) or -(-(right - from_x) // wide) * -(-(bottom - from_y) // high) > _TILES:
        raise ValueError("the JPEG 2000 frame claims impossible tiles")
    return bottom - top, right - left, samples
