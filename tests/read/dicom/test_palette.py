from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels.processing import apply_color_lut

from medclf.errors import ReadError
from medclf.read.dicom.file import read_dicom

RNG = np.random.default_rng(0)
STORED = RNG.integers(0, 7, (6, 5), np.uint8)
COLOURS = ("Red", "Green", "Blue")


def palette(bits, tables, first=0, segmented=False):
    elements = {"PhotometricInterpretation": "PALETTE COLOR"}
    kind = "Segmented" if segmented else ""
    for colour, (count, data) in zip(COLOURS, tables, strict=True):
        name = f"{colour}PaletteColorLookupTable"
        elements[f"{name}Descriptor"] = [count, first, bits]
        elements[f"{kind}{name}Data"] = data + b"\0" * (len(data) % 2)
    return elements


def check_against_pydicom(raw, narrowed=1):
    dataset = dcmread(BytesIO(raw))
    truth = apply_color_lut(dataset.pixel_array, dataset)
    values = np.moveaxis(read_dicom(raw, "x").values, 0, -1)
    np.testing.assert_array_equal(values, truth // narrowed)
    return values


def test_entries_of_bytes(make_dicom):
    tables = [(8, RNG.integers(0, 256, 8, np.uint8).tobytes()) for _ in COLOURS]
    assert check_against_pydicom(make_dicom(STORED, **palette(8, tables))).dtype == np.uint8


def test_entries_of_words(make_dicom):
    tables = [(8, RNG.integers(0, 2**16, 8, np.uint16).tobytes()) for _ in COLOURS]
    assert check_against_pydicom(make_dicom(STORED, **palette(16, tables))).dtype == np.uint16


def test_words_stretched_from_bytes_come_back_as_bytes(make_dicom):
    tables = [(8, (RNG.integers(0, 256, 8, np.uint16) << 8).tobytes()) for _ in COLOURS]
    values = check_against_pydicom(make_dicom(STORED, **palette(16, tables)), narrowed=256)
    assert values.dtype == np.uint8


def test_numbers_outside_take_the_nearest_entry(make_dicom):
    tables = [(3, bytes([n, n + 1, n + 2])) for n in (10, 20, 30)]
    values = read_dicom(make_dicom(STORED, **palette(8, tables, first=2)), "x").values
    np.testing.assert_array_equal(values[0], 10 + np.clip(STORED.astype(int) - 2, 0, 2))


@pytest.mark.parametrize("bits", [8, 16])
def test_segments(make_dicom, bits):
    numbers = [0, 2, 5, 90, 1, 4, 200, 0, 1, 7]
    data = np.array(numbers, np.uint8 if bits == 8 else "<u2").tobytes()
    elements = palette(bits, [(7, data)] * 3, segmented=True)
    check_against_pydicom(make_dicom(STORED, **elements))


def test_repeated_segments(make_dicom):
    data = bytes([0, 3, 5, 90, 40, 1, 2, 200, 2, 1, 0, 0, 0, 0])
    elements = palette(8, [(8, data)] * 3, segmented=True)
    check_against_pydicom(make_dicom(STORED, **elements))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes([0, 9, 1, 2]), "cut short"),
        (bytes([1, 9, 1, 2]), "cut short"),
        (bytes([7, 1, 1, 1]), "no known kind"),
        (bytes([0, 1, 1, 1, 255, 9, 1, 255, 9, 1]), "more than 8 entries"),
        (bytes([0, 2, 1, 1]), "8 entries wanted in a table, found 2"),
        (bytes([0, 1, 1, 2, 255, 0, 0, 0, 0]), "no known kind"),
        (bytes([0, 1, 1, 2, 1, 0]), "cut short"),
    ],
)
def test_segments_that_are_none(make_dicom, data, message):
    elements = palette(8, [(8, data)] * 3, segmented=True)
    with pytest.raises(ReadError, match=message):
        read_dicom(make_dicom(STORED, **elements), "x")


def test_a_palette_without_blue(make_dicom):
    elements = palette(8, [(8, bytes(8))] * 3)
    del elements["BluePaletteColorLookupTableData"]
    with pytest.raises(ReadError, match="no table for blue"):
        read_dicom(make_dicom(STORED, **elements), "x")
