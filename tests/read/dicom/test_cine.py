from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.data import get_testdata_file
from pydicom.pixels.utils import pixel_array

from medclf.errors import ReadError
from medclf.read.dicom.file import read_dicom

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 4, 5), np.uint8)
STEP, STEPS = 0x00181063, 0x00181065


def test_an_ultrasound_cine_of_pydicoms_package():
    path = Path(get_testdata_file("examples_ybr_color.dcm", download=False))
    image = read_dicom(path.read_bytes(), "x")
    assert image.values.shape == (30, 3, 240, 320)
    np.testing.assert_array_equal(image.values, pixel_array(path).transpose(0, 3, 1, 2))
    assert image.phases[:2] == ("0 ms", "33.33 ms")
    assert image.still().values.shape == (3, 30, 240, 320)


def test_steps_of_time_that_differ(make_dicom):
    stated = {"FrameTimeVector": [0, 40, 25.5], "FrameIncrementPointer": STEPS}
    image = read_dicom(make_dicom(FRAMES, PixelSpacing=[0.5, 0.25], **stated), "x")
    assert image.phases == ("0 ms", "40 ms", "65.5 ms")
    np.testing.assert_array_equal(image.values[:, 0], FRAMES)
    assert image.grid.spacing_mm == (0.5, 0.25)


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"FrameIncrementPointer": 0x00540080},
        {"FrameIncrementPointer": 0x00540080, "FrameTime": 9},
    ],
)
def test_frames_that_follow_something_else_are_slices(make_dicom, stated):
    image = read_dicom(make_dicom(FRAMES, **stated), "x")
    assert (image.values.shape, image.phases) == ((1, 3, 4, 5), ())


def test_too_few_times_are_refused(make_dicom):
    raw = make_dicom(FRAMES, FrameTimeVector=[0, 40], FrameIncrementPointer=STEPS)
    with pytest.raises(ReadError, match="FrameTimeVector wants 3 numbers, found"):
        read_dicom(raw, "x")


def region(**elements):
    item = Dataset()
    item.RegionSpatialFormat = 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX, item.PhysicalDeltaY = 0.02, -0.03
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


@pytest.mark.parametrize(
    ("regions", "spacing"),
    [
        ([region()], (0.3, 0.2)),
        ([region(), region()], (0.3, 0.2)),
        ([region(), region(PhysicalDeltaX=0.1)], None),
        ([region(), region(RegionSpatialFormat=3)], None),
        ([region(PhysicalUnitsXDirection=4)], None),
        ([], None),
    ],
)
def test_the_scale_of_ultrasound(make_dicom, regions, spacing):
    raw = make_dicom(FRAMES[0], SequenceOfUltrasoundRegions=Sequence(regions))
    found = read_dicom(raw, "x").grid.spacing_mm
    assert found == (None if spacing is None else pytest.approx(spacing))


def test_the_place_of_a_dose_as_simpleitk_reads_it():
    import SimpleITK

    path = Path(get_testdata_file("rtdose.dcm", download=False))
    grid, truth = read_dicom(path.read_bytes(), "x").grid, SimpleITK.ReadImage(path)
    assert grid.spacing_mm == pytest.approx(truth.GetSpacing()[::-1])
    assert grid.origin_mm == pytest.approx(truth.GetOrigin()[::-1])
    axes = np.array(truth.GetDirection()).reshape(3, 3).T[::-1, ::-1]
    np.testing.assert_allclose(grid.axes, axes, atol=1e-6)
