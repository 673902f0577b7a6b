import numpy as np
import pytest
from pydicom import Dataset, Sequence

from medclf.core.record import Source
from medclf.read.image import read_image

STORED = np.random.default_rng(0).integers(0, 4096, (6, 5), np.uint16)


@pytest.fixture
def series(tmp_path, make_dicom):
    """Write slices that differ in some elements; return the source of their volume."""

    def write(*slices, **common):
        parts = []
        for number, own in enumerate(slices):
            stated = {
                "SOPInstanceUID": f"1.2.{number}",
                "SeriesInstanceUID": "1.2",
                "ImagePositionPatient": [0, 0, 2.0 * number],
                "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
                "PixelSpacing": [1, 1],
                **common,
                **own,
            }
            path = tmp_path / f"{number}.dcm"
            path.write_bytes(make_dicom(STORED, **stated))
            parts.append(Source(path))
        return Source(tmp_path, "series", parts=tuple(parts))

    return write


def test_a_window_that_all_slices_state_is_that_of_the_volume(series):
    same = {"Modality": "CT", "WindowCenter": "40", "WindowWidth": "400"}
    image = read_image(series({}, {}, {}, **same))
    assert (image.values.shape, image.display.centres) == ((1, 3, 6, 5), (40,))


def test_windows_of_their_own_show_no_volume(series):
    own = [{"WindowCenter": str(40 + n), "WindowWidth": "400"} for n in range(3)]
    assert read_image(series(*own, Modality="MR")).display is None


def pet(**elements):
    drug = Dataset()
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = "370000000", "6586.2"
    drug.RadiopharmaceuticalStartTime = "100000"
    return {
        "Modality": "PT",
        "Units": "BQML",
        "CorrectedImage": ["DECY", "ATTN"],
        "DecayCorrection": "START",
        "PatientWeight": "70",
        "SeriesDate": "20200102",
        "SeriesTime": "110000",
        "AcquisitionDate": "20200102",
        "AcquisitionTime": "110500",
        "RescaleSlope": "1.5",
        "RescaleIntercept": "0",
        "RadiopharmaceuticalInformationSequence": Sequence([drug]),
        **elements,
    }


def test_one_factor_to_suv_for_all_slices(series):
    wanted = 70_000 / (370e6 * 0.5 ** (3600 / 6586.2))
    assert read_image(series(pet(), pet(), pet())).suv == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"PatientWeight": "80"}, "the slices have factors from"),
        ({"PatientWeight": ""}, "PatientWeight is missing"),
    ],
)
def test_factors_that_differ_or_are_not_known_are_told(series, odd, told):
    assert told in read_image(series(pet(), pet(**odd), pet())).suv
