import bz2
import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.image import read_image
from medclf.read.nrrd import read_nrrd

RNG = np.random.default_rng(0)
VALUES = RNG.integers(-500, 500, (4, 5, 6)).astype(np.int16)
TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]

FIELDS = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "6 5 4",
    "space directions": "(0.5,0,0) (0,0.7,0) (0,0,2)",
    "space origin": "(1,2,3)",
    "endian": "little",
    "encoding": "raw",
}


def header(**fields):
    """Write fields, one a line, "_" for spaces; those given as None are left out."""
    fields = FIELDS | {name.replace("_", " "): text for name, text in fields.items()}
    lines = "".join(f"{name}: {text}\n" for name, text in fields.items() if text)
    return f"NRRD0005\n# A remark\n{lines}key:=any value: of a pair\n\n".encode()


def local(values=VALUES, **fields):
    return header(**fields) + values.tobytes()


def read(raw, name="a.nrrd"):
    return read_nrrd(raw, Source(Path(name)))


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_that_simpleitk_writes(tmp_path, dtype, as_simpleitk):
    made = SimpleITK.GetImageFromArray((RNG.random((4, 5, 6)) * 100).astype(dtype))
    made.SetSpacing((0.5, 0.7, 2.5))
    made.SetOrigin((-3, 4, 5))
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    made.SetDirection(tuple((turn * np.sign(np.linalg.det(turn))).ravel()))
    for name in ("a.nrrd", "a.nhdr"):
        for packed in (False, True):
            SimpleITK.WriteImage(made, tmp_path / name, packed)
            image = read_image(Source(tmp_path / name))
            as_simpleitk(image, tmp_path / name)
            assert image.values.dtype == ("f4" if dtype == "f8" else dtype)


def test_channels_of_simpleitk(tmp_path, as_simpleitk):
    vector = SimpleITK.GetImageFromArray(RNG.random((4, 5, 6, 3)).astype("f4"), isVector=True)
    SimpleITK.WriteImage(vector, tmp_path / "a.nrrd")
    image = read_image(Source(tmp_path / "a.nrrd"))
    as_simpleitk(image, tmp_path / "a.nrrd")
    assert (image.channels, image.space) == (3, (4, 5, 6))


@pytest.mark.parametrize(
    "space",
    ["right-anterior-superior", "RAS", "left-anterior-superior", "LPS", "left-posterior-superior"],
)
def test_frames_of_the_patient_as_simpleitk_turns_them(tmp_path, space, as_simpleitk):
    path = tmp_path / "a.nrrd"
    path.write_bytes(local(space=space, space_directions="(0,0.5,0) (0,0,-0.7) (2,0,0)"))
    as_simpleitk(read_image(Source(path)), path)


def test_a_place_by_hand():
    grid = read(local(space="RAS", space_directions="(0,.5,0) (0,0,-.7) (2,0,0)")).grid
    assert grid.spacing_mm == (2, 0.7, 0.5)
    assert grid.origin_mm == (3, -2, -1)  # RAS (1, 2, 3) is LPS (-1, -2, 3).
    # z runs to the right, y downwards, x to the front; LPS as (z, y, x).
    assert grid.axes.tolist() == [[0, 0, -1], [-1, 0, 0], [0, -1, 0]]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("gz", gzip.compress),
        ("bzip2", bz2.compress),
        ("bz2", bz2.compress),
        ("hex", lambda raw: raw.hex(" ", 2).encode()),
        ("ascii", lambda raw: b"\n".join(b"%d" % n for n in np.frombuffer(raw, "<i2"))),
        ("txt", lambda raw: b" ".join(b"%d" % n for n in np.frombuffer(raw, "<i2"))),
    ],
)
def test_encodings(encoding, pack):
    raw = header(encoding=encoding) + pack(VALUES.tobytes())
    np.testing.assert_array_equal(read(raw).values[0], VALUES)


def test_byte_order_and_names_of_types():
    big = read(local(VALUES.astype(">i2"), endian="big", type="signed short int"))
    np.testing.assert_array_equal(big.values[0], VALUES)
    wide = read(local(VALUES.astype("<u8"), type="unsigned long long int"))
    assert wide.values.dtype == np.uint64
    np.testing.assert_array_equal(wide.values[0], VALUES.astype("u8"))


def four(kinds, directions, values, **fields):
    sizes = " ".join(str(n) for n in values.shape[::-1])
    fields = {"dimension": "4", "sizes": sizes, "kinds": kinds, **fields}
    return read(local(values, space_directions=directions, **fields))


