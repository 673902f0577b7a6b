import numpy as np
import pytest
from pydicom import Dataset

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.dicom.header import PHYSICAL, describe, read_mark
from medclf.read.quiet import PYDICOM

SOURCE = Source("a.dcm")


def dataset(**elements):
    """Make a slice's header; an element of `None` is left out."""
    stated = {
        "SeriesInstanceUID": "1.2",
        "SOPInstanceUID": "1.2.1",
        "Modality": "MR",
        "Rows": 4,
        "Columns": 3,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "ImagePositionPatient": ["1", "2", "3"],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "PixelSpacing": ["0.5", "0.25"],
        "SliceThickness": "2",
        **elements,
    }
    return group(**{keyword: value for keyword, value in stated.items() if value is not None})


def group(**elements):
    item = Dataset()
    with PYDICOM:
        for keyword, value in elements.items():
            setattr(item, keyword, value)
    return item


def test_places_directions_and_distances_are_z_first():
    header = describe(dataset(), SOURCE)
    np.testing.assert_array_equal(header.place, [3, 2, 1])
    np.testing.assert_array_equal(header.axes, [[0, 1, 0], [0, 0, 1]])
    assert (header.spacing_mm, header.thickness_mm) == ((0.5, 0.25), 2)
    assert (header.instance, header.frames, header.placed) == ("1.2.1", 1, True)
    assert header.form[:2] == ("1.2", "MR")
    assert header.form.rows == 4


@pytest.mark.parametrize(
    "elements",
    [
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": None},
        {"PixelSpacing": None},
        {"PixelSpacing": ["0", "0"]},
        {"NumberOfFrames": "2"},
        {"ConcatenationUID": "1.7"},
    ],
)
def test_what_is_no_slice_of_a_volume(elements):
    assert not describe(dataset(**elements), SOURCE).placed


@pytest.mark.parametrize("kind", [["ORIGINAL", "PRIMARY", "LOCALIZER"], "derived\\scout"])
def test_localizers(kind):
    assert describe(dataset(ImageType=kind), SOURCE).form.localizer
    assert not describe(dataset(), SOURCE).form.localizer


@pytest.mark.parametrize("thickness", [None, "0", "-3"])
def test_no_thickness(thickness):
    assert describe(dataset(SliceThickness=thickness), SOURCE).thickness_mm is None


@pytest.mark.parametrize("place", [["1", "2"], ["1", "2", "3", "4"]])
def test_places_that_are_none(place):
    with pytest.raises(ReadError, match=r"^a\.dcm: ImagePositionPatient wants 3 numbers"):
        describe(dataset(ImagePositionPatient=place), SOURCE)


def test_what_slices_state_alike_is_read_once_and_what_differs_is_not():
    known = {}
    slices = [
        dataset(),
        dataset(ImagePositionPatient=["1", "2", "9"], SOPInstanceUID="1.2.2"),
        dataset(PixelSpacing=["0.5", "0.5"]),
        dataset(ConcatenationUID="1.7"),
        dataset(ImageType=["ORIGINAL", "LOCALIZER"]),
    ]
    one, other, *rest = (describe(each, SOURCE, known=known) for each in slices)
    assert one.axes is other.axes
    assert other.place.tolist() == [9, 2, 1]
    assert other.instance == "1.2.2"
    assert [header.spacing_mm for header in rest] == [(0.5, 0.5), (0.5, 0.25), (0.5, 0.25)]
    assert [header.concatenation for header in rest] == ["", "1.7", ""]
    assert [header.form.localizer for header in rest] == [False, False, True]
    assert len(known) == 4


@pytest.mark.parametrize("mark", [*PHYSICAL])
def test_slices_that_differ_in_a_mark_share_nothing(mark):
    number = {"ImageType": ["ORIGINAL", "M"], "DiffusionGradientOrientation": [1.0, 0.0, 0.0]}
    value = number.get(mark, 2.0 if mark == "DiffusionBValue" else "2")
    value = 2 if mark == "EnergyWindowNumber" else value
    known = {}
    slices = dataset(), dataset(**{mark: value})
    one, other = (describe(each, SOURCE, known=known) for each in slices)
    assert (one.axes is other.axes) == (mark == "EnergyWindowNumber")


def test_a_frame_states_its_own_place_and_marks():
    frames = dataset(NumberOfFrames="2", ConcatenationUID="1.7", ImagePositionPatient=None)
    frames.PerFrameFunctionalGroupsSequence = [
        group(
            PlanePositionSequence=[group(ImagePositionPatient=["0", "0", str(height)])],
            MREchoSequence=[group(EffectiveEchoTime=10.0 * height)],
        )
        for height in (5, 7)
    ]
    header = describe(frames, SOURCE, frame=1)
    assert (header.place.tolist(), header.mark("EchoTime")) == ([7, 0, 0], 70)
    assert (header.instance, header.frames, header.placed) == ("", 1, True)
    assert not describe(frames, SOURCE).placed


@pytest.mark.parametrize(
    ("name", "value", "mark"),
    [
        ("EchoTime", "12.5", 12.5),
        ("EchoTime", None, None),
        ("EchoTime", "", None),
        ("FlipAngle", "90.00000001", 90),
        ("SequenceName", " *ep2d \0", "*ep2d"),
        ("SequenceName", "  ", None),
        ("ImageType", ["ORIGINAL", "M"], "ORIGINAL\\M"),
        ("DiffusionGradientOrientation", [0.0, 1.0, 0.0], "0.0\\1.0\\0.0"),
        ("DiffusionBValue", float("nan"), None),
        ("AcquisitionTime", "101530.25", 36930.25),
        ("AcquisitionTime", "10", 36000),
        ("AcquisitionTime", "noon", None),
        ("AcquisitionDateTime", "20000102101530", 86400 * 730121 + 36930),
        ("AcquisitionDateTime", "20000002101530", None),
        ("AcquisitionDateTime", "101530", None),
        ("TriggerTime", "37.5", 37.5),
    ],
)
def test_marks_are_numbers_or_words(name, value, mark):
    made = group() if value is None else group(**{name: value})
    assert read_mark(made, name) == mark


def test_the_time_of_an_acquisition_knows_its_day():
    before, after = (
        read_mark(group(AcquisitionTime=time, AcquisitionDate=day), "AcquisitionTime")
        for time, day in (("235959", "20000102"), ("000001", "20000103"))
    )
    assert after - before == 2
    odd = group(AcquisitionTime="000001", AcquisitionDate="soon")
    assert read_mark(odd, "AcquisitionTime") == 1
