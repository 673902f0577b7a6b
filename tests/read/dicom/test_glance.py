import os

import numpy as np
import pytest

from medclf.core.record import Source
from medclf.read.dicom.glance import LeftOut, Seen, look

STORED = np.zeros((4, 3), np.uint8)


@pytest.fixture
def seen(tmp_path, make_dicom):
    """Look at a file of given bytes, or of given elements."""

    def make(raw=None, name="a.dcm", **elements):
        path = tmp_path / name
        path.write_bytes(make_dicom(STORED, **elements) if raw is None else raw)
        return look(Source(path))

    return make


def test_a_header_and_whose_it_is(seen):
    found = seen(
        name="any",
        PatientID=" P1 ",
        StudyInstanceUID="1.5",
        AccessionNumber="A7",
        SeriesInstanceUID="1.6",
        SeriesDescription="lung ",
        EchoTime="12.5",
    )
    assert isinstance(found, Seen)
    assert found.whose == ("P1", "1.5", "A7", "1.6", "lung")
    assert (found.header.form.rows, found.header.form.columns) == STORED.shape
    assert (found.header.mark("EchoTime"), found.header.mark("FlipAngle")) == (12.5, None)


def test_a_file_without_signature_counts_by_its_name(seen, make_dicom):
    bare = make_dicom(STORED, SeriesInstanceUID="1.6")[132:]
    assert isinstance(seen(bare, "a.IMA"), Seen)
    assert seen(bare, "a").reason == "no DICOM file"


@pytest.mark.parametrize(
    ("elements", "reason", "series"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4"}, "holds no picture (a segmentation)", ""),
        ({"Rows": 0, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.33"}, "(Comprehensive SR", ""),
        ({"Rows": 0, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, "(MR Image Storage)", "1.6"),
        ({"PixelSpacing": ["1", "1", "1"]}, "PixelSpacing wants 2 numbers, found", "1.6"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "at right angles", "1.6"),
    ],
)
def test_why_a_file_is_left_out_and_of_which_series_it_is_missing(seen, elements, reason, series):
    found = seen(SeriesInstanceUID="1.6", **elements)
    assert isinstance(found, LeftOut)
    assert reason in found.reason
    assert found.series == series


def test_reasons_that_quote_a_file_are_one_line_of_printable_letters(seen, make_dicom):
    raw = make_dicom(STORED, SeriesInstanceUID="1.6", Rows=0)
    hurt = raw.replace(b"1.2.840.10008.5.1", b"1.2\n840\x1b[31mx.5.1")
    assert seen(hurt).reason == "holds no picture (1.2?840?[31mx.5.1.4.1.1.7)"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.dcm")
    reason = look(Source(tmp_path / "a.dcm")).reason
    assert reason.endswith("a.dcm: cannot be read: a file wanted, found a pipe or a device")


def test_what_is_gone_is_told(tmp_path):
    assert look(Source(tmp_path / "a.dcm")).reason.endswith(
        "cannot be read: No such file or directory"
    )
