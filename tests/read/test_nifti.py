import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from nibabel.affines import from_matvec

from medclf.errors import ReadError
from medclf.read.nifti import read_nifti

RNG = np.random.default_rng(0)
VALUES = RNG.integers(-500, 500, (7, 6, 5)).astype(np.int16)
AFFINE = np.array([[-2.0, 0, 0, 10], [0, 0, 3, 20], [0, 1.5, 0, 30], [0, 0, 0, 1]])
WHEEL = Path(nibabel.__file__).parent / "tests" / "data"


def write(values, affine=AFFINE, kind=nibabel.Nifti1Image, **header):
    raw = kind(values, affine).to_bytes()
    size = kind.header_class.sizeof_hdr
    written = kind.header_class(raw[:size])
    for key, value in header.items():
        written[key] = value
    return written.binaryblock + raw[size:]


def check_against_simpleitk(path):
    image = read_nifti(path.read_bytes(), path.name)
    truth = SimpleITK.ReadImage(path)
    values = SimpleITK.GetArrayFromImage(truth)
    np.testing.assert_allclose(image.values[0], values, rtol=1e-6, atol=1e-4)
    grid = image.grid
    assert grid.spacing_mm == pytest.approx(truth.GetSpacing()[::-1], rel=1e-5)
    assert grid.origin_mm == pytest.approx(truth.GetOrigin()[::-1], abs=1e-3)
    columns = np.array(truth.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(grid.axes, columns.T[::-1, ::-1], atol=1e-5)
    corner = [n - 1 for n in truth.GetSize()]
    offset = (np.array(corner[::-1]) * grid.spacing_mm) @ grid.axes
    reached = np.array(grid.origin_mm) + offset
    assert reached == pytest.approx(truth.TransformIndexToPhysicalPoint(corner)[::-1], abs=0.01)


@pytest.mark.parametrize("folder", ["volumes", "ixi10/nifti"])
def test_real_volumes_as_simpleitk_reads_them(real_data, folder):
    paths = sorted((real_data / folder).glob("*.nii.gz"))
    assert len(paths) >= 7
    for path in paths:
        check_against_simpleitk(path)


@pytest.mark.parametrize("name", ["anatomical.nii", "standard.nii.gz"])
def test_volumes_of_nibabels_wheel(name):
    path = WHEEL / name
    image = read_nifti(path.read_bytes(), name)
    truth = nibabel.load(path).get_fdata()
    np.testing.assert_allclose(image.values[0], truth.T, rtol=1e-6)


def test_four_axes_are_channels():
    path = WHEEL / "example4d.nii.gz"
    image = read_nifti(path.read_bytes(), "x")
    truth = nibabel.load(path)
    np.testing.assert_allclose(image.values, truth.get_fdata().transpose(3, 2, 1, 0), rtol=1e-6)
    assert image.grid.spacing_mm == pytest.approx(truth.header.get_zooms()[2::-1])


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


def test_an_oblique_place_as_simpleitk_reads_it(tmp_path):
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    affine = from_matvec(turn * [0.7, 1.1, 2.5], [-12, 34, 56])
    image = nibabel.Nifti1Image(VALUES, affine)
    image.set_qform(affine, 1)
    (tmp_path / "oblique.nii").write_bytes(image.to_bytes())
    check_against_simpleitk(tmp_path / "oblique.nii")


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
        (write(np.zeros((4, 4, 4, 2, 2), np.int16)), "volumes along one axis wanted"),
        (write(VALUES).replace(b"n+1\0", b"ni1\0"), r"pixels stand in an \.img file"),
        (write(VALUES, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]), "pixels; at most"),
        (write(VALUES, dim=[3, 0, 6, 5, 1, 1, 1, 1]), "without pixels"),
        (write(VALUES, srow_x=[0, 0, 0, 0]), "flat"),
        (write(VALUES, srow_x=[np.nan, 0, 0, 0]), "not a number"),
    ],
)
def test_what_cannot_be_read_is_said(raw, message):
    with pytest.raises(ReadError, match=message):
        read_nifti(raw, "a.nii")


def test_the_analyze_headers_of_the_wheel_are_refused():
    for name in ("nifti1.hdr", "nifti2.hdr"):
        with pytest.raises(ReadError):
            read_nifti((WHEEL / name).read_bytes(), name)
