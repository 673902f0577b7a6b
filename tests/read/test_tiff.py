import struct
from io import BytesIO

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from medclf.errors import ReadError
from medclf.read.tiff import read_tiff

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (64, 50), np.uint8)
COLOUR = RNG.integers(0, 256, (64, 50, 3), np.uint8)
STACK = RNG.integers(0, 256, (7, 64, 50), np.uint8)


def write(values, **options):
    stream = BytesIO()
    tifffile.imwrite(stream, values, **options)
    return stream.getvalue()


def save(picture, **options):
    stream = BytesIO()
    picture.save(stream, "TIFF", **options)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "f4"])
@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib"}, {"bigtiff": True}, {"byteorder": ">"}, {"tile": (16, 16)}],
    ids=str,
)
def test_depths_come_back_exactly(dtype, options):
    values = (RNG.normal(size=(64, 50)) * 100).astype(dtype)
    image = read_tiff(write(values, **options), "x")
    np.testing.assert_array_equal(image.values[0], values)
    assert image.values.dtype == np.dtype(dtype)
    assert image.bits == 8 * values.dtype.itemsize


def test_double_becomes_float32():
    values = RNG.normal(size=(6, 5))
    image = read_tiff(write(values), "x")
    assert image.values.dtype == np.float32
    np.testing.assert_array_equal(image.values[0], values.astype(np.float32))


def test_twelve_bits():
    values = RNG.integers(0, 4096, (64, 50), np.uint16)
    image = read_tiff(write(values, bitspersample=12), "x")
    np.testing.assert_array_equal(image.values[0], values)
    assert image.bits == 12


@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_colours(planes):
    values = COLOUR if planes == "contig" else COLOUR.transpose(2, 0, 1)
    raw = write(np.ascontiguousarray(values), photometric="rgb", planarconfig=planes)
    np.testing.assert_array_equal(read_tiff(raw, "x").values, COLOUR.transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "1", "CMYK", "I;16", "F", "LA", "RGBA"])
def test_same_as_pillow(mode):
    picture = Pillow.fromarray(COLOUR if mode in ("RGB", "CMYK", "P", "RGBA") else GREY)
    picture = Pillow.fromarray(GREY * np.uint16(200)) if mode == "I;16" else picture.convert(mode)
    plain = {"LA": "L", "P": "RGB", "CMYK": "RGB", "RGBA": "RGB"}.get(mode, mode)
    expected = np.asarray(picture if plain == mode else picture.convert(plain))
    for options in ({}, {"compression": "tiff_lzw"}):
        values = read_tiff(save(picture, **options), "x").values
        np.testing.assert_array_equal(values, expected.reshape(64, 50, -1).transpose(2, 0, 1))


def test_equal_pages_become_a_volume():
    for raw in (write(STACK), write(STACK, compression="lzw"), write(STACK, imagej=True,
                metadata={"axes": "ZYX"})):  # fmt: skip
        np.testing.assert_array_equal(read_tiff(raw, "x").values, STACK[None])
    pages = [Pillow.fromarray(page) for page in STACK]
    raw = save(pages[0], save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(read_tiff(raw, "x").values, STACK[None])
    raw = write(np.stack([COLOUR] * 4), photometric="rgb")
    assert read_tiff(raw, "x").values.shape == (3, 4, 64, 50)


def test_pages_named_channels_are_channels():
    raw = write(STACK[:2], imagej=True, metadata={"axes": "CYX"})
    np.testing.assert_array_equal(read_tiff(raw, "x").values, STACK[:2])


def test_different_pages_are_refused():
    pages = [Pillow.fromarray(GREY), Pillow.fromarray(GREY[:30])]
    with pytest.raises(ReadError, match=r"s\.tif: pages of one size and kind wanted, found 2"):
        read_tiff(save(pages[0], save_all=True, append_images=pages[1:]), "s.tif")


def test_thumbnails_are_passed_over():
    stream = BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(GREY, metadata=None)
        writer.write(GREY[::4, ::4], subfiletype=1, metadata=None)
    np.testing.assert_array_equal(read_tiff(stream.getvalue(), "x").values[0], GREY)


def test_white_is_zero_is_inverted():
    values = read_tiff(write(GREY, photometric="miniswhite"), "x").values
    np.testing.assert_array_equal(values[0], 255 - GREY)


def test_fax_is_0_and_1_with_white_as_1():
    picture = Pillow.fromarray(GREY).convert("1")
    image = read_tiff(save(picture, compression="group4"), "x")
    np.testing.assert_array_equal(image.values[0], np.asarray(picture))
    assert image.bits == 1


def test_palette_of_16_bits_stays_so():
    table = RNG.integers(0, 2**16, (3, 256), np.uint16)
    image = read_tiff(write(GREY, photometric="palette", colormap=table), "x")
    np.testing.assert_array_equal(image.values, table[:, GREY])
    assert image.bits == 16


def test_transparency_is_refused():
    layers = np.dstack([COLOUR, np.full(GREY.shape, 255, np.uint8)])
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    opaque = read_tiff(write(layers, **options), "x")
    np.testing.assert_array_equal(opaque.values, COLOUR.transpose(2, 0, 1))
    layers[0, 0, 3] = 9
    with pytest.raises(ReadError, match="transparent"):
        read_tiff(write(layers, **options), "x")


def test_orientation_tag_is_applied():
    raw = write(GREY, extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(read_tiff(raw, "x").values[0], np.rot90(GREY, -1))


def test_a_bomb_is_refused_from_its_header():
    raw = bytearray(write(np.zeros((16, 16), np.uint8), compression="zlib", metadata=None))
    for tag in (256, 257):
        entry = raw.index(struct.pack("<HHI", tag, 4, 1))
        raw[entry + 8 : entry + 12] = struct.pack("<I", 30000)
    with pytest.raises(ReadError, match=r"b\.tif: 30000 x 30000 pixels; at most 200,000,000"):
        read_tiff(bytes(raw), "b.tif")


def files():
    yield write(GREY)
    yield write(RNG.normal(size=(64, 50)).astype("f4"), compression="zlib")
    yield write(STACK)
    yield write(STACK, compression="lzw")
    yield write(COLOUR, photometric="rgb", tile=(16, 16), compression="zlib")
    yield write(GREY, bigtiff=True)
    yield save(Pillow.fromarray(COLOUR), compression="tiff_lzw")
    yield save(Pillow.fromarray(GREY).convert("1"), compression="group4")


@pytest.mark.parametrize("raw", list(files()), ids=range(8))
def test_cut_or_damaged(raw, check_cuts, check_damage, capfd):
    assert check_cuts(read_tiff, raw) >= 35
    check_damage(read_tiff, raw)
    assert capfd.readouterr().err == ""


def test_pages_in_a_ring_are_refused():
    raw = bytearray(write(GREY, metadata=None))
    first = int.from_bytes(raw[4:8], "little")
    end = first + 2 + 12 * int.from_bytes(raw[first : first + 2], "little")
    raw[end : end + 4] = raw[4:8]
    with pytest.raises(ReadError, match="ring"):
        read_tiff(bytes(raw), "x")
