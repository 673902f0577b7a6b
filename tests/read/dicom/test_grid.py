from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset, Sequence
from pydicom.data import get_testdata_file

from medclf.errors import ReadError
from medclf.read.dicom.file import read_dicom

PICTURE = np.zeros((4, 5), np.uint8)
VOLUME = np.zeros((3, 4, 5), np.uint8)
UPRIGHT = [1, 0, 0, 0, 1, 0]


def item(**elements):
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def enhanced(places, turn=UPRIGHT, spacing=(0.5, 0.25)):
    """Make the functional groups of an enhanced file."""
    shared = item(
        PixelMeasuresSequence=Sequence([item(PixelSpacing=list(spacing), SliceThickness=9)]),
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=turn)]),
    )
    frames = [
        item(PlanePositionSequence=Sequence([item(ImagePositionPatient=list(p))])) for p in places
    ]
    return {
        "SharedFunctionalGroupsSequence": Sequence([shared]),
        "PerFrameFunctionalGroupsSequence": Sequence(frames),
    }


@pytest.mark.parametrize("name", ["CT_small", "MR_small", "J2K_pixelrep_mismatch"])
def test_place_as_simpleitk_reads_it(name):
    path = Path(get_testdata_file(f"{name}.dcm", download=False))
    grid = read_dicom(path.read_bytes(), name).grid
    truth = SimpleITK.ReadImage(path)
    assert grid.spacing_mm == pytest.approx(truth.GetSpacing()[1::-1])
    assert grid.origin_mm == pytest.approx(truth.GetOrigin()[::-1])
    columns = np.array(truth.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(grid.axes, columns.T[1::-1, ::-1], atol=1e-5)


def test_nothing_is_guessed(make_dicom):
    grid = read_dicom(make_dicom(PICTURE, SliceThickness=3), "x").grid
    assert (grid.spacing_mm, grid.origin_mm, grid.axes) == (None, None, None)
    grid = read_dicom(make_dicom(PICTURE, PixelSpacing=[0, 0]), "x").grid
    assert grid.spacing_mm is None
    grid = read_dicom(make_dicom(VOLUME, PixelSpacing=[0.5, 0.25]), "x").grid
    assert grid.spacing_mm is None


def test_detector_spacing_stands_in(make_dicom):
    raw = make_dicom(PICTURE, ImagerPixelSpacing=[0.2, 0.1])
    assert read_dicom(raw, "x").grid.spacing_mm == (0.2, 0.1)
    raw = make_dicom(PICTURE, ImagerPixelSpacing=[0.2, 0.1], PixelSpacing=[0.4, 0.3])
    assert read_dicom(raw, "x").grid.spacing_mm == (0.4, 0.3)


def test_distance_of_frames_where_it_is_stated(make_dicom):
    stated = {"PixelSpacing": [0.5, 0.25], "SliceThickness": 3}
    assert read_dicom(make_dicom(VOLUME, **stated), "x").grid.spacing_mm == (3, 0.5, 0.25)
    raw = make_dicom(VOLUME, SpacingBetweenSlices=-2, **stated)
    assert read_dicom(raw, "x").grid.spacing_mm == (2, 0.5, 0.25)


def test_frames_with_places(make_dicom):
    places = [(1, 2, 30), (1, 2, 28), (1, 2, 26)]
    grid = read_dicom(make_dicom(VOLUME, **enhanced(places)), "x").grid
    assert grid.spacing_mm == (2, 0.5, 0.25)
    assert grid.origin_mm == (30, 2, 1)
    assert grid.axes.tolist() == [[-1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_sagittal_frames(make_dicom):
    places = [(10, 0, 0), (14, 0, 0), (18, 0, 0)]
    grid = read_dicom(make_dicom(VOLUME, **enhanced(places, [0, 1, 0, 0, 0, -1])), "x").grid
    assert grid.spacing_mm[0] == 4
    assert grid.axes.tolist() == [[0, 0, 1], [-1, 0, 0], [0, 1, 0]]


def test_uneven_frames_that_touch_become_even(make_dicom):
    image = read_dicom(make_dicom(VOLUME, **enhanced([(0, 0, 0), (0, 0, 1), (0, 0, 9)])), "x")
    assert (image.grid.spacing_mm, image.grid.origin_mm) == ((1, 0.5, 0.25), (0, 0, 0))
    assert (image.values.shape[1], image.remarks[0].kind) == (10, "uneven")


def test_frames_of_one_place_that_differ_are_refused(make_dicom):
    different = np.arange(3)[:, None, None] + VOLUME
    with pytest.raises(ReadError, match="x: one image at each place wanted, found 3"):
        read_dicom(make_dicom(different.astype(VOLUME.dtype), **enhanced([(0, 0, 0)] * 3)), "x")


def test_one_enhanced_frame(make_dicom):
    grid = read_dicom(make_dicom(PICTURE, **enhanced([(1, 2, 3)])), "x").grid
    assert (grid.spacing_mm, grid.origin_mm) == ((0.5, 0.25), (3, 2, 1))


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "right angles"),
        ({"ImageOrientationPatient": [1, 0, 0]}, "wants 6 numbers"),
        ({"PixelSpacing": [0.5, 0.5, 0.5]}, "PixelSpacing wants 2 numbers"),
    ],
)
def test_impossible_places_are_refused(make_dicom, elements, message):
    with pytest.raises(ReadError, match=message):
        read_dicom(make_dicom(PICTURE, **elements), "x")
