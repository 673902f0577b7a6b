import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.image import read_image
from medclf.read.metaimage import read_metaimage

RNG = np.random.default_rng(0)
VALUES = RNG.integers(-500, 500, (4, 5, 6)).astype(np.int16)
TYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]

TAGS = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "ElementSpacing": "0.5 0.7 2",
    "Offset": "1 2 3",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "DimSize": "6 5 4",
    "ElementType": "MET_SHORT",
}


def header(data="LOCAL", **tags):
    """Write tags, one a line; those given as None are left out."""
    tags = {**TAGS, **tags, "ElementDataFile": data}
    return "".join(f"{key} = {value}\n" for key, value in tags.items() if value).encode()


def local(values=VALUES, **tags):
    return header(**tags) + values.tobytes()


def read(raw, name="a.mha"):
    return read_metaimage(raw, Source(Path(name)))


def volume(values, several=False):
    """Place values obliquely in SimpleITK."""
    made = SimpleITK.GetImageFromArray(values, isVector=several)
    made.SetSpacing((0.5, 0.7, 2.5))
    made.SetOrigin((-3, 4, 5))
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    made.SetDirection(tuple((turn * np.sign(np.linalg.det(turn))).ravel()))
    return made


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_that_simpleitk_writes(tmp_path, dtype, as_simpleitk):
    made = volume((RNG.random((4, 5, 6)) * 100).astype(dtype))
    for name in ("a.mha", "a.mhd"):
        for packed in (False, True):
            SimpleITK.WriteImage(made, tmp_path / name, packed)
            image = read_image(Source(tmp_path / name))
            as_simpleitk(image, tmp_path / name)
            assert image.values.dtype == ("f4" if dtype == "f8" else dtype)


def test_channels_and_one_slice(tmp_path, as_simpleitk):
    SimpleITK.WriteImage(volume(RNG.random((4, 5, 6, 3)).astype("f4"), True), tmp_path / "a.mha")
    image = read_image(Source(tmp_path / "a.mha"))
    as_simpleitk(image, tmp_path / "a.mha")
    assert (image.channels, image.space) == (3, (4, 5, 6))
    flat = read(local(VALUES[:1], DimSize="6 5 1"))
    np.testing.assert_array_equal(flat.values, VALUES[:1])
    assert flat.grid.spacing_mm == (0.7, 0.5)
    assert flat.grid.axes.tolist() == [[0, 1, 0], [0, 0, 1]]
    plane = SimpleITK.GetImageFromArray(VALUES[0])
    plane.SetSpacing((0.5, 0.7))
    SimpleITK.WriteImage(plane, tmp_path / "b.mhd")
    image = read_image(Source(tmp_path / "b.mhd"))
    np.testing.assert_array_equal(image.values, VALUES[:1])
    assert (image.grid.spacing_mm, image.grid.axes) == ((0.7, 0.5), None)


def test_real_volumes_come_back(real_data, tmp_path, as_simpleitk):
    for path in sorted((real_data / "volumes").glob("*.nii.gz"))[1:3]:
        SimpleITK.WriteImage(SimpleITK.ReadImage(path), tmp_path / "a.mha", True)
        as_simpleitk(read_image(Source(tmp_path / "a.mha")), tmp_path / "a.mha")


def test_the_fourth_axis_is_time():
    four = RNG.integers(0, 99, (3, 4, 5, 6)).astype(np.int16)
    matrix = " ".join(str(int(n)) for n in np.eye(4).ravel())
    tags = {"NDims": "4", "DimSize": "6 5 4 3", "ElementSpacing": "0.5 0.7 2 1"}
    image = read(local(four, **tags, Offset="1 2 3 0", TransformMatrix=matrix))
    assert image.phases == ("1", "2", "3")
    np.testing.assert_array_equal(image.values[:, 0], four)
    assert (image.grid.spacing_mm, image.grid.origin_mm) == ((2, 0.7, 0.5), (3, 2, 1))
    mixed = matrix.replace("1 0 0 0 0 1", "1 0 0 1 0 1", 1)
    with pytest.raises(ReadError, match="time apart from space wanted"):
        read(local(four, **tags, Offset="1 2 3 0", TransformMatrix=mixed))


