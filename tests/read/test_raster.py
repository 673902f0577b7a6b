import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from imagecodecs import png_encode
from PIL import Image as Pillow
from PIL import ImageOps

from medclf.errors import ReadError
from medclf.read.raster import read_raster

RNG = np.random.default_rng(0)
SMOOTH = (np.add.outer(np.arange(40), np.arange(50)) * 2).astype(np.uint8)
COLOURED = np.dstack([SMOOTH, SMOOTH[::-1], 255 - SMOOTH])


def save(picture, form, **options):
    stream = BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["PNG", "BMP"])
def test_grey_and_colour_come_back_exactly(form):
    grey = read_raster(save(Pillow.fromarray(SMOOTH), form), "x")
    np.testing.assert_array_equal(grey.values, SMOOTH[None])
    colour = read_raster(save(Pillow.fromarray(COLOURED), form), "x")
    np.testing.assert_array_equal(colour.values, COLOURED.transpose(2, 0, 1))
    assert grey.bits == colour.bits == 8
    assert grey.grid.spacing_mm is None


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30}])
def test_jpeg_is_decoded_as_pillow_does(options):
    for picture in (Pillow.fromarray(SMOOTH), Pillow.fromarray(COLOURED)):
        raw = save(picture, "JPEG", **options)
        expected = np.asarray(Pillow.open(BytesIO(raw))).reshape(40, 50, -1).transpose(2, 0, 1)
        np.testing.assert_array_equal(read_raster(raw, "x").values, expected)


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_png_of_16_bits_keeps_them(shape):
    deep = RNG.integers(0, 2**16, shape, np.uint16)
    image = read_raster(png_encode(deep), "x")
    assert image.values.dtype == np.uint16
    assert image.bits == 16
    np.testing.assert_array_equal(image.values.transpose(1, 2, 0), deep.reshape(40, 50, -1))


def test_pillows_own_16_bit_png():
    deep = RNG.integers(0, 2**16, (9, 8), np.uint16)
    np.testing.assert_array_equal(
        read_raster(save(Pillow.fromarray(deep), "PNG"), "x").values[0], deep
    )


def test_one_bit_stays_0_and_1():
    picture = Pillow.fromarray(SMOOTH).convert("1")
    for form in ("PNG", "BMP"):
        image = read_raster(save(picture, form), "x")
        np.testing.assert_array_equal(image.values[0], np.asarray(picture))
        assert image.bits == 1
        assert image.values.dtype == np.uint8


@pytest.mark.parametrize("form", ["PNG", "BMP"])
def test_palette_becomes_rgb(form):
    picture = Pillow.fromarray(COLOURED).quantize(16)
    image = read_raster(save(picture, form), "x")
    expected = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
    np.testing.assert_array_equal(image.values, expected)


def test_cmyk_becomes_rgb():
    raw = save(Pillow.fromarray(COLOURED).convert("CMYK"), "JPEG", quality=95)
    image = read_raster(raw, "x")
    assert image.channels == 3
    assert np.abs(image.values.transpose(1, 2, 0).astype(int) - COLOURED).mean() < 3


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_opaque_alpha_is_left_out(mode):
    picture = Pillow.fromarray(COLOURED if mode == "RGBA" else SMOOTH)
    options = {"transparency": bytes([255] * 256)} if mode == "P" else {}
    image = read_raster(save(picture.convert(mode), "PNG", **options), "x")
    plain = picture.convert("RGB") if mode == "P" else picture
    expected = np.asarray(plain).reshape(40, 50, -1).transpose(2, 0, 1)
    np.testing.assert_array_equal(image.values, expected)


def test_opaque_alpha_of_16_bits_is_left_out():
    deep = RNG.integers(0, 2**16, (9, 8, 4), np.uint16)
    deep[..., 3] = 65535
    np.testing.assert_array_equal(
        read_raster(png_encode(deep), "x").values, deep[..., :3].transpose(2, 0, 1)
    )
    deep[0, 0, 3] = 65534
    with pytest.raises(ReadError, match="transparent"):
        read_raster(png_encode(deep), "x")


def test_transparency_is_refused():
    picture = Pillow.fromarray(COLOURED).convert("RGBA")
    picture.putpixel((3, 4), (0, 0, 0, 254))
    with pytest.raises(ReadError, match=r"scan\.png: partly transparent"):
        read_raster(save(picture, "PNG"), "scan.png")
    with pytest.raises(ReadError, match="partly transparent"):
        read_raster(save(Pillow.fromarray(SMOOTH), "PNG", transparency=0), "x")


