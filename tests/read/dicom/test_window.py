from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing

from medclf.read.dicom.file import read_dicom

RNG = np.random.default_rng(0)
STORED = RNG.integers(0, 4096, (6, 5), np.uint16)


def shown_by_pydicom(dataset, low, high):
    """What pydicom makes of the first view, as shades from 0 to 1."""
    values = apply_modality_lut(dataset.pixel_array, dataset)
    shades = (apply_windowing(values, dataset) - low) / (high - low)
    return 1 - shades if dataset.PhotometricInterpretation == "MONOCHROME1" else shades


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("curve", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_window_of_the_file_after_its_rescale(make_dicom, photometric, curve):
    raw = make_dicom(
        STORED,
        PhotometricInterpretation=photometric,
        BitsStored=12,
        RescaleSlope="2",
        RescaleIntercept="-1000",
        WindowCenter=[3000, 40],
        WindowWidth=[2000, 400],
        VOILUTFunction=curve,
    )
    image = read_dicom(raw, "x")
    truth = shown_by_pydicom(dcmread(BytesIO(raw)), -1000, 2 * 4095 - 1000)
    np.testing.assert_allclose(image.display.shade(image.values)[0], truth, atol=1e-5)
    assert image.display.centres == (3000,)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("bits", [8, 12])
def test_a_table_goes_before_a_window(make_dicom, photometric, bits):
    table = Dataset()
    table.LUTDescriptor = [4096, 0, bits]
    table["LUTDescriptor"].VR = "US"
    entries = (np.linspace(0, 1, 4096) ** 2 * ((1 << bits) - 1)).astype("<u2")
    table.add_new("LUTData", "OW", entries.tobytes())
    views = {"VOILUTSequence": Sequence([table]), "WindowCenter": 5, "WindowWidth": 5}
    raw = make_dicom(STORED, PhotometricInterpretation=photometric, BitsStored=12, **views)
    image = read_dicom(raw, "x")
    truth = entries[STORED] / ((1 << bits) - 1)
    if bits == 12:  # pydicom indexes a table of bytes by bytes.
        np.testing.assert_array_equal(apply_voi(STORED, dcmread(BytesIO(raw))), entries[STORED])
    if photometric == "MONOCHROME1":
        truth = 1 - truth
    np.testing.assert_allclose(image.display.shade(image.values)[0], truth, atol=1e-6)


def test_frames_with_windows_of_their_own(make_dicom):
    frames = []
    for centre in (100, 2000):
        view, frame = Dataset(), Dataset()
        view.WindowCenter, view.WindowWidth = centre, 200
        view.VOILUTFunction = "LINEAR_EXACT"
        frame.FrameVOILUTSequence = Sequence([view])
        frames.append(frame)
    raw = make_dicom(np.stack([STORED, STORED]), PerFrameFunctionalGroupsSequence=Sequence(frames))
    image = read_dicom(raw, "x")
    shades = image.display.shade(image.values)[0]
    for frame, centre in zip(shades, (100, 2000), strict=True):
        truth = np.clip((STORED - (centre - 100.0)) / 200, 0, 1)
        np.testing.assert_allclose(frame, truth, atol=1e-5)


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"WindowCenter": 40},
        {"WindowCenter": 40, "WindowWidth": 0},
        {"WindowCenter": 40, "WindowWidth": 100, "VOILUTFunction": "CURVY"},
    ],
)
def test_views_that_are_none(make_dicom, stated):
    assert read_dicom(make_dicom(STORED, **stated), "x").display is None


def test_a_real_file_and_one_in_colour():
    def read(name):
        path = get_testdata_file(f"{name}.dcm", download=False)
        return read_dicom(Path(path).read_bytes(), name)

    image, dataset = read("MR_small"), dcmread(get_testdata_file("MR_small.dcm", download=False))
    assert image.display.centres == (float(dataset.WindowCenter),)
    assert read("examples_rgb_color").display is None


def test_a_modality_table_of_bytes_for_numbers_beyond_bytes(make_dicom):
    """pydicom indexes such a table by bytes, and picks wrong entries."""
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [4096, 0, 8], "US"
    table["LUTDescriptor"].VR = "US"
    entries = (np.arange(4096) // 16).astype(np.uint8)
    table.add_new("LUTData", "OW", entries.tobytes())
    raw = make_dicom(STORED, BitsStored=12, ModalityLUTSequence=Sequence([table]))
    np.testing.assert_array_equal(read_dicom(raw, "x").values[0], STORED // 16)
