import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset, Sequence, dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import pixel_array

from medclf.errors import ReadError
from medclf.read.dicom.facts import read_facts
from medclf.read.dicom.file import read_dicom

RNG = np.random.default_rng(0)
STORED = RNG.integers(0, 4096, (6, 5), np.uint16)

GREY = [
    *("CT_small", "MR_small", "MR_small_RLE", "MR_small_bigendian", "MR_small_expb"),
    *("MR_small_implicit", "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless"),
    *("JPEG2000", "JPGExtended", "J2K_pixelrep_mismatch", "image_dfl", "examples_overlay"),
]
COLOUR = [
    *("ExplVR_BigEnd", "SC_rgb_jpeg_dcmtk", "SC_rgb_dcmtk_+eb+cy+n1", "SC_rgb_jpeg_gdcm"),
    *("SC_rgb_rle", "SC_rgb_small_odd", "SC_ybr_full_422_uncompressed", "GDCMJ2K_TextGBR"),
    *("SC_rgb_rle_2frame", "examples_rgb_color", "SC_rgb_gdcm_KY"),
]
WITHOUT_PIXELS = ["rtplan", "rtstruct", "test-SR", "waveform_ecg", "no_meta", "badVR", "priv_SQ"]


def path_of(name):
    """Find a file of pydicom's wheel; nothing is downloaded."""
    return Path(get_testdata_file(f"{name}.dcm", download=False))


def raw_of(name):
    return path_of(name).read_bytes()


@pytest.mark.parametrize("name", GREY)
def test_grey_as_simpleitk_reads_it(name):
    image = read_dicom(raw_of(name), name)
    truth = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path_of(name)))
    lossy = 1 if name == "JPGExtended" else 0
    np.testing.assert_allclose(image.values, truth, atol=lossy)


@pytest.mark.parametrize("name", COLOUR)
def test_colour_as_simpleitk_reads_it(name):
    image = read_dicom(raw_of(name), name)
    truth = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path_of(name)))
    truth = np.moveaxis(truth, -1, 0).reshape(image.values.shape)
    assert image.channels == 3
    assert np.abs(image.values.astype(int) - truth).max() <= 2  # YBR is rounded either way.


def test_ct_is_in_hounsfield_units():
    image = read_dicom(raw_of("CT_small"), "ct")
    assert (image.modality, image.unit, image.bits) == ("CT", "HU", 16)
    assert image.values.dtype == np.float32
    stored = pixel_array(path_of("CT_small"))
    np.testing.assert_array_equal(image.values[0], stored - 1024.0)


def test_palette_becomes_rgb():
    dataset = dcmread(path_of("examples_palette"))
    truth = np.moveaxis(apply_color_lut(dataset.pixel_array, dataset), -1, 0)
    image = read_dicom(raw_of("examples_palette"), "x")
    assert image.values.dtype == np.uint8
    np.testing.assert_array_equal(image.values, truth // 256)  # Its table fills the upper byte.


def test_16_bit_colours_stay_so():
    image = read_dicom(raw_of("SC_rgb_rle_16bit_2frame"), "x")
    truth = np.moveaxis(pixel_array(path_of("SC_rgb_rle_16bit_2frame")), -1, 0)
    assert image.bits == 16
    np.testing.assert_array_equal(image.values, truth)


def test_frames_become_a_volume_and_a_dose_has_its_scale():
    dataset = dcmread(path_of("rtdose"))
    image = read_dicom(raw_of("rtdose"), "x")
    assert (image.values.shape, image.unit) == ((1, 15, 10, 10), dataset.DoseUnits)
    truth = pixel_array(dataset) * float(dataset.DoseGridScaling)
    np.testing.assert_allclose(image.values[0], truth, rtol=1e-6)


def test_a_dose_without_its_scale_is_refused(make_dicom):
    with pytest.raises(ReadError, match="the scale of the values is not stated"):
        read_dicom(make_dicom(STORED, Modality="RTDOSE", DoseUnits="GY"), "x")


def test_monochrome1_is_mirrored_in_the_range_of_its_bits(make_dicom):
    raw = make_dicom(STORED, PhotometricInterpretation="MONOCHROME1", BitsStored=12)
    image = read_dicom(raw, "x")
    np.testing.assert_array_equal(image.values[0], 4095 - STORED)
    assert (image.values.dtype, image.bits) == (np.uint16, 12)


def test_signed_monochrome1_is_mirrored(make_dicom):
    stored = np.array([[-128, 127], [0, -1]], np.int8)
    values = read_dicom(make_dicom(stored, PhotometricInterpretation="MONOCHROME1"), "x").values
    assert values[0].tolist() == [[127, -128], [-1, 0]]


def test_monochrome1_is_mirrored_before_its_rescale(make_dicom):
    elements = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12}
    raw = make_dicom(STORED, RescaleSlope="2", RescaleIntercept="-10", **elements)
    np.testing.assert_array_equal(read_dicom(raw, "x").values[0], 2.0 * (4095 - STORED) - 10)


