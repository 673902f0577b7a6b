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


def pyramid(kind):
    """Three levels, as a chain of pages, as pages below the first, or as OME has them."""
    stream, ome = BytesIO(), kind == "ome"
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "mm"}
    with tifffile.TiffWriter(stream, bigtiff=True, ome=ome) as writer:
        below = {} if kind == "chain" else {"subifds": 2}
        metadata = {"axes": "YX", **sizes} if ome else None
        writer.write(LARGE, tile=(16, 16), metadata=metadata, **below)
        for step in (2, 4):
            writer.write(LARGE[::step, ::step], tile=(16, 16), subfiletype=1, metadata=None)
    return stream.getvalue()


LARGE = np.arange(64 * 128, dtype=np.uint16).reshape(64, 128)


@pytest.mark.parametrize("kind", ["chain", "below", "ome"])
def test_the_finest_level_that_may_be_read_is_read_and_told(kind, monkeypatch):
    raw = pyramid(kind)
    image = read_tiff(raw, "x")
    np.testing.assert_array_equal(image.values[0], LARGE)
    if kind != "chain":  # Pages of a chain that are marked as reduced may be thumbnails.
        (remark,) = image.remarks
        assert remark.message == "of a pyramid of 3 levels, level 0 was read, 128 x 64 pixels"
        assert not remark.grave
        monkeypatch.setattr("medclf.read.tiff.PIXELS", 2048)
        image = read_tiff(raw, "x")
        np.testing.assert_array_equal(image.values[0], LARGE[::2, ::2])
        (remark,) = image.remarks
        assert remark.grave
        assert remark.message.endswith(
            "level 1 was read, 64 x 32 pixels, since level 0 has 128 x 64"
        )
    if kind == "ome":
        assert image.grid.spacing_mm == pytest.approx((0.5, 0.001))


def test_moments_slices_and_channels_stand_apart():
    values = RNG.integers(0, 99, (2, 3, 4, 5, 6)).astype(np.uint16)
    for options in ({"imagej": True}, {"ome": True}):
        image = read_tiff(write(values, metadata={"axes": "TZCYX"}, **options), "x")
        assert image.phases == ("1", "2")
        np.testing.assert_array_equal(image.values, values.transpose(0, 2, 1, 3, 4))
        timed = read_tiff(write(values[:, 0, 0], metadata={"axes": "TYX"}, **options), "x")
        np.testing.assert_array_equal(timed.values, values[:, :1, 0])
        assert timed.phases == ("1", "2")
    with pytest.raises(ReadError, match="pages along one axis wanted"):
        read_tiff(write(values[:, :, 0], photometric="minisblack"), "x")


@pytest.mark.parametrize(
    ("unit", "mm"),
    [("um", 0.001), ("micron", 0.001), ("mm", 1), ("inch", 25.4), ("pixel", None), ("", None)],
)
def test_spacing_of_imagej(unit, mm):
    options = {"imagej": True, "resolution": (2, 4)}
    raw = write(STACK, metadata={"axes": "ZYX", "unit": unit, "spacing": 3.5}, **options)
    spacing = read_tiff(raw, "x").grid.spacing_mm
    assert spacing == (None if mm is None else pytest.approx((3.5 * mm, 0.25 * mm, 0.5 * mm)))
    flat = read_tiff(write(GREY, metadata={"unit": unit}, **options), "x").grid.spacing_mm
    assert flat == (None if mm is None else pytest.approx((0.25 * mm, 0.5 * mm)))


def test_spacing_of_ome_and_none_of_dots_per_inch():
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.7, "PhysicalSizeZ": 2}
    image = read_tiff(write(STACK, ome=True, metadata={"axes": "ZYX", **sizes}), "x")
    assert image.grid.spacing_mm == pytest.approx((0.002, 0.0007, 0.0005))
    sizes.pop("PhysicalSizeZ")
    image = read_tiff(write(STACK, ome=True, metadata={"axes": "ZYX", **sizes}), "x")
    assert image.grid.spacing_mm is None
    assert read_tiff(write(GREY, resolution=(300, 300)), "x").grid.spacing_mm is None
    turned = write(GREY, imagej=True, resolution=(2, 4), metadata={"unit": "mm"},
                   extratags=[(274, "H", 1, 6, True)])  # fmt: skip
    assert read_tiff(turned, "x").grid.spacing_mm == (0.5, 0.25)


def test_pages_over_each_other_are_refused():
    """Each page claims all that follows: to read so many tags would take for ever."""
    raw, tags, pages = bytearray(struct.pack("<2sHI", b"II", 42, 8) + bytes(4000)), 300, 80
    for place in range(8, 8 + 2 * pages, 2):
        struct.pack_into("<H", raw, place, tags)
        struct.pack_into("<I", raw, place + 2 + 12 * tags, 0)
    for number in range(pages):  # Where a page's tags end stands the place of the next page.
        place = 8 + 4 * number
        struct.pack_into("<H", raw, place, tags)
        struct.pack_into("<I", raw, place + 2 + 12 * tags, place + 4)
    with pytest.raises(ReadError, match="its pages lie over each other"):
        read_tiff(bytes(raw), "x")


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


def test_rows_for_which_no_strip_is_there_are_refused():
    """tifffile would fill them with zeros, of which a few bytes can claim a gigabyte."""
    raw = bytearray(write(GREY[:24], rowsperstrip=24, compression="zlib"))
    rows = raw.index(struct.pack("<HHII", 257, 4, 1, 24))
    raw[rows + 8 : rows + 10] = (24 * 5).to_bytes(2, "little")
    with pytest.raises(ReadError, match="x: the TIFF is damaged: only 1 of 5 strips or tiles are"):
        read_tiff(bytes(raw), "x")
