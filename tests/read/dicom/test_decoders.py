import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from threading import Timer

import numpy as np
import pytest
from imagecodecs import htj2k_encode, jpeg2k_encode, jpeg8_encode, jpegls_encode, ljpeg_encode
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import SecondaryCaptureImageStorage

from medclf.errors import ReadError
from medclf.read.dicom import decoders
from medclf.read.dicom.codec import decodes_alone
from medclf.read.dicom.file import read_dicom

RNG = np.random.default_rng(0)
STORED = RNG.integers(0, 4096, (40, 30), np.uint16)
FORMS = {
    "1.2.840.10008.1.2.4.70": lambda values: ljpeg_encode(values, bitspersample=12),
    "1.2.840.10008.1.2.4.57": lambda values: ljpeg_encode(values, bitspersample=12),
    "1.2.840.10008.1.2.4.80": jpegls_encode,
    "1.2.840.10008.1.2.4.90": lambda values: jpeg2k_encode(
        values, reversible=True, codecformat=0, bitspersample=12
    ),
}


def compressed(frames, syntax, **elements):
    """Write frames that are compressed already."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = STORED.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation, dataset.NumberOfFrames = 0, len(frames)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture
def one_worker(monkeypatch):
    """Only this test's own process decodes."""
    monkeypatch.setattr(decoders, "_idle", [])
    yield decoders
    decoders.end_decoders()


@pytest.mark.parametrize("syntax", FORMS)
def test_lossless_frames_come_back(syntax):
    frames = [FORMS[syntax](STORED), FORMS[syntax](STORED[::-1].copy())]
    image = read_dicom(compressed(frames, syntax), "x")
    np.testing.assert_array_equal(image.values[0], np.stack([STORED, STORED[::-1]]))
    assert (image.values.dtype, image.bits) == (np.uint16, 12)


@pytest.mark.parametrize("syntax", FORMS)
def test_a_frame_cut_short_is_refused(syntax):
    frame = FORMS[syntax](STORED)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(ReadError, match=r"^x\.dcm: .*") as problem:
            read_dicom(compressed([frame[: int(len(frame) * share)]], syntax), "x.dcm")
        assert len(str(problem.value)) < 300
        assert "\n" not in str(problem.value)


def test_a_lossless_frame_whose_middle_is_missing_is_refused():
    """Its end is there, so that only the decoder can notice; lenient ones fill with grey."""
    syntax = "1.2.840.10008.1.2.4.70"
    frame = FORMS[syntax](STORED)
    half = len(frame) // 2
    with pytest.raises(ReadError, match="the compressed pixels are damaged"):
        read_dicom(compressed([frame[:half] + frame[-2:]], syntax), "x")


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_every_predictor_and_depth_of_lossless_jpeg(predictor, bits):
    values = (STORED >> (12 - bits) if bits < 12 else STORED << (bits - 12)).astype(
        np.uint8 if bits == 8 else np.uint16
    )
    frame = jpeg8_encode(values, lossless=True, predictor=predictor, bitspersample=bits)
    depth = {"BitsAllocated": 8 * values.itemsize, "BitsStored": bits, "HighBit": bits - 1}
    image = read_dicom(compressed([frame], "1.2.840.10008.1.2.4.57", **depth), "x")
    np.testing.assert_array_equal(image.values[0], values)


def test_restarts_and_point_transforms_are_left_to_another_decoder():
    frame = FORMS["1.2.840.10008.1.2.4.70"](STORED)
    assert decodes_alone("1.2.840.10008.1.2.4.70", 1, frame)
    assert not decodes_alone("1.2.840.10008.1.2.4.70", 3, frame)
    scan = frame.index(b"\xff\xda")
    shifted = frame[: scan + 9] + b"\x01" + frame[scan + 10 :]
    assert not decodes_alone("1.2.840.10008.1.2.4.70", 1, shifted)
    restarts = frame[:scan] + b"\xff\xdd\0\x04\0\x08" + frame[scan:]
    assert not decodes_alone("1.2.840.10008.1.2.4.70", 1, restarts)
    assert not decodes_alone("1.2.840.10008.1.2.4.50", 1, frame)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"])
def test_left_aligned_bits_in_a_codestream_of_sixteen(syntax):
    whole = partial(jpeg2k_encode, reversible=True, codecformat=0)
    frame = (jpegls_encode if syntax.endswith("80") else whole)(STORED << 4)
    image = read_dicom(compressed([frame], syntax, HighBit=15), "x")
    np.testing.assert_array_equal(image.values[0], STORED)


def test_a_codestream_of_twelve_bits_begins_at_0_whatever_the_header_says():
    syntax = "1.2.840.10008.1.2.4.90"
    image = read_dicom(compressed([FORMS[syntax](STORED)], syntax, HighBit=15), "x")
    np.testing.assert_array_equal(image.values[0], STORED)


def test_a_small_frame_that_claims_a_large_image_is_refused_before_it_is_decoded(one_worker):
    frame = bytearray(FORMS["1.2.840.10008.1.2.4.90"](STORED))
    sizes = frame.index(b"\xff\x51") + 6
    for place in (0, 4, 16, 20):  # Of the image and of its only tile, in x and y.
        frame[sizes + place : sizes + place + 4] = (14000).to_bytes(4, "big")
    raw = compressed([bytes(frame)], "1.2.840.10008.1.2.4.90", Rows=14000, Columns=14000)
    with pytest.raises(ReadError, match=r"x: unpacks \d+-fold; more than 500-fold is a bomb"):
        read_dicom(raw, "x")
    assert not one_worker._idle