def test_rescale_of_1_and_0_keeps_whole_numbers_except_in_ct(make_dicom):
    rescale = {"RescaleSlope": "1", "RescaleIntercept": "0"}
    kept = read_dicom(make_dicom(STORED, Modality="DX", RescaleType="US", **rescale), "x")
    assert (kept.values.dtype, kept.unit) == (np.uint16, "")
    scaled = read_dicom(make_dicom(STORED, Modality="CT", **rescale), "x")
    assert (scaled.values.dtype, scaled.unit) == (np.float32, "HU")
    without = read_dicom(make_dicom(STORED, Modality="CT"), "x")
    assert (without.values.dtype, without.unit) == (np.uint16, "")


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_modality_table(make_dicom, photometric):
    table = Dataset()
    table.LUTDescriptor = [256, 0, 16]
    table.LUTData = np.arange(256, dtype="<u2").tobytes()
    table.ModalityLUTType = "OD"
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    stored = RNG.integers(0, 256, (6, 5), np.uint8)
    raw = make_dicom(
        stored, PhotometricInterpretation=photometric, ModalityLUTSequence=Sequence([table])
    )
    image = read_dicom(raw, "x")
    truth = apply_modality_lut(stored, dcmread(BytesIO(raw)))
    np.testing.assert_array_equal(
        image.values[0], truth if photometric == "MONOCHROME2" else 65535 - truth
    )
    assert image.unit == "OD"


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_becomes_the_least_of_the_rest(make_dicom, photometric):
    stored = np.array([[100, 200], [300, 4000]], np.uint16)
    elements = {"PhotometricInterpretation": photometric, "BitsStored": 12}
    raw = make_dicom(stored, PixelPaddingValue=4000, **elements)
    expected = [[100, 200], [300, 100]]
    if photometric == "MONOCHROME1":
        expected = [[3995, 3895], [3795, 3795]]
    assert read_dicom(raw, "x").values[0].tolist() == expected


def test_padding_range_and_a_mark_written_as_unsigned(make_dicom):
    stored = np.array([[-2000, -1990], [0, 50]], np.int16)
    raw = make_dicom(stored, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1900)
    assert read_dicom(raw, "x").values[0].tolist() == [[0, 0], [0, 50]]
    where = raw.index(b"\x28\x00\x20\x01SS")
    unsigned = raw[: where + 4] + b"US" + raw[where + 6 :]  # The same bytes now say 63536.
    assert read_dicom(unsigned, "x").values[0].tolist() == [[0, 0], [0, 50]]


def test_nothing_but_padding_stays_as_it_is(make_dicom):
    raw = make_dicom(np.full((3, 3), 7, np.uint8), PixelPaddingValue=7)
    assert (read_dicom(raw, "x").values == 7).all()


def test_each_frame_has_its_own_rescale(make_dicom):
    stored = RNG.integers(0, 100, (3, 4, 5), np.uint16)
    frames = []
    for slope in (1, 2, 3):
        transform, frame = Dataset(), Dataset()
        transform.RescaleSlope, transform.RescaleIntercept = slope, -slope
        transform.RescaleType = "HU"
        frame.PixelValueTransformationSequence = Sequence([transform])
        frames.append(frame)
    raw = make_dicom(stored, PerFrameFunctionalGroupsSequence=Sequence(frames))
    image = read_dicom(raw, "x")
    slopes = np.array([1, 2, 3]).reshape(3, 1, 1)
    np.testing.assert_array_equal(image.values[0], stored * slopes - slopes)
    assert image.unit == "HU"


