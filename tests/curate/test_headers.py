"""What the headers of DICOM files tell of exams, and where a table knows better."""

import zipfile
from dataclasses import replace

import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file

from medclf.core.record import Record, Source
from medclf.curate.headers import read_headers


def pack(path):
    """Put a file into a zip beside it."""
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        archive.write(path, path.name)
    return Source(path.with_suffix(".zip"), path.name)


def test_headers_name_the_patients(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    dataset.PatientAge, dataset.PatientSex = "037Y", "F"
    records = []
    for i, patient in enumerate(("A", "A", "B", "")):
        dataset.PatientID = patient
        dataset.save_as(tmp_path / f"{i}.dcm")
        records.append(Record(f"{i}", {"image": Source(tmp_path / f"{i}.dcm")}, f"{i}"))
    (tmp_path / "bad.dcm").write_bytes(b"no DICOM at all")
    for name in ("bad.dcm", "photo.png"):
        records.append(Record(name, {"image": Source(tmp_path / name)}, name))
    found, notes = read_headers(records)
    assert [r.patient for r in found] == ["A", "A", "B", "3", "bad.dcm", "photo.png"]
    assert found[0].facts["age_years"] == 37
    assert found[0].facts["sex"] == "F"
    assert found[0].facts["modality"] == "CT"
    assert "field_strength_t" not in found[0].facts  # Which no file of these states.
    assert found[4].facts == {}
    assert notes == ["Patient and facts of 4 exams come from their DICOM headers."]
    assert "name one patient, 'A'" in read_headers(records[:2])[1][1]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "2.dcm", "deep/2.dcm")
    inside = Record("z", {"image": Source(tmp_path / "a.zip", "deep/2.dcm")}, "z")
    assert read_headers([inside])[0][0].patient == "B"


def test_headers_tell_facts_where_others_tell_the_patients(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    records = []
    for i, patient in enumerate(("A", "A", "B")):
        dataset.PatientID = patient
        dataset.save_as(tmp_path / f"{i}.dcm")
        records.append(Record(f"{i}", {"image": Source(tmp_path / f"{i}.dcm")}, f"of table {i}"))
    found, notes = read_headers(records, patients=False)
    assert [r.patient for r in found] == ["of table 0", "of table 1", "of table 2"]
    assert all(r.facts["modality"] == "CT" for r in found)
    assert notes[0] == "Facts of 3 exams come from their DICOM headers."
    assert "know 1 patient that count as several here" in notes[1]
    assert len(read_headers(records[1:], patients=False)[1]) == 1
    one = [replace(record, patient="one") for record in records]
    assert "1 patient here is known as several to DICOM headers" in read_headers(one, False)[1][1]


def test_a_packed_file_is_read_whole_only_to_learn_its_patient(tmp_path, monkeypatch):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    dataset.PatientID = ""
    dataset.save_as(tmp_path / "a.dcm")
    record = Record("a", {"image": pack(tmp_path / "a.dcm")}, "")
    assert read_headers([record])[0][0].facts["modality"] == "CT"
    monkeypatch.setattr("medclf.curate.headers.read_bytes", None)
    assert read_headers([record], patients=False)[0][0].facts["modality"] == "CT"


@pytest.mark.parametrize("endless", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_a_long_sequence_before_the_patient_hides_nothing(tmp_path, endless, packed):
    """As that of the images of which a reformat was made, or of private elements."""
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    dataset.PatientID, dataset.StationName = "A", "north"
    items = [Dataset() for _ in range(9)]
    for item in items:
        item.ImageComments = "x" * 9000
    dataset.SourceImageSequence = items
    dataset["SourceImageSequence"].is_undefined_length = endless
    dataset.save_as(tmp_path / "a.dcm")
    source = pack(tmp_path / "a.dcm") if packed else Source(tmp_path / "a.dcm")
    (found,), notes = read_headers([Record("a", {"image": source}, "")])
    assert (found.patient, found.facts["station"]) == ("A", "north")
    assert notes == ["Patient and facts of 1 exam come from their DICOM headers."]
    (found,), _ = read_headers([Record("a", {"image": source}, "B")], patients=False)
    assert (found.patient, found.facts["station"]) == ("B", "north")


def test_headers_without_a_patient_tell_facts_alone(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    dataset.PatientID = ""
    dataset.save_as(tmp_path / "a.dcm")
    (found,), notes = read_headers([Record("a", {"image": Source(tmp_path / "a.dcm")}, "")])
    assert found.patient == ""
    assert notes == ["Facts of 1 exam come from their DICOM headers."]


def test_facts_of_the_table_win_over_those_of_the_header(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    dataset.save_as(tmp_path / "a.dcm")
    record = Record("a", {"image": Source(tmp_path / "a.dcm")}, "a", facts={"sex": "known"})
    (found,), _ = read_headers([record])
    assert found.facts["sex"] == "known"
    (found,), _ = read_headers([replace(record, facts={"Gender": "known", "age": 61.0})])
    assert not {"sex", "age_years"} & set(found.facts)
    assert found.patient == "1CT1"