def test_components_and_time_stand_anywhere():
    values = RNG.integers(0, 99, (2, 3, 4, 5)).astype(np.int16)
    space = "(1,0,0) (0,1,0) (0,0,1)"
    first = four("vector domain domain domain", f"none {space}", values)
    np.testing.assert_array_equal(first.values, np.moveaxis(values, -1, 0))
    last = four("domain domain domain list", f"{space} none", values)
    np.testing.assert_array_equal(last.values, values)
    middle = four("space list space space", "(1,0,0) none (0,1,0) (0,0,1)", values)
    np.testing.assert_array_equal(middle.values, np.moveaxis(values, 2, 0))
    timed = four("domain domain domain time", f"{space} none", values)
    assert timed.phases == ("1", "2")
    np.testing.assert_array_equal(timed.values[:, 0], values)
    bare = four("domain domain domain time", None, values, space=None, space_origin=None)
    np.testing.assert_array_equal(bare.values, timed.values)
    assert bare.grid.spacing_mm is None


def test_a_frame_with_time():
    values = RNG.integers(0, 99, (2, 3, 4, 5)).astype(np.int16)
    directions = "(1,0,0,0) (0,1,0,0) (0,0,2,0) (0,0,0,40)"
    for space in ("left-posterior-superior-time", "LPST"):
        image = four(None, directions, values, space=space, space_origin="(1,2,3,0)")
        assert image.phases == ("1", "2")
        assert (image.grid.spacing_mm, image.grid.origin_mm) == ((2, 1, 1), (3, 2, 1))


def test_pictures():
    plain = read(local(VALUES[0], dimension="2", sizes="6 5", space=None, space_directions=None,
                       space_origin=None, spacings="0.5 0.7"))  # fmt: skip
    np.testing.assert_array_equal(plain.values, VALUES[:1])
    assert (plain.grid.spacing_mm, plain.grid.axes) == ((0.7, 0.5), None)
    placed = read(local(VALUES[0], dimension="2", sizes="6 5", space_directions="(0,.5,0) (0,0,2)"))
    assert placed.grid.axes.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert placed.grid.origin_mm == (3, 2, 1)
    colours = RNG.integers(0, 256, (5, 6, 4)).astype(np.uint8)
    fields = {"dimension": "3", "sizes": "4 6 5", "kinds": "RGBA-color domain domain"}
    bare = {"type": "uchar", "space": None, "space_directions": None, "space_origin": None}
    with pytest.raises(ReadError, match="partly transparent"):
        read(local(colours, **fields, **bare))
    colours[..., 3] = 255
    image = read(local(colours, **fields, **bare))
    np.testing.assert_array_equal(image.values, np.moveaxis(colours, -1, 0)[:3])


def test_one_slice_is_a_picture():
    image = read(local(VALUES[:1], sizes="6 5 1"))
    np.testing.assert_array_equal(image.values, VALUES[:1])
    assert image.grid.spacing_mm == (0.7, 0.5)
    assert image.grid.axes.shape == (2, 3)


def test_what_is_not_stated_is_not_guessed():
    for fields in (
        {"space": None, "space dimension": "3"},
        {"space": "scanner-xyz"},
        {"space": "3D-right-handed"},
        {"space_origin": None},
    ):
        grid = read(local(**fields)).grid
        assert (grid.spacing_mm, grid.origin_mm, grid.axes) == ((2, 0.7, 0.5), None, None)
    centimetres = read(local(space_units='"cm" "cm" "cm"')).grid
    assert (centimetres.spacing_mm, centimetres.origin_mm) == ((20, 7, 5), (30, 20, 10))
    assert read(local(space_units='"pixel" "pixel" "pixel"')).grid.spacing_mm is None
    bare = {"space": None, "space_directions": None, "space_origin": None}
    spaced = read(local(**bare, spacings="0.5 0.7 2", units='"cm" "cm" "mm"')).grid
    assert (spaced.spacing_mm, spaced.axes) == ((2, 7, 5), None)
    assert read(local(**bare)).grid.spacing_mm is None
    assert read(local(**bare, spacings="nan 0.7 2", kinds="list domain domain")).channels == 6


