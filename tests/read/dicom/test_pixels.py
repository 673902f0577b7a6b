from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset, Sequence, dcmread
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import RLELossless

from medclf.errors import ReadError
from medclf.read.dicom.file import read_dicom

RNG = np.random.default_rng(0)
TWELVE = RNG.integers(0, 4096, (7, 5), np.uint16)


def sitk(raw, tmp_path):
    path = Path(tmp_path) / "x.dcm"
    path.write_bytes(raw)
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))


def test_twelve_bits_at_the_upper_end_of_sixteen(make_dicom):
    raw = make_dicom(TWELVE << 4, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(read_dicom(raw, "x").values[0], TWELVE)


def test_signed_twelve_bits_at_the_upper_end_of_sixteen(make_dicom):
    signed = TWELVE.astype(np.int16) - 2048
    raw = make_dicom(signed << 4, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(read_dicom(raw, "x").values[0], signed)


def test_left_aligned_bits_in_run_lengths(make_dicom):
    dataset = dcmread(BytesIO(make_dicom(TWELVE << 4, BitsStored=12, HighBit=15)))
    dataset.compress(RLELossless)
    stream = BytesIO()
    dataset.save_as(stream)
    np.testing.assert_array_equal(read_dicom(stream.getvalue(), "x").values[0], TWELVE)


def test_bits_in_the_middle(make_dicom):
    noise = RNG.integers(0, 4, TWELVE.shape, np.uint16)
    raw = make_dicom(noise << 14 | TWELVE << 2 | noise, BitsStored=12, HighBit=13)
    np.testing.assert_array_equal(read_dicom(raw, "x").values[0], TWELVE)


@pytest.mark.parametrize("signed", [False, True])
def test_overlays_in_the_upper_bits_are_cut_off(make_dicom, signed):
    overlay = RNG.integers(0, 16, TWELVE.shape, np.uint16) << 12
    stored = (overlay | TWELVE).astype(np.uint16)
    truth = TWELVE.astype(np.int16)
    if signed:
        truth = np.where(truth >= 2048, truth - 4096, truth)
        stored = stored.view(np.int16)
    raw = make_dicom(stored, BitsStored=12)
    np.testing.assert_array_equal(read_dicom(raw, "x").values[0], truth)


def test_packed_twelve_bits(make_dicom, tmp_path):
    """Two samples in three bytes, as GDCM, which SimpleITK reads with, unpacks them."""
    flat = TWELVE.ravel()
    bits = (flat[:, None] >> np.arange(12) & 1).astype(np.uint8).ravel()
    packed = np.packbits(bits, bitorder="little").tobytes()
    even = np.frombuffer(packed + b"\0" * (len(packed) % 2), np.uint8)
    raw = make_dicom(even[None], Rows=7, Columns=5, BitsAllocated=12, BitsStored=12, HighBit=11)
    image = read_dicom(raw, "x")
    np.testing.assert_array_equal(image.values[0], TWELVE)
    short = make_dicom(even[None, :40], Rows=7, Columns=5, BitsAllocated=12, BitsStored=12)
    with pytest.raises(ReadError, match="less pixel data than expected: 53 bytes wanted, found 40"):
        read_dicom(short, "x")


def test_one_bit_frames_that_end_within_a_byte(make_dicom):
    truth = RNG.integers(0, 2, (3, 3, 3), np.uint8)
    packed = np.packbits(truth.ravel(), bitorder="little")
    raw = make_dicom(packed[None], Rows=3, Columns=3, NumberOfFrames=3, BitsAllocated=1,
                     BitsStored=1, HighBit=0)  # fmt: skip
    image = read_dicom(raw, "x")
    np.testing.assert_array_equal(image.values[0], truth)
    assert image.bits == 1


@pytest.mark.parametrize("kind", ["Float", "DoubleFloat"])
def test_pixels_that_are_fractions(make_dicom, kind):
    truth = RNG.normal(size=(4, 6)).astype(np.float32 if kind == "Float" else np.float64)
    dataset = dcmread(BytesIO(make_dicom(TWELVE)))
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.Rows, dataset.Columns = truth.shape
    dataset.BitsAllocated = 8 * truth.itemsize
    setattr(dataset, f"{kind}PixelData", truth.tobytes())
    stream = BytesIO()
    dataset.save_as(stream)
    np.testing.assert_allclose(read_dicom(stream.getvalue(), "x").values[0], truth, rtol=1e-6)


def test_a_parametric_map_is_in_the_unit_that_it_names(make_dicom):
    unit, item = Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator = "mm2/s", "UCUM"
    item.MeasurementUnitsCodeSequence = Sequence([unit])
    item.RealWorldValueSlope, item.RealWorldValueIntercept = 0.5, 10.0
    shared = Dataset()
    shared.RealWorldValueMappingSequence = Sequence([item])
    kind = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.30"}
    raw = make_dicom(TWELVE, SharedFunctionalGroupsSequence=Sequence([shared]), **kind)
    image = read_dicom(raw, "x")
    np.testing.assert_allclose(image.values[0], TWELVE * 0.5 + 10)
    assert image.unit == "mm2/s"
    with pytest.raises(ReadError, match="a parametric map wants one unit, and a slope"):
        read_dicom(make_dicom(TWELVE, **kind), "x")


def test_plain_ybr_becomes_rgb(make_dicom):
    stored = RNG.integers(0, 256, (3, 4, 6, 3), np.uint8)
    raw = make_dicom(stored, PhotometricInterpretation="RGB")
    raw = raw.replace(b"RGB ", b"YBR_FULL").replace(b"\x04\x00CS\x04\x00", b"\x04\x00CS\x08\x00")
    truth = convert_color_space(stored, "YBR_FULL", "RGB")
    image = read_dicom(raw, "x")
    np.testing.assert_array_equal(image.values, np.moveaxis(truth, -1, 0))


def test_colours_plane_by_plane(make_dicom):
    truth = RNG.integers(0, 256, (4, 6, 3), np.uint8)
    raw = make_dicom(truth.transpose(2, 0, 1).reshape(4, 6, 3), PhotometricInterpretation="RGB")
    dataset = dcmread(BytesIO(raw))
    dataset.PlanarConfiguration = 1
    stream = BytesIO()
    dataset.save_as(stream)
    np.testing.assert_array_equal(
        read_dicom(stream.getvalue(), "x").values, np.moveaxis(truth, -1, 0)
    )


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        (b"NumberOfFrames", b"many", "NumberOfFrames is no whole number"),
        (b"PhotometricInterpretation", b"HSV", "a kind that is not read: 'HSV'"),
    ],
)
def test_headers_that_make_no_image(make_dicom, found, instead, message):
    raw = make_dicom(TWELVE[None], NumberOfFrames=1)
    part = b"IS\x02\x001 " if found == b"NumberOfFrames" else b"CS\x0c\x00MONOCHROME2 "
    assert raw.count(part) == 1
    length = len(part) - 4
    hurt = raw.replace(part, part[:2] + bytes([length, 0]) + instead.ljust(length)[:length])
    with pytest.raises(ReadError, match=message.replace("many", "ma")):
        read_dicom(hurt, "x")


def test_samples_of_a_width_that_is_none(make_dicom):
    with pytest.raises(ReadError, match="Bits Allocated"):
        read_dicom(make_dicom(TWELVE, BitsAllocated=20), "x")
