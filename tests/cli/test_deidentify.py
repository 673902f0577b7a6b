"""`medclf deidentify`: the whole way, and that no identity is told on the way."""

import csv
import json
import stat
import sys
from io import BytesIO

import numpy as np
import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from medclf.cli import main as room

SECRETS = (b"Quastenflosser", b"PAT-90125", b"20190514", b"1.2.276.0.90125")


def scan(number: int) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.Modality = CTImageStorage, "CT"
    dataset.PatientName, dataset.PatientID = "Quastenflosser^H", "PAT-90125"
    dataset.StudyDate, dataset.InstanceNumber = "20190514", number
    dataset.StudyInstanceUID = "1.2.276.0.90125.1"
    dataset.SOPInstanceUID = f"1.2.276.0.90125.1.{number}"
    dataset.Rows = dataset.Columns = 8
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelData = np.arange(64, dtype=np.uint16).tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture
def export(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "in" / "Quastenflosser"
    folder.mkdir(parents=True)
    (folder / "one.dcm").write_bytes(scan(1))
    (folder / "Quastenflosser.pdf").write_bytes(b"%PDF-1.7 Quastenflosser")
    with (tmp_path / "exams.csv").open("w") as file:
        file.write("patient_id,file,date,diagnosis,comment\n")
        file.write("PAT-90125,Quastenflosser/one.dcm,2019-05-14,cyst,Quastenflosser came alone\n")
    return tmp_path


def run(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["medclf", "deidentify", *words])
    monkeypatch.setattr("medclf.core.threads.count_cores", lambda: 1)
    with pytest.raises(SystemExit) as end:
        room.main()
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out, told.err


def test_the_whole_way(export, monkeypatch, capsys):
    code, out, err = run(
        monkeypatch, capsys, "in", "out", "--key", "my.key", "--table", "exams.csv"
    )
    assert (code, err) == (0, "")
    assert "1 of 2 files" in out
    assert "table.csv: 1 of 1 rows are of a patient of the images" in out
    assert "kept     diagnosis: see that no cell" in out
    assert "left out comment\n" in out
    assert "refused  file 1: no DICOM file" in out
    written = [p for p in (export / "out").rglob("*") if p.is_file()]
    assert {p.name for p in written} >= {"deidentified.html", "files.csv", "table.csv"}
    for place in (out.encode(), *(str(p.relative_to(export)).encode() for p in written),
                  *(p.read_bytes() for p in written)):  # fmt: skip
        assert not [secret for secret in SECRETS if secret.lower() in place.lower()]
    (row,) = csv.DictReader((export / "out" / "table.csv").read_text().splitlines())
    image = dcmread(export / "out" / row["file"])
    assert image.PatientID == row["patient_id"]
    assert image.StudyDate == row["date"].replace("-", "")
    assert (row["diagnosis"], "comment" in row) == ("cyst", False)
    listed = export / "my.key.out.csv"
    assert "Quastenflosser/one.dcm" in listed.read_text()
    assert {stat.S_IMODE((export / n).stat().st_mode) for n in ("my.key", listed.name)} == {0o600}


def test_the_same_key_gives_the_same_pseudonyms(export, monkeypatch, capsys):
    for name in ("one", "two"):
        code, out, _ = run(monkeypatch, capsys, "in", name, "--key", "my.key", "--json")
        assert code == 0
        assert json.loads(out)["new_key"] == (name == "one")
    one, two = (sorted(p.relative_to(export / n) for p in (export / n).rglob("*.dcm")) for n in
                ("one", "two"))  # fmt: skip
    assert one == two


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("in", "out", "--key", "out/my.key"), "must lie outside of out"),
        (("in", "out", "--key", "in/my.key"), "must lie outside of in"),
        (("in", "out", "--key", "my.key", "--retain", "name"), "found 'name'"),
        (
            ("in", "out", "--key", "my.key", "--table", "exams.csv", "--patient", "x"),
            "exams.csv: the column 'x' of --patient wanted",
        ),
        (("nowhere", "out", "--key", "my.key"), "found nothing"),
        (("in", "in/out", "--key", "my.key"), "must lie outside of in"),
    ],
)
def test_mistakes_end_in_one_line_and_leave_nothing(export, monkeypatch, capsys, words, line):
    code, out, err = run(monkeypatch, capsys, *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: ")
    assert line in err
    assert not (export / "out").exists()
    assert not list(export.glob(".out*"))


def test_names_of_the_images_are_found_in_the_table(export, monkeypatch, capsys):
    (export / "exams.csv").write_text(
        "patient_id,diagnosis,seen\nPAT-90125,cyst,quastenflosser\nPAT-7,none,none\n"
    )
    words = ("in", "out", "--key", "my.key", "--table", "exams.csv", "--json")
    code, out, _ = run(monkeypatch, capsys, *words)
    assert code == 0
    told = json.loads(out)["table"]
    assert (told["rows"], told["joined"]) == (2, 1)
    assert told["columns"]["seen"] == "left out: a name stands in it"
    assert "quasten" not in (export / "out" / "table.csv").read_text()


def test_a_table_without_the_patient_is_named_with_the_option(export, monkeypatch, capsys):
    (export / "exams.csv").write_text("PatID,Befund\n1,cyst\n")
    words = ("in", "out", "--key", "my.key", "--table", "exams.csv")
    code, _, err = run(monkeypatch, capsys, *words)
    assert code == 1
    assert "exams.csv: the column of the patient wanted, found PatID, Befund: " in err
    assert "name it by --patient" in err


def test_without_a_key_it_is_wrong_usage(export, monkeypatch, capsys):
    assert run(monkeypatch, capsys, "in", "out")[0] == 2
