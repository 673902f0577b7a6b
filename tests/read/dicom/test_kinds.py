"""Kinds of images as scanners write them: each with the traits that readers stumble over."""

from io import BytesIO

import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from medclf.read.dicom.file import read_dicom

RNG = np.random.default_rng(0)
TWELVE = RNG.integers(0, 4096, (7, 5), np.uint16)


def test_a_mammogram(make_dicom):
    """MONOCHROME1, a spacing on the detector, an S-shaped window, and air that is padding."""
    stored = TWELVE.copy()
    stored[:, -1] = 4095
    raw = make_dicom(
        stored,
        Modality="MG",
        PhotometricInterpretation="MONOCHROME1",
        BitsStored=12,
        ImagerPixelSpacing=["0.07", "0.07"],
        ViewPosition="MLO",
        ImageLaterality="L",
        WindowCenter="2000",
        WindowWidth="1500",
        VOILUTFunction="SIGMOID",
        PixelPaddingValue=4095,
        PresentationLUTShape="INVERSE",
    )
    image = read_dicom(raw, "x")
    inside = stored != 4095
    np.testing.assert_array_equal(image.values[0][inside], 4095 - stored[inside])
    assert (image.values[0][~inside] == image.values[0][inside].min()).all()
    assert image.grid.spacing_mm == (0.07, 0.07)
    shown = 1 - apply_voi_lut(stored, dcmread(BytesIO(raw))) / 4095
    shades = image.display.shade(image.values)[0]
    np.testing.assert_allclose(shades[inside], shown[inside], atol=1e-5)


def test_an_angiogram_is_a_cine_of_ten_bits(make_dicom):
    frames = RNG.integers(0, 1024, (4, 6, 5), np.uint16)
    raw = make_dicom(
        frames,
        Modality="XA",
        BitsStored=10,
        FrameTimeVector=[0, 33, 33, 66],
        FrameIncrementPointer=0x00181065,
        ImagerPixelSpacing=[0.3, 0.3],
    )
    image = read_dicom(raw, "x")
    assert image.phases == ("0 ms", "33 ms", "66 ms", "132 ms")
    np.testing.assert_array_equal(image.values[:, 0], frames)
    assert (image.bits, image.grid.spacing_mm) == (10, (0.3, 0.3))


def test_tomosynthesis_lies_where_its_frames_say(make_dicom):
    frames, groups = RNG.integers(0, 1024, (3, 6, 5), np.uint16), []
    for height in (10.0, 11.0, 12.0):
        place, group = Dataset(), Dataset()
        place.ImagePositionPatient = [0.0, 0.0, height]
        group.PlanePositionSequence = Sequence([place])
        groups.append(group)
    turn, measures, scale, shared = Dataset(), Dataset(), Dataset(), Dataset()
    turn.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SliceThickness = [0.1, 0.1], 1
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = 1, 0, "US"
    shared.PlaneOrientationSequence = Sequence([turn])
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.PixelValueTransformationSequence = Sequence([scale])
    raw = make_dicom(
        frames,
        Modality="MG",
        BitsStored=10,
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(groups),
    )
    image = read_dicom(raw, "x")
    np.testing.assert_array_equal(image.values[0], frames)
    assert image.grid.spacing_mm == pytest.approx((1.0, 0.1, 0.1))
    assert image.grid.origin_mm == (10.0, 0.0, 0.0)


def test_a_film_of_computed_radiography(make_dicom):
    """Its table of the modality gives optical density, and its numbers have a negative start."""
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [64, -32 % 2**16, 16], "OD"
    table["LUTDescriptor"].VR = "US"
    table.add_new("LUTData", "OW", np.arange(0, 6400, 100, dtype="<u2").tobytes())
    stored = RNG.integers(-60, 60, (6, 5), np.int16)
    raw = make_dicom(stored, Modality="CR", ModalityLUTSequence=Sequence([table]))
    image = read_dicom(raw, "x")
    np.testing.assert_array_equal(image.values[0], 100 * (np.clip(stored, -32, 31) + 32))
    assert image.unit == "OD"


def test_positron_emission_has_a_slope_for_each_file(make_dicom):
    raw = make_dicom(TWELVE, Modality="PT", Units="BQML", RescaleSlope="3.25", RescaleIntercept="0")
    image = read_dicom(raw, "x")
    truth = apply_modality_lut(TWELVE, dcmread(BytesIO(raw)))
    np.testing.assert_allclose(image.values[0], truth, rtol=1e-6)
    assert (image.unit, image.modality) == ("BQML", "PT")