def test_a_file_without_its_preamble(make_dicom):
    raw = make_dicom(STORED)
    np.testing.assert_array_equal(read_dicom(raw[132:], "x").values[0], STORED)
    body = raw[raw.index(b"\x08\x00\x16\x00") :]  # Nor with its meta header.
    np.testing.assert_array_equal(read_dicom(body, "x").values[0], STORED)


@pytest.mark.parametrize("name", WITHOUT_PIXELS)
def test_no_picture_is_one_clear_line(name):
    with pytest.raises(ReadError, match=r"^scan\.dcm: ") as problem:
        read_dicom(raw_of(name), "scan.dcm")
    assert "\n" not in str(problem.value)


def test_many_threads_and_files_of_which_pydicom_warns():
    raws = [raw_of(name) for name in ("MR_small_padded", "SC_rgb_jpeg", "CT_small")]
    truths, before = [read_dicom(raw, "x").values for raw in raws], list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        for number, image in enumerate(pool.map(read_dicom, raws * 20, ["x"] * 60)):
            np.testing.assert_array_equal(image.values, truths[number % 3])
    assert list(warnings.filters) == before


def test_truncated_file_of_the_wheel():
    with pytest.raises(ReadError, match="less than expected"):
        read_dicom(raw_of("MR_truncated"), "x")


@pytest.mark.parametrize(
    "name",
    [
        *("MR_small", "MR_small_RLE", "MR_small_jpeg_ls_lossless", "JPEG2000", "JPGExtended"),
        *("SC_rgb_jpeg_dcmtk", "SC_rgb_rle_2frame", "rtdose", "image_dfl", "ExplVR_BigEnd"),
    ],
)
def test_cut_or_damaged(name, check_cuts, check_damage):
    raw = raw_of(name)
    assert check_cuts(read_dicom, raw) >= 35
    check_damage(read_dicom, raw)


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"Rows": 65535, "Columns": 65535}, "65535 x 65535 pixels; at most"),
        ({"NumberOfFrames": 2**31 - 1}, "pixels; at most"),
        ({"Rows": 0}, "without pixels"),
        ({"PhotometricInterpretation": "HSV"}, "a kind that is not read: 'HSV'"),
        ({"SamplesPerPixel": 3}, "does not go with 3 samples"),
        ({"RescaleSlope": "0", "RescaleIntercept": "0"}, "slope is 0"),
        ({"NumberOfFrames": 2}, "less than expected"),
    ],
)
def test_headers_that_contradict_are_refused(make_dicom, elements, message):
    with pytest.raises(ReadError, match=message):
        read_dicom(make_dicom(STORED, **elements), "x")


def test_no_name_reaches_a_terminal_or_a_message(make_dicom, capfd, recwarn):
    raw = make_dicom(STORED, PatientID="SECRET", PatientAge="034Y")
    hurt = raw.replace(b"034Y", b"SECR")  # An age that breaks the rules, of which pydicom warns.
    assert read_facts(hurt)["age_years"] is None
    with pytest.raises(ReadError) as problem:
        read_dicom(hurt[:-9], "x")
    assert "SECR" not in str(problem.value)
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_a_deflated_bomb_is_refused_before_it_is_unpacked():
    raw = raw_of("image_dfl")
    head = raw[: 144 + int.from_bytes(raw[140:144], "little")]
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    bomb = b"".join([packer.compress(bytes(2**20)) for _ in range(80)]) + packer.flush()
    tracemalloc.start()
    with pytest.raises(ReadError, match=r"x: unpacks \d+-fold; more than 500-fold is a bomb"):
        read_dicom(head + bomb, "x")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


@pytest.mark.parametrize("closed", [True, False])
def test_sequences_within_sequences_are_one_clear_line(make_dicom, closed):
    item = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    close = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" if closed else b""
    raw = make_dicom(STORED)
    place = raw.index(b"\x28\0\x02\0US")
    with pytest.raises(ReadError, match=r"^x: ") as problem:
        read_dicom(raw[:place] + item * 5000 + close * 5000 + raw[place:], "x")
    assert len(str(problem.value)) < 300


def test_claims_of_many_frames_take_no_memory(make_dicom):
    raw = make_dicom(STORED, NumberOfFrames=30000)
    tracemalloc.start()
    with pytest.raises(ReadError, match="less than expected"):
        read_dicom(raw, "x")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()
