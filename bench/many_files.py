"""A folder of very many tiny files: listed, digested, prepared, cut short, and gone on with.

    python bench/many_files.py --files 100000
    python bench/many_files.py --files 100000 --dicom

Writes PNG files of 8 x 8 pixels, half of them in each of two class folders, with names of several
alphabets. Then, each in a process of its own: the cohort is read and its store made; the same
again, when everything is there; and, with another size, a making that is killed half way and begun
anew. Prints a table with the wall clock, the processor time and the peak memory of each, and how
many images the one that went on did not have to read again. Nothing is left behind.

`--dicom` writes DICOM files without suffix into one folder instead, 20 slices a series, a series a
patient, and a sheet that names the patients' classes: the rows are joined to series by their
headers, and each volume is prepared.
"""

import argparse
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from functools import partial
from io import BytesIO
from pathlib import Path

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.curate.cohort import read_cohort
from medclf.prepare.exam import Prepare
from medclf.prepare.store import open_store
from medclf.read.image import read_image

SLICES = 20
WORDS = ("scan", "снимок", "胸部", "صورة", "Größe")
EDGE = 8


def main() -> None:
    """Read the options, write the files, and run each process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--dicom", action="store_true")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--edge", type=int, default=EDGE, help=argparse.SUPPRESS)
    parser.add_argument("--kill-at", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        size = (options.edge, options.edge)
        volume = Prepare((SLICES // 2, *size), 1, intensity="percentile")
        settings = volume if options.dicom else Prepare(size, 1)
        _work(options.inside, settings, options.kill_at)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write = _write_series if options.dicom else _write_files
        write(folder / "data", options.files)
        run = partial(_run, folder, options.dicom)
        print(f"{options.files:,} files")
        print("| what | wall clock, s | processor, s | peak memory, MB | images read |")
        print("|---|---|---|---|---|")
        _row("made", run(EDGE))
        _row("found", run(EDGE))
        run(2 * EDGE, options.files // (2 * SLICES if options.dicom else 2))
        _row("gone on with, killed half way", run(2 * EDGE))


def _write_files(folder: Path, count: int) -> None:
    for number in range(count):
        place = folder / ("sick" if number % 2 else "healthy")
        if number < 2:
            place.mkdir(parents=True)
        rows = b"".join(b"\0" + os.urandom(EDGE) for _ in range(EDGE))
        parts = (
            (b"IHDR", struct.pack(">IIBBBBB", EDGE, EDGE, 8, 0, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows, 1)),
            (b"IEND", b""),
        )
        raw = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in parts
        )
        (place / f"{WORDS[number % len(WORDS)]} {number:06d}.png").write_bytes(raw)


def _write_series(folder: Path, count: int) -> None:
    """Write slices of CT and a sheet. One file is made by pydicom, of which bytes are exchanged."""
    folder.mkdir()
    whole, rows = _write_slice(), ["patient_id,label"]
    for number in range(count):
        series, slice_ = divmod(number, SLICES)
        raw = whole.replace(b"P000000", b"P%06d" % series).replace(b"7777777", b"7%06d" % series)
        raw = raw.replace(b"8888888", b"8%06d" % number).replace(b"9999.0", b"%06.1f" % slice_)
        pixels = os.urandom(2 * EDGE * EDGE)
        (folder / f"{number:06d}").write_bytes(raw[: -len(pixels)] + pixels)
        if not slice_:
            rows.append(f"P{series:06d},{'sick' if series % 2 else 'healthy'}")
    (folder / "labels.csv").write_text("\n".join(rows), encoding="utf-8")


def _write_slice() -> bytes:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, "1.2.8888888"
    one.Modality, one.PatientID = "CT", "P000000 "
    one.StudyInstanceUID, one.SeriesInstanceUID = "1.2.3.7777777", "1.2.7777777"
    one.SeriesDescription, one.PatientAge, one.KVP = "thorax 1.0", "060Y", "120"
    one.Manufacturer, one.InstitutionName = "none", "nowhere"
    one.ImagePositionPatient = ["0", "0", "9999.0"]
    one.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    one.PixelSpacing, one.SliceThickness = ["1", "1"], "1"
    one.RescaleIntercept, one.RescaleSlope, one.RescaleType = "0", "1", "HU"
    one.Rows = one.Columns = EDGE
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated = one.BitsStored = 16
    one.HighBit, one.PixelRepresentation = 15, 1
    one.PixelData = bytes(2 * EDGE * EDGE)
    buffer = BytesIO()
    one.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _run(folder: Path, dicom: bool, edge: int, kill_at: int = 0) -> dict[str, float]:
    words = ["--inside", str(folder), "--edge", str(edge), "--kill-at", str(kill_at)]
    words += ["--dicom"] if dicom else []
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True)
    if kill_at:
        if done.returncode != -signal.SIGKILL:
            sys.exit(f"a killed process wanted, found one that ended with {done.returncode}")
        return {}
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _row(what: str, found: dict[str, float]) -> None:
    seconds, cpu, memory = (f"{found[key]:.1f}" for key in ("seconds", "cpu", "memory"))
    print(f"| {what} | {seconds} | {cpu} | {memory} | {found['read']:,.0f} |", flush=True)


def _work(folder: Path, settings: Prepare, kill_at: int) -> None:
    start, reads = time.monotonic(), [0]

    def progress(done: int, total: int) -> None:
        if kill_at and done >= kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def read(source: Source) -> Image:
        reads[0] += 1
        return read_image(source)

    cohort = read_cohort(folder / "data")
    store = open_store(cohort.records, settings, folder / "cache", progress, read=read)
    if len(store.values) != len(cohort.records):
        sys.exit(f"{len(cohort.records)} rows wanted, found {len(store.values)}")
    found = {
        "seconds": time.monotonic() - start,
        "cpu": time.process_time(),
        "memory": _peak_mb(),
        "read": reads[0],
    }
    print(json.dumps(found))


def _peak_mb() -> float:
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    (line,) = (line for line in text.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