@pytest.mark.parametrize("code", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_exif_orientation_is_applied(code, form):
    tags = Pillow.Exif()
    tags[0x0112] = code
    raw = save(Pillow.fromarray(COLOURED), form, exif=tags)
    expected = np.asarray(ImageOps.exif_transpose(Pillow.open(BytesIO(raw))))
    values = read_raster(raw, "x").values
    np.testing.assert_array_equal(values, expected.transpose(2, 0, 1))
    assert values.flags.c_contiguous
    assert values.flags.writeable


def test_a_broken_exif_block_does_not_warn_and_does_not_turn():
    raw = save(Pillow.fromarray(SMOOTH), "JPEG")
    block = b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01"
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    image = read_raster(raw[:2] + segment + raw[2:], "x")
    np.testing.assert_array_equal(image.values, read_raster(raw, "x").values)


def test_a_bomb_is_refused_from_its_header():
    raw = bytearray(save(Pillow.fromarray(SMOOTH), "PNG"))
    raw[16:24] = struct.pack(">II", 20000, 20000)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    with pytest.raises(ReadError, match=r"bomb\.png: 20000 x 20000 pixels; at most 200,000,000"):
        read_raster(bytes(raw), "bomb.png")


def test_large_but_allowed_is_read_without_a_warning():
    raw = save(Pillow.new("1", (10000, 9500)), "PNG")
    assert read_raster(raw, "x").space == (9500, 10000)


def files():
    yield "grey.png", save(Pillow.fromarray(SMOOTH), "PNG")
    yield "deep.png", png_encode(RNG.integers(0, 2**16, (12, 9, 3), np.uint16))
    yield "grey.jpg", save(Pillow.fromarray(SMOOTH), "JPEG")
    yield "colour.jpg", save(Pillow.fromarray(COLOURED), "JPEG")
    yield "progressive.jpg", save(Pillow.fromarray(COLOURED), "JPEG", progressive=True)
    yield "grey.bmp", save(Pillow.fromarray(SMOOTH), "BMP")
    yield "colour.bmp", save(Pillow.fromarray(COLOURED), "BMP")


@pytest.mark.parametrize(("name", "raw"), list(files()), ids=[name for name, _ in files()])
def test_cut_or_damaged(name, raw, check_cuts, check_damage):
    assert check_cuts(read_raster, raw) >= 40
    check_damage(read_raster, raw)


def test_png_is_refused_when_any_byte_changes():
    raw = save(Pillow.fromarray(SMOOTH), "PNG")
    for place in range(0, len(raw), 11):
        hurt = bytearray(raw)
        hurt[place] ^= 4
        with pytest.raises(ReadError):
            read_raster(bytes(hurt), "x")


def test_an_animated_png_is_refused_and_one_of_a_single_frame_read():
    frames = [Pillow.fromarray(SMOOTH), Pillow.fromarray(SMOOTH[::-1].copy())]
    raw = save(frames[0], "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(ReadError, match=r"a\.png: one picture wanted, found an animation of 2"):
        read_raster(raw, "a.png")
    control = struct.pack(">II", 1, 0)
    chunk = struct.pack(">I", 8) + b"acTL" + control
    chunk += struct.pack(">I", zlib.crc32(b"acTL" + control))
    still = save(frames[0], "PNG")
    still = still[:33] + chunk + still[33:]  # Behind the header, before the pixels.
    np.testing.assert_array_equal(read_raster(still, "x").values[0], SMOOTH)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_greys_of_few_bits_as_pillow_stretches_them(bits):
    packed = np.packbits(np.arange(256, dtype=np.uint8) >> 1).reshape(8, -1)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    kinds = [(b"IHDR", struct.pack(">IIBBBBB", 32 // bits, 8, bits, 0, 0, 0, 0)),
             (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]  # fmt: skip
    raw = b"\x89PNG\r\n\x1a\n"
    for kind, content in kinds:
        crc = struct.pack(">I", zlib.crc32(kind + content))
        raw += struct.pack(">I", len(content)) + kind + content + crc
    truth = np.asarray(Pillow.open(BytesIO(raw)).convert("L"))
    image = read_raster(raw, "x")
    np.testing.assert_array_equal(image.values[0] * (255 if bits == 1 else 1), truth)


def test_other_forms_are_refused():
    with pytest.raises(ReadError, match="PNG, JPEG or BMP wanted"):
        read_raster(b"GIF89a", "x.gif")


@pytest.mark.parametrize("options", [{"subsampling": s} for s in range(3)] + [{"keep_rgb": True}])
def test_every_subsampling_as_pillow_decodes_it(options):
    raw = save(Pillow.fromarray(COLOURED[:, :47]), "JPEG", quality=80, **options)
    truth = np.asarray(Pillow.open(BytesIO(raw))).transpose(2, 0, 1)
    np.testing.assert_array_equal(read_raster(raw, "x").values, truth)


def test_decoders_say_nothing_on_the_terminal(capfd, check_damage):
    for form in ("JPEG", "PNG"):
        check_damage(read_raster, save(Pillow.fromarray(COLOURED), form))
    assert capfd.readouterr() == ("", "")
