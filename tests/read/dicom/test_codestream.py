from io import BytesIO

import numpy as np
import pytest
from imagecodecs import jpegls_encode
from PIL import Image as Pillow
from pydicom import dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames

from medclf.errors import ReadError
from medclf.read.dicom.codestream import read_codestream_size
from medclf.read.dicom.file import read_dicom
from medclf.read.raster import read_raster

PICTURE = np.zeros((30, 40), np.uint8)


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("form", ["JPEG", "JPEG2000"])
def test_sizes_that_pillow_wrote(form, samples):
    stream = BytesIO()
    picture = PICTURE if samples == 1 else np.dstack([PICTURE] * 3)
    Pillow.fromarray(picture).save(stream, form)
    assert read_codestream_size(stream.getvalue()) == (30, 40, samples)


def test_size_of_jpeg_ls():
    assert read_codestream_size(jpegls_encode(PICTURE)) == (30, 40, 1)


def test_other_forms_state_nothing():
    assert read_codestream_size(b"anything") is None


@pytest.mark.parametrize("raw", [b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\x02", b"\xff\x4f\xff\x51"])
def test_headers_cut_short(raw):
    with pytest.raises(ValueError, match="frame"):
        read_codestream_size(raw)


def test_a_frame_that_claims_terabytes_is_refused_before_it_is_decoded():
    dataset = dcmread(get_testdata_file("JPEG2000.dcm", download=False))
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    start = frame.index(b"\xff\x51") + 6
    swollen = frame[:start] + b"\x7f" + frame[start + 1 :]
    dataset.PixelData = encapsulate([swollen])
    stream = BytesIO()
    dcmwrite(stream, dataset)
    with pytest.raises(ReadError, match=r"bomb\.dcm: "):
        read_dicom(stream.getvalue(), "bomb.dcm")
    small = frame[: start + 2] + (100).to_bytes(2, "big") + frame[start + 4 :]
    dataset.PixelData = encapsulate([small])
    stream = BytesIO()
    dcmwrite(stream, dataset)
    with pytest.raises(ReadError, match=r"wanted, found \(1024, 100, 1\)"):
        read_dicom(stream.getvalue(), "x")


def test_a_box_without_length_is_refused_rather_than_followed_for_ever():
    stream = BytesIO()
    Pillow.fromarray(PICTURE).save(stream, "JPEG2000")
    raw = stream.getvalue()
    assert raw[4:8] == b"jP  "
    assert read_codestream_size(raw) == (30, 40, 1)
    damaged = raw[:12] + bytes(4) + raw[16:]
    with pytest.raises(ValueError, match="box without length"):
        read_codestream_size(damaged)
    dataset = dcmread(get_testdata_file("JPEG2000.dcm", download=False))
    dataset.PixelData = encapsulate([damaged])
    stream = BytesIO()
    dcmwrite(stream, dataset)
    with pytest.raises(ReadError, match=r"x\.dcm: .*box without length"):
        read_dicom(stream.getvalue(), "x.dcm")


@pytest.mark.parametrize("form", ["raster", "dicom"])
def test_a_jpeg_that_claims_more_than_its_bytes_can_hold(form):
    """libjpeg would fill up what is missing with grey, and say nothing."""
    stream = BytesIO()
    Pillow.fromarray(PICTURE).save(stream, "JPEG")
    raw = bytearray(stream.getvalue())
    place = raw.index(b"\xff\xc0") + 5
    raw[place : place + 4] = (14000).to_bytes(2, "big") * 2
    if form == "dicom":
        with pytest.raises(ValueError, match="claims more pixels than its bytes can hold"):
            read_codestream_size(bytes(raw))
        return
    with pytest.raises(ReadError, match=r"x: the JPEG is cut short: \d+ bytes for"):
        read_raster(bytes(raw), "x")
