"""Every file of an export has a line, whatever it is."""

import csv
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, EncapsulatedPDFStorage, ExplicitVRLittleEndian

from medclf.core.record import Record, Source
from medclf.curate.files import FileLine, format_lines, trace_files
from medclf.errors import ReadError
from medclf.read.dicom.find import find_series


def dicom(series: str, z: float | None, number: int = 1, kind: str = CTImageStorage) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.Modality, dataset.PatientID = kind, "CT", "1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2", series
    dataset.SOPInstanceUID = f"{series}.{number}"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if z is not None:
        dataset.ImagePositionPatient, dataset.PixelSpacing = [0, 0, z], [0.5, 0.5]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.Rows, dataset.Columns = 6, 8
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 0
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        dataset.PixelData = np.full((6, 8), number, np.uint16).tobytes()
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture
def export(tmp_path):
    root = tmp_path / "export"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
    for i, z in enumerate((4.0, 0.0, 2.0)):
        (root / "a" / f"{i}").write_bytes(dicom("1.2.1", z, i + 1))
    (root / "a" / "again").write_bytes(dicom("1.2.1", 2.0, 3))
    for i, z in enumerate((0.0, 2.0, 4.0, 10.0)):  # Two slices are missing.
        (root / "b" / f"{i}.dcm").write_bytes(dicom("1.2.2", z, i + 1))
    (root / "letter.dcm").write_bytes(dicom("1.2.3", None, kind=EncapsulatedPDFStorage))
    (root / "notes.txt").write_text("no image")
    (root / "hurt.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (root / ".hidden").touch()
    Pillow.fromarray(np.eye(9, dtype=np.uint8)).save(root / "photo.png")
    return root


def test_every_file_has_a_line(export):
    lines = {line.file: line for line in trace_files(export)}
    there = {p.relative_to(export).as_posix() for p in export.rglob("*") if p.is_file()}
    assert set(lines) == there
    slice_ = lines["a/0"]
    assert slice_ == FileLine(
        "a/0", slice_.series, "4", "", "CT", "3 × 6 × 8", "1", "2 × 0.5 × 0.5", "HU",
        slice_.changed, "",
    )  # fmt: skip
    assert slice_.series.startswith("1.2.1")
    assert "duplicate" in slice_.changed
    assert lines["b/3.dcm"].refused.count("missing") == 1
    assert lines["b/3.dcm"].size == ""
    assert (lines["photo.png"].size, lines["photo.png"].refused) == ("9 × 9", "")
    for name, reason in (("notes.txt", "no image"), (".hidden", "hidden"), ("hurt.png", "PNG")):
        assert reason in lines[name].refused
    assert lines["letter.dcm"].refused


def test_what_a_cohort_uses_is_told(export):
    (volume,) = [s.source for s in find_series(export).series if s.uid == "1.2.1"]
    records = (
        Record("first", {"image": volume}, "1"),
        Record("second", {"image": Source(export / "photo.png")}, "2"),
    )
    used = {line.file: line.exam for line in trace_files(export, records)}
    assert {name for name, exam in used.items() if exam == "first"} == {
        "a/0", "a/1", "a/2", "a/again"
    }  # fmt: skip
    assert used["photo.png"] == "second"
    assert used["b/0.dcm"] == used["notes.txt"] == ""


def test_a_zip_is_told_by_its_members(export, tmp_path):
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in export.rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                archive.write(path, path.relative_to(export))
    loose = [line for line in trace_files(export) if line.file != ".hidden"]
    packed = trace_files(tmp_path / "a.zip")
    assert [line.file for line in packed] == [line.file for line in loose]
    assert [line.size for line in packed] == [line.size for line in loose]


def test_lines_as_csv_and_progress(export):
    seen: list[tuple[int, int]] = []
    lines = trace_files(export, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == len(seen)
    rows = list(csv.DictReader(StringIO(format_lines(lines))))
    assert [FileLine(**row) for row in rows] == lines


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(ReadError, match="folder"):
        trace_files(Path(tmp_path / "nowhere"))
