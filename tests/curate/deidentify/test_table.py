"""The table of exams: replaced as the images are, and without what may tell of people."""

import csv
from datetime import date
from io import StringIO

import pytest

from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.table import pseudonymise_table
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
    done = pseudonymise_table(TABLE, key, Options(), PLACES)
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
    out = rows_of(pseudonymise_table(TABLE, key, Options(), PLACES).text)
    days = key.shift_days("4711")
    one, two, three = (date.fromisoformat(text) for text in out["exam date"][:3])
    assert (one - date(2019, 5, 14)).days == days
    assert (two - one).days == 20
    assert (three - date(2019, 5, 14)).days == key.shift_days("0815") != days
    assert out["exam date"][3] == ""
    moved = date.fromordinal(date(2019, 5, 14).toordinal() + days)
    assert out["letter"][0] == f"{moved:%d.%m.%Y}"


def test_the_options_of_the_images_hold_here_too(key):
    kept = pseudonymise_table(TABLE, key, Options(frozenset({"uids"}), dates="keep"), PLACES)
    out = rows_of(kept.text)
    assert out["exam date"][:3] == ["2019-05-14", "2019-06-03", "2019-05-14"]
    assert out["study_uid"][0] == "1.2.276.0.7.1.1"
    gone = pseudonymise_table(TABLE, key, Options(dates="remove"), PLACES)
    assert gone.columns["exam date"] == "left out: a date"


def test_a_person_may_keep_a_column_and_name_the_patient(key):
    table = {"case": ["a", "b"], "text": ["free words", "more of them"]}
    with pytest.raises(CohortError, match="column of the patient wanted"):
        pseudonymise_table(table, key, Options(), {})
    with pytest.raises(CohortError, match="'nobody' wanted"):
        pseudonymise_table(table, key, Options(), {}, "nobody")
    out = rows_of(pseudonymise_table(table, key, Options(), {}, "case", ("text",)).text)
    assert out == {"case": [key.pseudonym("a"), key.pseudonym("b")], "text": table["text"]}


def test_names_and_sentences_are_found_in_small_tables(key):
    table = {
        "patient": ["a", "b", "c", "d"],
        "name": ["Nachtigall, Ute", "Amsel", "Fink", "Star"],
        "ward": ["AMSEL", "b", "AMSEL", "b"],
        "told": ["came by herself today", "none", "none", "none"],
        "class": ["nevus of the skin", "nevus of the skin", "none", "none"],
    }
    done = pseudonymise_table(table, key, Options(), {})
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
    (row,) = csv.DictReader(StringIO(pseudonymise_table(table, key, Options(), {}).text))
    assert row == {
        "patient": image.PatientID,
        "accession": image.AccessionNumber,
        "date": image.StudyDate,
        "uid": image.StudyInstanceUID,
    }
