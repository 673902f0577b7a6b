from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from medclf.read.orientation import read_orientation, turn_upright


def exif(code):
    tags = Pillow.Exif()
    tags[0x010F] = "A maker"
    tags[0x0112] = code
    return tags.tobytes()


@pytest.mark.parametrize("code", range(1, 9))
def test_same_as_pillow(code):
    values = np.arange(35, dtype=np.uint8).reshape(5, 7)
    stream = BytesIO()
    Pillow.fromarray(values).save(stream, "PNG", exif=exif(code))
    upright = np.asarray(ImageOps.exif_transpose(Pillow.open(stream)))
    assert read_orientation(exif(code)) == code
    np.testing.assert_array_equal(turn_upright(values, code), upright)
    np.testing.assert_array_equal(turn_upright(np.stack([values] * 3), code)[1], upright)


def test_big_endian_block():
    block = b"MM\0*\0\0\0\x08\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0" + bytes(4)
    assert read_orientation(b"Exif\0\0" + block) == 6


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"rubbish", exif(0), exif(9), exif(6)[:20]])
def test_what_cannot_be_followed_states_nothing(block):
    assert read_orientation(block) == 1
