import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from medclf.errors import ReadError
from medclf.read.jpeg import decode_jpeg, follow_segments

GREY = (np.add.outer(np.arange(40), np.arange(50)) * 2).astype(np.uint8)


def save(picture=GREY, **options):
    stream = BytesIO()
    Pillow.fromarray(picture).save(stream, "JPEG", **options)
    return stream.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_segments_are_followed_to_the_end(options):
    for raw in (save(**options), save(np.dstack([GREY] * 3), **options)):
        found = follow_segments(raw + b"behind the end", "x")
        assert (found.shape, found.bits, found.exif) == (GREY.shape, 8, b"")
        assert decode_jpeg(raw, found).shape == (found.samples, *GREY.shape)
        for cut in range(2, len(raw) - 1, 7):
            with pytest.raises(ReadError, match=r"x: the JPEG is cut short"):
                follow_segments(raw[:cut], "x")


def test_the_exif_block_is_found_behind_another():
    exif = Pillow.Exif()
    exif[274] = 6
    raw = save(exif=exif)
    other = b"\xff\xe1" + struct.pack(">H", 12) + b"http://abc"
    found = follow_segments(raw[:2] + other + raw[2:], "x").exif
    assert found.removeprefix(b"Exif\0\0")[:2] in (b"II", b"MM")


def test_what_claims_too_much_is_refused():
    raw = bytearray(save())
    frame = raw.index(b"\xff\xc0") + 5
    raw[frame : frame + 4] = struct.pack(">HH", 65000, 65000)
    with pytest.raises(ReadError, match="x: 65000 x 65000 pixels; at most"):
        follow_segments(bytes(raw), "x")
    raw[frame : frame + 4] = struct.pack(">HH", 0, 50)
    with pytest.raises(ReadError, match="x: an image without pixels"):
        follow_segments(bytes(raw), "x")
    scan = b"\xff\xda" + struct.pack(">H", 8) + bytes(6) + b"\x11"
    many = save(progressive=True)[:-2] + scan * 300 + b"\xff\xd9"
    with pytest.raises(ReadError, match="x: a JPEG of one size and 1 to 200 scans wanted"):
        follow_segments(many, "x")
    with pytest.raises(ReadError, match="scans wanted, found 0"):
        follow_segments(b"\xff\xd8\xff\xd9", "x")
