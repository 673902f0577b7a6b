"""The table of exams: replaced as the images are, and without what may tell of people."""

import csv
from datetime import date
from io import StringIO

import pytest

from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.table import pseudonymise_table
from medclf.curate.deidentify.traces import Shown
from medclf.errors import CohortError

TABLE = {
    "Patient ID": ["4711", "4711", "0815", "9"],
    "file": ["a/one.dcm", "a/two.dcm", "b.dcm", "lost.dcm"],
    "study_uid": ["1.2.276.0.7.1.1", "1.2.276.0.7.1.2", None, "1.2.276.0.7.1.4"],
    "accession": ["A1", "A2", "A3", None],
    "exam date": ["2019-05-14", "2019-06-03", "2019-05-14", None],
    "letter": ["14.05.2019", "15.05.2019", "16.05.2019", "17.05.2019"],
    "ambiguous": ["03/04/2019", "05/06/2019", "07/08/2019", "09/10/2019"],
    "age": ["97", "98.5", "41", "89"],
    "diagnosis": ["cyst", "none", "cyst", "none"],
    "volume_ml": ["12.5", "7", None, "100"],
    "phone": ["1", "2", "3", "4"],
    "internal": ["12345678", "2", "3", "4"],
    "referring physician": ["Dr. Nachtigall"] * 4,
    "finding": ["seen by Nachtigall", "nothing", "a cyst in the left lung", "small nodule"],
    "hint": ["4711-a", "x", "x", "x"],
}
PLACES = {"a/one.dcm": "P1/1.dcm", "a/two.dcm": "P1/2.dcm", "b.dcm": "P2/1.dcm"}


def rows_of(text: str) -> dict[str, list[str]]:
    header, *rows = list(csv.reader(StringIO(text)))
    return dict(zip(header, (list(column) for column in zip(*rows, strict=True)), strict=True))


def test_every_kind_of_column(key):
    done = pseudonymise_table(TABLE, key, Options(), Shown(PLACES))
    out = rows_of(done.text)
    assert out["Patient ID"] == [key.pseudonym(p) for p in ("4711", "4711", "0815", "9")]
    assert out["file"] == ["P1/1.dcm", "P1/2.dcm", "P2/1.dcm", ""]
    assert out["study_uid"][0] == key.uid("1.2.276.0.7.1.1")
    assert out["study_uid"][2] == ""
    assert out["accession"] == [key.accession("A1"), key.accession("A2"), key.accession("A3"), ""]
    assert out["age"] == ["90", "90", "41", "89"]
    assert out["diagnosis"] == TABLE["diagnosis"]
    assert out["volume_ml"] == ["12.5", "7", "", "100"]
    left = {name for name, what in done.columns.items() if what.startswith("left out")}
    assert left == {"ambiguous", "phone", "internal", "referring physician", "finding", "hint"}
    assert set(out) == set(TABLE) - left
    assert "Nachtigall" not in done.text
    assert "4711" not in done.text


def test_dates_move_as_those_of_the_images(key):
    out = rows_of(pseudonymise_table(TABLE, key, Options(), Shown(PLACES)).text)
    days = key.shift_days("4711")
    one, two, three = (date.fromisoformat(text) for text in out["exam date"][:3])
    assert (one - date(2019, 5, 14)).days == days
    assert (two - one).days == 20
    assert (three - date(2019, 5, 14)).days == key.shift_days("0815") != days
    assert out["exam date"][3] == ""
    moved = date.fromordinal(date(2019, 5, 14).toordinal() + days)
    assert out["letter"][0] == f"{moved:%d.%m.%Y}"


def test_the_options_of_the_images_hold_here_too(key):
    kept = pseudonymise_table(TABLE, key, Options(frozenset({"uids"}), dates="keep"), Shown(PLACES))
    out = rows_of(kept.text)
    assert out["exam date"][:3] == ["2019-05-14", "2019-06-03", "2019-05-14"]
    assert out["study_uid"][0] == "1.2.276.0.7.1.1"
    gone = pseudonymise_table(TABLE, key, Options(dates="remove"), Shown(PLACES))
    assert gone.columns["exam date"] == "left out: a date"


def test_a_person_may_keep_a_column_and_name_the_patient(key):
    table = {"case": ["a", "b"], "text": ["free words", "more of them"]}
    with pytest.raises(CohortError, match="column of the patient wanted"):
        pseudonymise_table(table, key, Options(), Shown())
    with pytest.raises(CohortError, match="'nobody' of --patient wanted"):
        pseudonymise_table(table, key, Options(), Shown(), "nobody")
    out = rows_of(pseudonymise_table(table, key, Options(), Shown(), "case", ("text",)).text)
    assert out == {"case": [key.pseudonym("a"), key.pseudonym("b")], "text": table["text"]}


