from itertools import product
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from medclf.core.grid import Grid
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import SettingError
from medclf.read.image import read_image
from medclf.read.write import PLACELESS, WRITERS, form_of, write_image

RNG = np.random.default_rng(0)
TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4"]
PLACED = [form for form in WRITERS if form not in PLACELESS]


def turn():
    turned = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    return turned * np.sign(np.linalg.det(turned))


def make(shape, dtype="i2", phases=(), place=True, spacing=True):
    values = (RNG.random(shape) * 100).astype(dtype)
    axes = len(shape) - 1 - bool(phases)
    grid = Grid((2.5, 0.7, 0.5)[3 - axes :] if spacing else None)
    if place:
        grid = Grid(grid.spacing_mm, (-10.0, 20.5, 30.25), turn()[3 - axes :])
    return Image(values, grid, phases=phases)


def come_back(image, form, folder):
    path = folder / f"scan{form}"
    raw, _ = write_image(image, form)
    path.write_bytes(raw)
    back = read_image(Source(path))
    np.testing.assert_array_equal(back.values, image.values)
    assert back.values.dtype == image.values.dtype
    assert len(back.phases) == len(image.phases)
    return back


def check_place(back, image):
    if image.grid.spacing_mm is None:
        assert back.grid.spacing_mm is None
        return
    assert back.grid.spacing_mm == pytest.approx(image.grid.spacing_mm, rel=1e-6)
    if image.grid.axes is None:
        assert (back.grid.axes, back.grid.origin_mm) == (None, None)
        return
    np.testing.assert_allclose(back.grid.axes, image.grid.axes, atol=1e-6)
    assert back.grid.origin_mm == pytest.approx(image.grid.origin_mm, rel=1e-6)


@pytest.mark.parametrize("form", PLACED)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_comes_back(tmp_path, form, dtype):
    image = make((1, 4, 5, 6), dtype)
    check_place(come_back(image, form, tmp_path), image)


@pytest.mark.parametrize("form", PLACED)
def test_every_shape_comes_back_with_its_place(tmp_path, form):
    phases = ("rest", "beat", "rest again")
    for channels, space, timed in product((1, 2, 3), ((5, 6), (4, 5, 6)), ((), phases)):
        shape = (*((3,) if timed else ()), channels, *space)
        for place, spacing in ((True, True), (False, True), (False, False)):
            image = make(shape, phases=timed, place=place, spacing=spacing)
            check_place(come_back(image, form, tmp_path), image)


@pytest.mark.parametrize("form", PLACED)
def test_other_programs_read_what_is_written(tmp_path, form, as_simpleitk):
    for image in (make((1, 4, 5, 6)), make((3, 4, 5, 6), "f4")):
        back = come_back(image, form, tmp_path)
        as_simpleitk(back, tmp_path / f"scan{form}")
    if form.startswith(".nii"):
        image = make((1, 4, 5, 6))
        come_back(image, form, tmp_path)
        truth = nibabel.load(tmp_path / f"scan{form}")
        np.testing.assert_array_equal(np.asanyarray(truth.dataobj), image.values[0].T)
        x, y, z = truth.affine[:3, 3]
        assert (z, -y, -x) == pytest.approx(image.grid.origin_mm)


@pytest.mark.parametrize("form", PLACED)
def test_real_volumes_come_back(tmp_path, real_data, form):
    for name in ("CT_pitch", "chris_PD"):
        image = read_image(Source(real_data / "volumes" / f"{name}.nii.gz"))
        check_place(come_back(image, form, tmp_path), image)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((1, 5, 6), "i2"), ((1, 5, 3), "u1"), ((3, 5, 6), "u1"), ((1, 4, 5, 6), "f4"),
     ((2, 4, 5, 6), "u2"),
     ((3, 4, 5, 6), "u1")],
)  # fmt: skip
def test_arrays_come_back(tmp_path, shape, dtype):
    image = make(shape, dtype)
    come_back(image, ".npy", tmp_path)
    assert write_image(image, ".npy")[1] == ("spacing and place",)


@pytest.mark.parametrize(("channels", "dtype"), [(1, "u1"), (3, "u1"), (1, "u2"), (3, "u2")])
def test_pictures_come_back(tmp_path, channels, dtype):
    come_back(make((channels, 5, 6), dtype, place=False, spacing=False), ".png", tmp_path)
    truth = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(tmp_path / "scan.png"))
    back = read_image(Source(tmp_path / "scan.png")).values
    np.testing.assert_array_equal(back, np.moveaxis(truth, -1, 0) if channels > 1 else truth[None])


@pytest.mark.parametrize(
    ("form", "shape", "dtype", "phases"),
    [
        (".png", (1, 4, 5, 6), "u1", ()),
        (".png", (1, 5, 6), "i2", ()),
        (".png", (2, 5, 6), "u1", ()),
        (".npy", (2, 1, 5, 6), "u1", ("a", "b")),
        (".npy", (2, 5, 6), "u1", ()),
        (".npy", (1, 4, 5, 3), "u1", ()),
    ],
)
def test_what_a_form_does_not_hold_is_refused(form, shape, dtype, phases):
    with pytest.raises(SettingError, match=rf"\{form} holds no image of .*: use .nii.gz"):
        write_image(make(shape, dtype, phases), form)


def test_what_is_lost_is_told():
    image = make((2, 1, 4, 5, 6), phases=("0 %", "50 %"))
    assert write_image(image, ".nii.gz")[1] == ("names of the phases",)
    assert write_image(make((1, 4, 5, 6)), ".mha")[1] == ()
    assert form_of(Path("a.NII.GZ")) == ".nii.gz"
    with pytest.raises(SettingError, match=r"a\.dcm: a name that ends in \.nii\.gz, "):
        form_of(Path("a.dcm"))


def test_what_is_written_twice_is_the_same():
    image = make((1, 4, 5, 6))
    assert all(write_image(image, form) == write_image(image, form) for form in PLACED)
