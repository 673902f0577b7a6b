"""Compressed DICOM decoded apart, in processes that may crash, beside pydicom in this process.

    python bench/decoders.py --files 20 --rounds 5

Each form is a CT slice of 512 x 512 with 12 bits, made from a phantom. Both ways read the same
bytes to the same values, alternating, first by one thread, then by two; the best round counts. CPU
is that of all processes together. Prints a table in Markdown.
"""

import argparse
import io
import logging
import os
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from imagecodecs import jpeg2k_encode, jpegls_encode, ljpeg_encode
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, RLELossless
from scipy.ndimage import gaussian_filter

from medclf.read.dicom import decoders
from medclf.read.dicom.file import read_dicom

EDGE = 512


def main() -> None:
    """Time all forms."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("| form | threads | pydicom, ms | apart, ms | pydicom, CPU ms | apart, CPU ms |")
    print("|---|---|---|---|---|---|")
    for form, raw in _files().items():
        for threads in (1, 2):
            ways = {"pydicom": _decode, "apart": _read}
            best = dict.fromkeys(ways, (np.inf, np.inf))
            for _ in range(options.rounds):
                for way, read in ways.items():
                    took = _time(read, raw, options.files, threads)
                    best[way] = tuple(map(min, best[way], took))
            cells = [f"{best[way][part]:.1f}" for part in (0, 1) for way in ways]
            print(f"| {form} | {threads} | {' | '.join(cells)} |", flush=True)
    print(f"\nStart of a process: {_time_start():.2f} s, once for each thread that decodes.")


def _files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    body = np.hypot(*np.mgrid[-1 : 1 : EDGE * 1j, -1 : 1 : EDGE * 1j]) < 0.8
    noise = gaussian_filter(rng.normal(size=(EDGE, EDGE)), 0.7) * 40
    slice_ = body * (1050 + noise + 60 * gaussian_filter(rng.normal(size=body.shape), 20) * 50)
    values = slice_.clip(0, 4095).astype(np.uint16)
    lossless = {"reversible": True, "codecformat": 0, "bitspersample": 12}
    return {
        "JPEG lossless": _write(
            values, "1.2.840.10008.1.2.4.70", ljpeg_encode(values, bitspersample=12)
        ),
        "JPEG-LS": _write(values, "1.2.840.10008.1.2.4.80", jpegls_encode(values)),
        "JPEG 2000": _write(values, "1.2.840.10008.1.2.4.90", jpeg2k_encode(values, **lossless)),
        "run lengths": _write(values, RLELossless, None),
    }


def _write(values: np.ndarray, syntax: str, frame: bytes | None) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = CTImageStorage, "1.2.3", "CT"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    if frame is None:
        dataset.compress(syntax, values, encoding_plugin="pydicom")
    else:
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def _read(raw: bytes) -> object:
    return read_dicom(raw, "slice.dcm")


def _decode(raw: bytes) -> object:
    return dcmread(io.BytesIO(raw)).pixel_array


def _time(
    read: Callable[[bytes], object], raw: bytes, files: int, threads: int
) -> tuple[float, float]:
    """Read so many files; return ms of the clock and of all processors for each."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(read, [raw] * threads))
        began, spent = time.perf_counter(), _cpu_s()
        list(pool.map(read, [raw] * files))
        return (
            1000 * (time.perf_counter() - began) / files,
            1000 * (_cpu_s() - spent) / files,
        )


def _cpu_s() -> float:
    spent = time.process_time()
    for worker in decoders._idle:
        fields = Path(f"/proc/{worker._process.pid}/stat").read_text().rpartition(")")[2].split()
        spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def _time_start() -> float:
    began = time.perf_counter()
    decoders.Worker().end()
    return time.perf_counter() - began


if __name__ == "__main__":
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    main()