def test_names_and_sentences_are_found_in_small_tables(key):
    table = {
        "patient": ["a", "b", "c", "d"],
        "name": ["Nachtigall, Ute", "Amsel", "Fink", "Star"],
        "ward": ["AMSEL", "b", "AMSEL", "b"],
        "told": ["came by herself today", "none", "none", "none"],
        "class": ["nevus of the skin", "nevus of the skin", "none", "none"],
    }
    done = pseudonymise_table(table, key, Options(), Shown())
    assert done.columns["ward"] == "left out: a name stands in it"
    assert done.columns["told"] == "left out: free text"
    assert rows_of(done.text)["class"] == table["class"]


def test_table_and_images_join(key, plant, read):
    from medclf.curate.deidentify.dicom import deidentify_dicom

    image = read(deidentify_dicom(plant(), key, Options(), "file 1").raw)
    table = {
        "patient": ["PAT-90125-X"],
        "accession": ["ACC7788123"],
        "date": ["20190514"],
        "uid": ["1.2.276.0.90125.19481203.1"],
    }
    (row,) = csv.DictReader(StringIO(pseudonymise_table(table, key, Options(), Shown()).text))
    assert row == {
        "patient": image.PatientID,
        "accession": image.AccessionNumber,
        "date": image.StudyDate,
        "uid": image.StudyInstanceUID,
    }


def test_ids_of_any_length_and_telephones_are_found(key):
    table = {
        "patient": ["17", "18", "19"],
        "again": ["17", "18", None],
        "grade": ["1", "2", "19"],
        "call": ["079 123 45 67", "none", "none"],
        "whose": ["x", "Pat 90", "PAT-90"],
        "Nom": ["a", "b", "a"],
        "Patientin": ["a", "b", "a"],
        "inpatient": ["yes", "no", "no"],
        "mobile": ["+41791234567", "none", "none"],
        "share": ["0.12345678", "none", "none"],
    }
    shown = Shown(patients=frozenset({key.pseudonym("PAT-90")}))
    done = pseudonymise_table(table, key, Options(), shown)
    assert rows_of(done.text)["grade"] == table["grade"]
    assert {name for name, what in done.columns.items() if what.startswith("left out")} == {
        "again", "call", "whose", "Nom", "Patientin", "mobile"}  # fmt: skip


def test_one_uid_makes_a_column_of_uids(key):
    table = {"patient": ["a", "b"], "uid": ["1.2.276.0.7.1.1", "Nachtigall"]}
    out = rows_of(pseudonymise_table(table, key, Options(), Shown()).text)
    assert out["uid"] == [key.uid("1.2.276.0.7.1.1"), ""]


def test_names_of_images_are_known_without_keeping_them(key, plant):
    from medclf.curate.deidentify.dicom import deidentify_dicom

    image = deidentify_dicom(plant(PatientName="Müller^Jörg"), key, Options(), "file 1")
    assert not any("ller" in trace.casefold() for trace in image.traces)
    shown = Shown(traces=frozenset(image.traces))
    for cell in ("Mueller", "MÜLLER, J.", "Muller", "Jörg Müller", "X90125", "by Nachtigall"):
        assert shown.names(cell, key), cell
    for cell in ("fracture", "Muller-like", "CHEST", "left"):
        assert shown.names(cell, key) == (cell == "Muller-like"), cell


def test_rows_join_where_a_spreadsheet_took_leading_zeros(key):
    shown = Shown(
        patients=frozenset(map(key.pseudonym, ("0017", "0018", "9"))),
        accessions=frozenset(map(key.accession, ("007001", "007002"))),
    )
    table = {
        "patient": ["17", "18", "9", "5"],
        "accession": ["7001", "7002", None, "3"],
        "exam": ["7001", "7002", "7001", "7001"],
        "day": ["2019-05-14"] * 4,
    }
    done = pseudonymise_table(table, key, Options(), shown)
    out = rows_of(done.text)
    assert out["patient"] == [key.pseudonym(p) for p in ("0017", "0018", "9", "5")]
    assert out["accession"][:3] == [key.accession("007001"), key.accession("007002"), ""]
    assert out["exam"][0] == out["accession"][0]
    moved = date.fromisoformat(out["day"][0]) - date(2019, 5, 14)
    assert moved.days == key.shift_days("0017")
    assert (done.rows, done.joined, done.padded) == (4, 3, 2)
