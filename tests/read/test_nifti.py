import gzip
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from nibabel.affines import from_matvec

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.image import read_image
from medclf.read.nifti import read_nifti as read_source

RNG = np.random.default_rng(0)
VALUES = RNG.integers(-500, 500, (7, 6, 5)).astype(np.int16)
AFFINE = np.array([[-2.0, 0, 0, 10], [0, 0, 3, 20], [0, 1.5, 0, 30], [0, 0, 0, 1]])
WHEEL = Path(nibabel.__file__).parent / "tests" / "data"


def read_nifti(raw, where):
    return read_source(raw, Source(Path(where)))


def check_against_nibabel(image, path):
    """Voxels as nibabel scales them, and every corner where its affine puts it."""
    truth = nibabel.load(path)
    values = image.values if image.phases else image.values[None]
    wanted = np.asanyarray(truth.dataobj)
    wanted = wanted if wanted.ndim == 4 else wanted[..., None]
    same = values.dtype == wanted.dtype and np.array_equal(values[:, 0], wanted.T)
    assert same or np.allclose(values[:, 0], wanted.T, rtol=1e-6, atol=1e-6, equal_nan=True)
    grid, ends = image.grid, np.array(wanted.shape[:3]) - 1
    for corner in np.ndindex(2, 2, 2):
        x, y, z = truth.affine[:3, :3] @ (corner * ends) + truth.affine[:3, 3]
        steps = (corner * ends)[::-1] * grid.spacing_mm
        assert steps @ grid.axes + grid.origin_mm == pytest.approx((z, -y, -x), abs=1e-3)


def write(values, affine=AFFINE, kind=nibabel.Nifti1Image, **header):
    raw = kind(values, affine).to_bytes()
    size = kind.header_class.sizeof_hdr
    written = kind.header_class(raw[:size])
    for key, value in header.items():
        written[key] = value
    return written.binaryblock + raw[size:]


@pytest.mark.parametrize("folder", ["volumes", "ixi10/nifti"])
def test_real_volumes_as_simpleitk_and_nibabel_read_them(real_data, folder, as_simpleitk):
    paths = sorted((real_data / folder).glob("*.nii.gz"))
    assert len(paths) >= 7
    for path in paths if folder == "volumes" else paths[::4]:
        image = read_source(path.read_bytes(), Source(path))
        as_simpleitk(image, path)
        check_against_nibabel(image, path)


@pytest.mark.parametrize(
    "name",
    [
        *("anatomical.nii", "standard.nii.gz", "example4d.nii.gz", "example_nifti2.nii.gz"),
        *("functional.nii", "reoriented_anat_moved.nii", "resampled_anat_moved.nii"),
    ],
)
def test_volumes_of_nibabels_wheel(name):
    path = WHEEL / name
    check_against_nibabel(read_source(path.read_bytes(), Source(path)), path)


def test_moments_are_phases_named_by_their_time():
    path = WHEEL / "example4d.nii.gz"
    image = read_nifti(path.read_bytes(), "x")
    assert image.phases == ("0 s", "2000 s")  # The header says seconds, and means milliseconds.
    assert image.values.shape == (2, 1, 24, 96, 128)
    assert image.grid.spacing_mm == pytest.approx((2.2, 2, 2))
    four = RNG.normal(size=(3, 4, 5, 3)).astype(np.float32)
    for units, step, phases in [
        (16 + 2, 1.5, ("0 ms", "1.5 ms", "3 ms")),
        (2, 1.5, ("1", "2", "3")),
        (8 + 2, 0, ("1", "2", "3")),
    ]:
        image = read_nifti(write(four, xyzt_units=units, pixdim=[1, 2, 2, 2, step, 1, 1, 1]), "x")
        assert image.phases == phases
        np.testing.assert_array_equal(image.values[:, 0], four.T)


@pytest.mark.parametrize(("units", "intent"), [(2 + 32, 0), (2 + 40, 0), (10, 1007), (10, 2003)])
def test_a_fourth_axis_that_is_not_time_is_channels(units, intent):
    four = RNG.integers(0, 9, (3, 4, 5, 3)).astype(np.int16)
    image = read_nifti(write(four, xyzt_units=units, intent_code=intent), "x")
    assert image.phases == ()
    np.testing.assert_array_equal(image.values, four.T)


def test_vectors_and_moments_stand_apart():
    five = RNG.integers(0, 99, (3, 4, 5, 2, 3)).astype(np.int16)
    image = read_nifti(write(five), "x")
    assert (len(image.phases), image.channels, image.space) == (2, 3, (5, 4, 3))
    np.testing.assert_array_equal(image.values[1, 2, 4, 3, 1], five[1, 3, 4, 1, 2])
    np.testing.assert_array_equal(image.values, five.transpose(3, 4, 2, 1, 0))
    vector = five[:, :, :, :1]
    image = read_nifti(write(vector, intent_code=1007), "x")
    assert image.phases == ()
    np.testing.assert_array_equal(image.values, vector[:, :, :, 0].transpose(3, 2, 1, 0))