@pytest.mark.parametrize("last", ["201", "202", "203"])
def test_high_throughput_jpeg_2000(last):
    frame = htj2k_encode(STORED, reversible=True)
    depth = {"BitsStored": 16, "HighBit": 15}
    image = read_dicom(compressed([frame], f"1.2.840.10008.1.2.4.{last}", **depth), "x")
    np.testing.assert_array_equal(image.values[0], STORED)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC"),
        ("1.2.840.10008.1.2.4.92", "Part 2 Multi-component"),
    ],
)
def test_syntaxes_that_are_not_read_are_named(syntax, name):
    with pytest.raises(ReadError, match=rf"x: pixels stored as .*{name}.* are not read"):
        read_dicom(compressed([b"\0\0\1\xb3"], syntax), "x")


def test_a_crash_harms_one_file_only(one_worker):
    raw = compressed([jpegls_encode(STORED)], "1.2.840.10008.1.2.4.80")
    read_dicom(raw, "x")
    (worker,) = one_worker._idle
    os.kill(worker._process.pid, signal.SIGSTOP)
    crash = Timer(0.3, os.kill, (worker._process.pid, signal.SIGKILL))
    crash.start()
    with pytest.raises(ReadError, match="x: the compressed pixels are damaged: the decoder crash"):
        read_dicom(raw, "x")
    crash.join()
    np.testing.assert_array_equal(read_dicom(raw, "x").values[0], STORED)


def test_a_process_that_ended_while_it_waited_is_replaced(one_worker):
    raw = compressed([jpegls_encode(STORED)], "1.2.840.10008.1.2.4.80")
    read_dicom(raw, "x")
    (worker,) = one_worker._idle
    os.kill(worker._process.pid, signal.SIGINT)  # As Ctrl-C does to all processes of a terminal.
    read_dicom(raw, "x")
    assert one_worker._idle == [worker]
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait()
    np.testing.assert_array_equal(read_dicom(raw, "x").values[0], STORED)


def test_a_process_that_cannot_be_started_is_told_of(one_worker, monkeypatch):
    raw = compressed([jpegls_encode(STORED)], "1.2.840.10008.1.2.4.80")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ReadError, match="x: cannot be decoded: no process for decoders can be st"):
        read_dicom(raw, "x")


def test_a_decoder_that_hangs_is_ended(one_worker, monkeypatch):
    raw = compressed([jpegls_encode(STORED)], "1.2.840.10008.1.2.4.80")
    read_dicom(raw, "x")
    (worker,) = one_worker._idle
    os.kill(worker._process.pid, signal.SIGSTOP)
    monkeypatch.setattr(one_worker, "PATIENCE_S", 0.2)
    with pytest.raises(ReadError, match="damaged: no end after 0 s"):
        read_dicom(raw, "x")
    assert worker._process.poll() is not None


def test_memory_beyond_what_the_image_needs_is_refused():
    code = (
        "from medclf.read.dicom.decode import _limit_memory\n"
        "import numpy\n"
        "_limit_memory(1000)\n"
        "numpy.ones(2**20)\n"
        "try:\n    numpy.ones(2**27)\n"
        "except MemoryError:\n    print('refused')"
    )
    line = [sys.executable, "-c", code]
    assert subprocess.run(line, capture_output=True, text=True).stdout == "refused\n"


def test_what_a_library_prints_does_not_stand_between_the_answers():
    process = subprocess.run(
        [sys.executable, "-P", "-m", "medclf.read.dicom.decode"],
        input=b'{"syntax": "1.2.840.10008.1.2.4.80", "options": {}, "size": 9, "bytes": 3}\nabc',
        capture_output=True,
        check=True,
    )
    ready, answer = (json.loads(line) for line in process.stdout.splitlines())
    assert ready["ready"]
    assert answer["refused"]


def test_many_threads_share_few_processes(one_worker):
    raws = [
        compressed([FORMS[syntax](np.roll(STORED, shift))], syntax)
        for syntax in FORMS
        for shift in range(4)
    ]
    truth = [read_dicom(raw, "x").values for raw in raws]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read_dicom, raws * 4, ["x"] * 4 * len(raws)))
    for number, image in enumerate(found):
        np.testing.assert_array_equal(image.values, truth[number % len(raws)])
    assert 1 <= len(one_worker._idle) <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks wanted")
def test_a_forked_program_starts_decoders_of_its_own():
    code = (
        "import os, sys\n"
        "from medclf.read.dicom import decoders\n"
        "from medclf.read.dicom.file import read_dicom\n"
        "raw = sys.stdin.buffer.read()\n"
        "read_dicom(raw, 'x')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    ok = not decoders._idle and read_dicom(raw, 'x').values.any()\n"
        "    decoders.end_decoders()\n"
        "    os._exit(0 if ok else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(decoders._idle))"
    )
    raw = compressed([jpegls_encode(STORED)], "1.2.840.10008.1.2.4.80")
    found = subprocess.run([sys.executable, "-c", code], input=raw, capture_output=True, check=True)
    assert found.stdout == b"0 1\n"


def test_plain_pixels_need_no_other_process(one_worker):
    dataset = dcmread(get_testdata_file("CT_small.dcm", download=False))
    stream = BytesIO()
    dcmwrite(stream, dataset)
    read_dicom(stream.getvalue(), "x")
    assert not one_worker._idle