def test_byte_order_text_and_scale():
    big = read(local(VALUES.astype(">i2"), BinaryDataByteOrderMSB="True"))
    np.testing.assert_array_equal(big.values[0], VALUES)
    text = " ".join(map(str, VALUES.ravel())).encode()
    told = read(header(BinaryData="False") + text)
    np.testing.assert_array_equal(told.values[0], VALUES)
    scaled = local(ElementToIntensityFunctionSlope="2", ElementToIntensityFunctionOffset="-3")
    np.testing.assert_array_equal(read(scaled).values[0], VALUES * np.float32(2) - 3)
    wide = read(local(VALUES.astype("i4"), ElementType="MET_LONG", Modality="MET_MOD_CT"))
    assert (wide.values.dtype, wide.modality) == (np.int32, "CT")


@pytest.mark.parametrize(
    ("letters", "axes"),
    [
        ("RAI", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
        ("LPS", [[-1, 0, 0], [0, -1, 0], [0, 0, -1]]),
        ("ASL", [[0, 0, -1], [-1, 0, 0], [0, 1, 0]]),
        ("???", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    ],
)
def test_letters_tell_the_side_an_axis_comes_from(letters, axes):
    image = read(local(TransformMatrix=None, AnatomicalOrientation=letters))
    assert image.grid.axes.tolist() == axes
    kept = read(local(AnatomicalOrientation=letters))
    assert kept.grid.axes.tolist() == np.eye(3).tolist()  # The matrix goes before.


def test_letters_are_those_that_itk_writes(tmp_path):
    """ITK derives them from the matrix; without the matrix they must tell the same axes."""
    made = SimpleITK.GetImageFromArray(VALUES)
    made.SetDirection((0, -1, 0, 0, 0, 1, -1, 0, 0))
    SimpleITK.WriteImage(made, tmp_path / "a.mha")
    raw = (tmp_path / "a.mha").read_bytes()
    lines = [line for line in raw.split(b"\n") if not line.startswith(b"TransformMatrix")]
    np.testing.assert_array_equal(read(b"\n".join(lines)).grid.axes, read(raw).grid.axes)


def test_what_is_not_stated_is_not_guessed():
    bare = {"Offset": None, "TransformMatrix": None}
    grid = read(local(**bare)).grid
    assert (grid.spacing_mm, grid.origin_mm, grid.axes) == ((2, 0.7, 0.5), None, None)
    sized = read(local(**bare, ElementSpacing=None, ElementSize="1 2 3")).grid
    assert sized.spacing_mm == (3, 2, 1)
    assert read(local(**bare, ElementSpacing=None)).grid.spacing_mm is None
    assert read(local(Offset=None, Position="7 8 9")).grid.origin_mm == (9, 8, 7)
    moved = read(local(DistanceUnits="cm")).grid
    assert (moved.spacing_mm, moved.origin_mm) == ((20, 7, 5), (30, 20, 10))


def test_data_in_files_beside(tmp_path):
    packed = zlib.compress(VALUES.tobytes())
    (tmp_path / "whole.raw").write_bytes(b"junk" + VALUES.tobytes())
    (tmp_path / "whole.zraw").write_bytes(packed)
    for number, plane in enumerate(VALUES):
        (tmp_path / f"s{number + 8:02d}.raw").write_bytes(plane.tobytes())
    files = "\n".join(f"s{number:02d}.raw" for number in range(8, 12)).encode()
    for text in (
        header("whole.raw", HeaderSize="4"),
        header("whole.raw", HeaderSize="-1"),
        header("whole.zraw", CompressedData="True"),
        header("s%02d.raw 8 11 1"),
        header("LIST") + files,
    ):
        (tmp_path / "a.mhd").write_bytes(text)
        np.testing.assert_array_equal(read_image(Source(tmp_path / "a.mhd")).values[0], VALUES)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("deep/a.mhd", header("in/whole.zraw", CompressedData="True"))
        archive.writestr("deep/in/whole.zraw", packed)
        archive.writestr("whole.zraw", b"another")
    image = read_image(Source(tmp_path / "a.zip", "deep/a.mhd"))
    np.testing.assert_array_equal(image.values[0], VALUES)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(tmp_path / "a.zip", "in.zip")
    nested = read_image(Source(tmp_path / "b.zip", "in.zip!deep/a.mhd"))
    np.testing.assert_array_equal(nested.values[0], VALUES)


@pytest.mark.parametrize(
    "name", ["../b.raw", "/etc/hostname", "C:\\b.raw", "in/../../b.raw", "~/b"]
)
def test_data_outside_the_folder_are_refused(tmp_path, name):
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "b.raw").write_bytes(VALUES.tobytes())
    (inside / "a.mhd").write_bytes(header(name))
    with pytest.raises(ReadError, match=r"a\.mhd: refused, since its data .* outside its folder"):
        read_image(Source(inside / "a.mhd"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/a.mhd", header(name))
        archive.writestr("b.raw", VALUES.tobytes())
    with pytest.raises(ReadError, match="refused, since its data"):
        read_image(Source(tmp_path / "a.zip", "in/a.mhd"))


def test_links_out_of_the_folder_are_refused(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "b.raw").write_bytes(VALUES.tobytes())
    (inside / "b.raw").symlink_to(tmp_path / "b.raw")
    (inside / "up").symlink_to(tmp_path)
    for name in ("b.raw", "up/b.raw"):
        (inside / "a.mhd").write_bytes(header(name))
        with pytest.raises(ReadError, match="lead out of its folder"):
            read_image(Source(inside / "a.mhd"))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"ObjectType = Image\nNDims = 3\n", "the tag ElementDataFile wanted"),
        (local()[:-1], "cut short: 240 bytes of pixels wanted, found 239"),
        (local() + b"\0", "header and data differ: 240 bytes of pixels wanted, found 241"),
        (local(DimSize="6 5"), "3 numbers wanted in DimSize, found 6 5"),
        (local(DimSize="6 5 x"), "3 numbers wanted in DimSize"),
        (local(DimSize="6 5 0"), "without pixels"),
        (local(DimSize="6 5 2.5"), "whole numbers wanted in DimSize"),
        (local(DimSize="nan 5 4"), "whole numbers wanted in DimSize"),
        (local(DimSize="99999 99999 99999"), "at most"),
        (local(DimSize=None), "the tag DimSize wanted"),
        (local(NDims="5"), "an Image of 2 to 4 axes wanted"),
        (local(NDims="x"), "1 numbers wanted in NDims, found x"),
        (local(ObjectType="Tube"), "an Image of 2 to 4 axes wanted, found Tube of 3"),
        (local(ElementType="MET_STRING"), "a type of MET_CHAR, .* wanted, found MET_STRING"),
        (local(ElementType=None), "the tag ElementType wanted"),
        (local(ElementSpacing="1 0 1"), "spacing above 0"),
        (local(ElementSpacing="1 -2 1"), "spacing above 0"),
        (local(ElementSpacing="1 nan 1"), "spacing above 0"),
        (local(DistanceUnits="inch"), "spacing above 0 in um, mm or cm wanted"),
        (local(TransformMatrix="1 0 0 0 1 0 0 0 2"), "directions of length 1 wanted"),
        (local(TransformMatrix="1 0 0 1 0 0 0 0 1"), "flat"),
        (local(Offset="1 2 inf"), "not a number"),
        (local(TransformMatrix=None, AnatomicalOrientation="RRI"), "as RAI wanted, found RRI"),
        (header(CompressedData="True") + b"no zlib", "damaged zlib data"),
        (header(CompressedData="True") + zlib.compress(bytes(10**6)), "unpacks to more than 240"),
        (header(BinaryData="False") + b"1 2 x", "numbers wanted, found others"),
        (header(BinaryData="False") + b"1 2 99999", "numbers of int16 wanted, found 1, 99999"),
        (header("none.raw"), "its data are not there: none.raw"),
        (header("s%02d.raw 1 3 1"), "4 files of data wanted, one per slice, found 3"),
        (header("s%02d.raw 1 999999999 1"), "4 files of data wanted, one per slice, found 5"),
    ],
)
def test_what_cannot_be_read_is_said(raw, message):
    with pytest.raises(ReadError, match=rf"^a\.mha: .*{message}"):
        read(raw)


@pytest.mark.parametrize("packed", [False, True])
def test_cut_or_damaged(packed, check_cuts, check_damage):
    data = zlib.compress(VALUES.tobytes()) if packed else VALUES.tobytes()
    raw = header(CompressedData=str(packed)) + data
    assert check_cuts(read, raw) >= 44
    check_damage(read, raw)
