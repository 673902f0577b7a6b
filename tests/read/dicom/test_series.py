"""A series to a volume, held against SimpleITK and against arrays of known truth."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom.data import get_testdata_file

from medclf.core.record import Source
from medclf.curate.phantom.hard.case import save
from medclf.curate.phantom.hard.scene import Field, Slab, leaning, turned
from medclf.curate.phantom.hard.slices import make_slices, make_stack, store
from medclf.errors import ReadError
from medclf.read.dicom.find import find_series
from medclf.read.dicom.series import read_series
from medclf.read.image import read_image

SCENE = Field()


def read_folder(folder):
    (series,) = find_series(folder).series
    return read_image(series.source)


def itk(folder):
    """Values and, in our order of axes, origin, spacing and directions."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    volume = reader.Execute()
    axes = np.array(volume.GetDirection()).reshape(3, 3).T[::-1, ::-1]
    place = volume.GetOrigin()[::-1], volume.GetSpacing()[::-1], axes
    return SimpleITK.GetArrayFromImage(volume), *place


def check_with_itk(folder, tolerance=0.0):
    image = read_folder(folder)
    values, origin, spacing, axes = itk(folder)
    np.testing.assert_allclose(image.values[0], values, atol=tolerance)
    np.testing.assert_allclose(image.grid.origin_mm, origin, atol=1e-4)
    np.testing.assert_allclose(image.grid.spacing_mm, spacing, rtol=1e-5)
    np.testing.assert_allclose(image.grid.axes, axes, atol=1e-5)
    return image


@pytest.mark.parametrize("degrees", [(0, 0, 0), (25, 0, 0), (10, -35, 20), (90, 0, 0), (0, 90, 5)])
@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_voxels_and_affine_as_simpleitk(degrees, modality, tmp_path):
    slab = Slab(axes=turned(*degrees))
    save(make_stack(SCENE, slab, modality), tmp_path, np.random.default_rng(1))
    image = check_with_itk(tmp_path)
    assert (image.modality, image.values.shape) == (modality, (1, 9, 20, 24))
    assert image.remarks == ()


VOLUMES = ["CT_AVM", "MR_Gd", "CT_pitch"]


@pytest.mark.parametrize("name", VOLUMES)
def test_real_volumes_as_simpleitk(name, real_data, tmp_path):
    volume = SimpleITK.ReadImage(str(real_data / "volumes" / f"{name}.nii.gz"))
    values = SimpleITK.GetArrayFromImage(volume)
    values = np.rint(values[:: max(1, len(values) // 12), ::3, ::3].astype(float))
    slab = Slab(values.shape, axes=turned(5, 10, -15))
    slices = make_stack(SCENE, slab)
    for plane, dataset in zip(values, slices, strict=True):
        store(dataset, plane, "<i2")
    save(slices, tmp_path, np.random.default_rng(0))
    image = check_with_itk(tmp_path)
    np.testing.assert_array_equal(image.values[0], values)


def test_series_of_pydicom_as_simpleitk():
    folder = Path(get_testdata_file("DICOMDIR", download=False)).parent
    image = check_with_itk(folder / "98892001" / "CT5N")
    assert (image.values.shape[1], image.unit) == (5, "HU")


def test_parts_in_any_order_are_one_image(tmp_path):
    paths = save(make_stack(SCENE, Slab()), tmp_path, np.random.default_rng(0))
    images = [
        read_series(Source(tmp_path, "s", parts=tuple(map(Source, some))))
        for some in (paths, paths[::-1])
    ]
    np.testing.assert_array_equal(images[0].values, images[1].values)
    assert images[0].grid.origin_mm == images[1].grid.origin_mm == Slab().origin_mm


def test_each_slice_has_its_own_rescale(tmp_path):
    slices = make_stack(SCENE, Slab(), "PT")
    for number, dataset in enumerate(slices):
        dataset.RescaleSlope, dataset.RescaleIntercept = 0.1 * (number + 1), 0
        store(dataset, SCENE.at(Slab().places(Slab().corner(number))))
    save(slices, tmp_path, np.random.default_rng(0))
    check_with_itk(tmp_path, tolerance=1e-3)


def test_a_tilted_stack_shows_the_scene_where_it_lies(tmp_path):
    slab = Slab(axes=leaning(15))
    save(make_stack(SCENE, slab), tmp_path, np.random.default_rng(0))
    image = read_folder(tmp_path)
    (remark,) = image.remarks
    assert (remark.kind, "15.0°" in remark.message) == ("tilt", True)
    grid = image.grid
    np.testing.assert_allclose(grid.axes @ grid.axes.T, np.eye(3), atol=1e-9)
    assert grid.spacing_mm[0] == pytest.approx(2.5 * np.cos(np.radians(15)))
    assert image.values.shape[2] > slab.shape[1]
    index = np.moveaxis(np.indices(image.values.shape[1:]), 0, -1)
    truth = SCENE.at(np.array(grid.origin_mm) + index * grid.spacing_mm @ grid.axes)
    scanned = image.values[0] > image.values.min()
    np.testing.assert_allclose(image.values[0][scanned], truth[scanned], atol=1.01)


def test_refusals_name_what_and_where(tmp_path):
    first = make_stack(SCENE, Slab())
    second = make_stack(SCENE, Slab(), first=20, SeriesInstanceUID="1.2.3.77")
    paths = save([*first, *second], tmp_path, np.random.default_rng(0))
    source = Source(tmp_path, "both", parts=tuple(map(Source, paths)))
    with pytest.raises(ReadError, match=r"both: one image wanted, found 2: .*1\.2\.3\.77 \(9\)"):
        read_series(source)


def test_a_gap_names_the_slice_below_it(tmp_path):
    slices = make_stack(SCENE, Slab())
    paths = save(slices[:4] + slices[5:], tmp_path, np.random.default_rng(0))
    with pytest.raises(ReadError, match=rf"5 mm where 2.5 mm are usual.*{paths[3].name}"):
        read_folder(tmp_path)


def test_slices_with_other_units_are_refused(tmp_path):
    slices = make_stack(SCENE, Slab())
    slices[3].RescaleType = "OTHER"
    save(slices, tmp_path, np.random.default_rng(0))
    with pytest.raises(ReadError, match="unit"):
        read_folder(tmp_path)


def test_whole_numbers_without_rescale_stay_so(tmp_path):
    save(make_stack(SCENE, Slab(), "MR"), tmp_path, np.random.default_rng(0))
    assert read_folder(tmp_path).values.dtype == np.uint16


def test_a_single_slice_is_a_picture(tmp_path):
    slab = Slab(shape=(1, 20, 24))
    save(make_slices(SCENE, slab, [slab.corner(0)]), tmp_path, np.random.default_rng(0))
    image = read_folder(tmp_path)
    assert (image.values.shape, len(image.grid.spacing_mm)) == ((1, 20, 24), 2)