def test_a_vector_image_as_simpleitk_writes_and_reads_it(tmp_path, as_simpleitk):
    vector = SimpleITK.GetImageFromArray(RNG.normal(size=(4, 5, 6, 3)), isVector=True)
    SimpleITK.WriteImage(vector, tmp_path / "vector.nii.gz")
    path = tmp_path / "vector.nii.gz"
    as_simpleitk(read_source(path.read_bytes(), Source(path)), path)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_every_type_that_simpleitk_writes(tmp_path, dtype, as_simpleitk):
    volume = SimpleITK.GetImageFromArray((RNG.random((4, 5, 6)) * 100).astype(dtype))
    volume.SetSpacing((0.5, 0.7, 2.5))
    volume.SetOrigin((-3, 4, 5))
    volume.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
    for name in ("a.nii", "a.nii.gz", "a.hdr", "b.img.gz"):
        path = tmp_path / name
        SimpleITK.WriteImage(volume, path)
        header = path.with_name(name.replace(".img.gz", ".hdr.gz"))
        image = read_image(Source(header))
        as_simpleitk(image, path)
        assert image.values.dtype == ("f4" if dtype == "f8" else dtype)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Pair, nibabel.Nifti2Pair])
def test_a_pair_of_header_and_pixels(tmp_path, kind):
    nibabel.save(kind(VALUES, AFFINE), tmp_path / "scan.hdr")
    image = read_image(Source(tmp_path / "scan.hdr"))
    check_against_nibabel(image, tmp_path / "scan.hdr")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("scan.hdr", "scan.img"):
            archive.write(tmp_path / name, f"deep/{name}")
    packed = read_image(Source(tmp_path / "a.zip", "deep/scan.hdr"))
    np.testing.assert_array_equal(packed.values, image.values)
    pixels = tmp_path / "scan.img"
    whole = pixels.read_bytes()
    pixels.write_bytes(gzip.compress(whole))
    np.testing.assert_array_equal(read_image(Source(tmp_path / "scan.hdr")).values, image.values)
    for hurt, message in [(whole[:-1], "cut short"), (whole + b"\0", "header and data differ")]:
        pixels.write_bytes(hurt)
        with pytest.raises(ReadError, match=rf"scan\.hdr: {message}: 420 bytes"):
            read_image(Source(tmp_path / "scan.hdr"))
    with pytest.raises(ReadError, match=r"scan\.img: pixels without a header: name the header"):
        read_image(Source(pixels))
    pixels.unlink()
    with pytest.raises(ReadError, match=r"scan\.hdr: a header alone: scan\.img or scan\.img\.gz"):
        read_image(Source(tmp_path / "scan.hdr"))


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_whole_numbers_keep_type_and_order_of_the_file(kind):
    image = read_nifti(write(VALUES, kind=kind), "x")
    np.testing.assert_array_equal(image.values[0], VALUES.T)
    assert (image.values.dtype, image.bits) == (np.int16, 16)


def test_place_by_hand():
    grid = read_nifti(write(VALUES), "x").grid
    assert grid.spacing_mm == (3, 1.5, 2)
    assert grid.origin_mm == (30, -20, -10)  # RAS (10, 20, 30) is LPS (-10, -20, 30).
    # k runs to the front, j upwards, i from right to left; LPS as (z, y, x).
    assert grid.axes.tolist() == [[0, -1, 0], [1, 0, 0], [0, 0, 1]]


def test_an_oblique_place_as_simpleitk_reads_it(tmp_path, as_simpleitk):
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    affine = from_matvec(turn * [0.7, 1.1, 2.5], [-12, 34, 56])
    image = nibabel.Nifti1Image(VALUES, affine)
    image.set_qform(affine, 1)
    path = tmp_path / "oblique.nii"
    path.write_bytes(image.to_bytes())
    read = read_source(path.read_bytes(), Source(path))
    as_simpleitk(read, path)
    check_against_nibabel(read, path)


def test_sform_goes_before_qform_and_the_difference_is_told(tmp_path):
    image = nibabel.Nifti1Image(VALUES, AFFINE)
    image.set_qform(AFFINE, 1)
    image.set_sform(AFFINE, 2)
    assert read_nifti(image.to_bytes(), "x").remarks == ()
    moved = AFFINE.copy()
    moved[2, 3] += 7
    image.set_sform(moved, 2)
    read = read_nifti(image.to_bytes(), "x")
    assert read.grid.origin_mm == (37, -20, -10)
    (remark,) = read.remarks
    assert remark.grave
    assert remark.message == "sform and qform place a corner 7 mm apart; sform was taken"
    image.set_sform(moved, 0)
    assert read_nifti(image.to_bytes(), "x").grid.origin_mm == (30, -20, -10)