def test_data_in_files_beside(tmp_path):
    lines = b"a line\nanother\n"
    (tmp_path / "whole.raw").write_bytes(lines + b"junk" + VALUES.tobytes())
    (tmp_path / "whole.raw.gz").write_bytes(gzip.compress(b"junk" + VALUES.tobytes()))
    for number, plane in enumerate(VALUES):
        (tmp_path / f"s{number}.raw").write_bytes(plane.tobytes())
    listed = header(data_file="LIST").replace(b"data file: LIST\n", b"").rstrip() + b"\n"
    for text in (
        header(data_file="whole.raw", line_skip="2", byte_skip="4"),
        header(datafile="whole.raw", byteskip="-1"),
        header(data_file="whole.raw.gz", encoding="gzip", byte_skip="4"),
        header(data_file="s%d.raw 0 3 1 2"),
        listed + b"data file: LIST\ns0.raw\ns1.raw\ns2.raw\ns3.raw\n",
    ):
        (tmp_path / "a.nhdr").write_bytes(text)
        np.testing.assert_array_equal(read_image(Source(tmp_path / "a.nhdr")).values[0], VALUES)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("deep/a.nhdr", header(data_file="./b.raw"))
        archive.writestr("deep/b.raw", VALUES.tobytes())
    packed = read_image(Source(tmp_path / "a.zip", "deep/a.nhdr"))
    np.testing.assert_array_equal(packed.values[0], VALUES)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.nhdr").write_bytes(header(data_file="../whole.raw", byte_skip="-1"))
    with pytest.raises(ReadError, match="refused, since its data"):
        read_image(Source(tmp_path / "in" / "a.nhdr"))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (local()[:-1], "cut short: 240 bytes of pixels wanted, found 239"),
        (local() + b"\0", "header and data differ: 240 bytes of pixels wanted, found 241"),
        (b"NRRD0005\nno field\n\n", "a field and a colon wanted, found 'no field'"),
        (local(dimension="2"), "2 numbers wanted in sizes, found 6 5 4"),
        (local(dimension="x"), "1 numbers wanted in dimension"),
        (local(dimension="99999999"), "numbers wanted in sizes"),
        (local(dimension="1", sizes="120"), "2 to 16 axes and their sizes wanted"),
        (local(sizes="6 5 0"), "2 to 16 axes and their sizes wanted"),
        (local(sizes="6 5 -4"), "2 to 16 axes and their sizes wanted"),
        (local(sizes="99999 99999 99999"), "at most"),
        (local(type="block"), "a type of numbers wanted, found block"),
        (local(type=None), "the tag type wanted"),
        (local(endian=None), "the tag endian wanted"),
        (local(endian="middle"), "little or big wanted, found middle"),
        (local(encoding="zip"), "an encoding of raw, .* wanted, found zip"),
        (local(kinds="domain domain"), "kinds of axes that are not read"),
        (local(kinds="complex domain domain"), "kinds of axes that are not read"),
        (local(space_directions="none (1,0,0) none"), "2 or 3 axes of space"),
        (local(space_directions="(1,0,0) (0,1,0)"), "3 directions wanted"),
        (local(space_directions="(1,0,x) (0,1,0) (0,0,1)"), "3 directions wanted"),
        (local(space_directions="(1,0,0) (1,0,0) (0,0,1)"), "flat"),
        (local(space_directions="(1,0,0) (nan,0,0) (0,0,1)"), "not a number"),
        (local(space_directions="(1,0,0) (0,0,0) (0,0,1)"), "flat"),
        (local(space_origin="(1,2)"), "3 numbers wanted in space origin"),
        (local(byte_skip="-2"), "at most 1048576 bytes to skip wanted, found -2"),
        (local(byte_skip="1e12"), "at most 1048576 bytes to skip wanted"),
        (local(line_skip="1e12"), "cut short"),
        (header(encoding="gzip") + gzip.compress(bytes(10**6)), "unpacks to more than 240"),
        (header(encoding="bzip2") + bz2.compress(bytes(10**6)), "unpacks to more than 240"),
        (header(encoding="bzip2") + b"none", "damaged bzip2 data"),
        (header(encoding="gzip") + b"none", "damaged zlib data"),
        (header(encoding="hex") + b"0xy", "hexadecimal digits wanted"),
        (header(encoding="ascii") + b"1 2 3", "cut short: 240 bytes of pixels wanted, found 6"),
        (header(encoding="ascii") + b"1 2 70000", "numbers of int16 wanted"),
        (header(data_file="none.raw"), "its data are not there: none.raw"),
        (header(data_file="s%d.raw 1 7 1"), "files of equal parts wanted, found 7"),
        (header(data_file="LIST").split(b"key")[0], "files of equal parts wanted, found 0"),
    ],
)
def test_what_cannot_be_read_is_said(raw, message):
    with pytest.raises(ReadError, match=rf"^a\.nrrd: .*{message}"):
        read(raw)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_cut_or_damaged(encoding, check_cuts, check_damage):
    pack = {"raw": bytes, "gzip": gzip.compress, "bzip2": bz2.compress}[encoding]
    raw = header(encoding=encoding) + pack(VALUES.tobytes())
    assert check_cuts(read, raw) >= 44
    check_damage(read, raw)