def test_a_quaternion_without_its_sign_is_taken_as_the_standard_says():
    image = nibabel.Nifti1Image(VALUES, None)
    image.set_qform(np.diag([2, 2, 2, 1]), 1)
    image.set_sform(None, 0)
    wanted = read_nifti(image.to_bytes(), "x").grid
    raw = bytearray(image.to_bytes())
    raw[76:80] = bytes(4)
    np.testing.assert_array_equal(read_nifti(bytes(raw), "x").grid.axes, wanted.axes)


def test_values_are_scaled():
    image = read_nifti(write(VALUES, scl_slope=2.5, scl_inter=-7), "x")
    assert image.values.dtype == np.float32
    np.testing.assert_allclose(image.values[0], VALUES.T * 2.5 - 7)


def test_big_endian_and_double():
    image = nibabel.Nifti1Image(VALUES.astype(np.float64), AFFINE)
    swapped = nibabel.Nifti1Image(
        VALUES.astype(np.float64), AFFINE, image.header.as_byteswapped(">")
    ).to_bytes()
    values = read_nifti(swapped, "x").values
    assert values.dtype == np.dtype(np.float32)
    assert values.dtype.isnative
    np.testing.assert_array_equal(values[0], VALUES.T)


def test_one_slice_is_a_picture():
    image = read_nifti(write(VALUES[:, :, :1]), "x")
    np.testing.assert_array_equal(image.values[0], VALUES[:, :, 0].T)
    assert image.grid.spacing_mm == (1.5, 2)
    assert image.grid.axes.shape == (2, 3)
    flat = read_nifti(write(VALUES[:, :, 0]), "x")
    np.testing.assert_array_equal(flat.values, image.values)
    assert flat.grid.spacing_mm == (1.5, 2)


def test_rgb_voxels():
    layers = RNG.integers(0, 256, (7, 6, 5, 3), np.uint8)
    voxels = layers.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    np.testing.assert_array_equal(read_nifti(write(voxels), "x").values, layers.T)


def test_alpha_is_left_out_where_it_hides_nothing():
    layers = RNG.integers(0, 256, (7, 6, 5, 4), np.uint8)
    layers[..., 3] = 255
    names = [("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")]
    image = read_nifti(write(layers.view(names)[..., 0]), "x")
    np.testing.assert_array_equal(image.values, layers[..., :3].T)
    layers[0, 0, 0, 3] = 254
    with pytest.raises(ReadError, match="x: partly transparent"):
        read_nifti(write(layers.view(names)[..., 0]), "x")


def test_a_place_that_is_not_stated_is_not_guessed():
    grid = read_nifti(write(VALUES, qform_code=0, sform_code=0), "x").grid
    assert grid.spacing_mm == (3, 1.5, 2)
    assert (grid.origin_mm, grid.axes) == (None, None)


@pytest.mark.parametrize(("unit", "factor"), [(1, 1000), (2, 1), (3, 0.001), (0, 1)])
def test_units_of_length(unit, factor):
    grid = read_nifti(write(VALUES, xyzt_units=unit), "x").grid
    assert grid.spacing_mm == pytest.approx((3 * factor, 1.5 * factor, 2 * factor))
    assert grid.origin_mm == pytest.approx((30 * factor, -20 * factor, -10 * factor))


@pytest.mark.parametrize("squeeze", [False, True])
def test_cut_or_damaged(squeeze, check_cuts, check_damage):
    raw = gzip.compress(write(VALUES)) if squeeze else write(VALUES)
    assert check_cuts(read_nifti, raw) >= 48
    check_damage(read_nifti, raw)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"nothing" * 100, r"a\.nii: a NIfTI header wanted"),
        (write(VALUES.astype(np.complex64)), "a kind that is not read: complex64"),
        (write(np.zeros((4, 4, 4, 1, 1, 2), np.int16)), "a kind that is not read"),
        (write(VALUES) + b"\0", "header and data differ: 420 bytes of pixels wanted, found 421"),
        (write(VALUES)[:-1], "cut short: 420 bytes of pixels wanted, found 419"),
        (write(VALUES, vox_offset=40), "pixels behind byte 348 wanted, found them at 40"),
        (write(VALUES, vox_offset=-1e30), "pixels behind"),
        (gzip.compress(write(VALUES) + bytes(10**7)), "header and data differ"),
        (write(VALUES, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]), "pixels; at most"),
        (write(VALUES, dim=[3, 0, 6, 5, 1, 1, 1, 1]), "without pixels"),
        (write(VALUES, srow_x=[0, 0, 0, 0]), "flat"),
        (write(VALUES, srow_x=[np.nan, 0, 0, 0]), "not a number"),
    ],
)
def test_what_cannot_be_read_is_said(raw, message):
    with pytest.raises(ReadError, match=message):
        read_nifti(raw, "a.nii")


@pytest.mark.parametrize("name", ["nifti1.hdr", "nifti2.hdr"])
def test_headers_of_the_wheel_lack_their_pixels(name):
    with pytest.raises(ReadError, match=rf"{name}: a header alone"):
        read_image(Source(WHEEL / name))
