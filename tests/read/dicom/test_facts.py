from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from medclf.read.dicom.facts import hash_site, read_facts

STORED = np.zeros((6, 5), np.uint16)


def raw_of(name):
    """Find a file of pydicom's wheel; nothing is downloaded."""
    return Path(get_testdata_file(f"{name}.dcm", download=False)).read_bytes()


def test_facts(make_dicom):
    names = {"PatientID": "P-17 ", "PatientSex": "F", "PatientAge": "034Y", "PatientName": "A^B"}
    exam = {"Modality": "DX", "ViewPosition": "PA", "Manufacturer": "Maker"}
    facts = read_facts(make_dicom(STORED, **names, **exam))
    assert {name: value for name, value in facts.items() if value is not None} == {
        "patient": "P-17",
        "sex": "F",
        "age_years": 34.0,
        "modality": "DX",
        "view": "PA",
        "manufacturer": "Maker",
    }


def test_facts_of_the_scanner_and_the_part_of_the_body(make_dicom):
    raw = make_dicom(
        STORED,
        ManufacturerModelName="Model 7",
        StationName="ROOM2",
        KVP="120",
        MagneticFieldStrength="15000",
        BodyPartExamined="BREAST",
        Laterality="L",
        BurnedInAnnotation="YES",
        InstitutionName="St. Mary's Hospital",
    )
    facts = read_facts(raw)
    assert (facts["model"], facts["station"], facts["kvp"]) == ("Model 7", "ROOM2", 120.0)
    assert facts["field_strength_t"] == 1.5  # 15000 gauss, as old files have it.
    assert (facts["body_part"], facts["laterality"]) == ("BREAST", "L")
    assert facts["burnt_in"] == "YES"
    assert "mary" not in str(facts).lower()
    assert facts["site"] == hash_site("ST. MARY'S  HOSPITAL")
    assert facts["site"] != hash_site("Another Hospital")


def test_facts_that_break_the_rules_are_missing(make_dicom):
    raw = make_dicom(STORED, KVP="120", PatientAge="034Y").replace(b"120 ", b"high")
    facts = read_facts(raw.replace(b"034Y", b"34??"))
    assert (facts["kvp"], facts["age_years"]) == (None, None)


@pytest.mark.parametrize(
    ("written", "years"),
    [("034Y", 34), ("008M", 8 / 12), ("003W", 21 / 365.25), ("010D", 10 / 365.25), ("", None)],
)
def test_ages(make_dicom, written, years):
    age = read_facts(make_dicom(STORED, PatientAge=written))["age_years"]
    assert age == (None if years is None else pytest.approx(years))


def test_facts_of_a_real_file_and_of_none():
    facts = read_facts(raw_of("CT_small"))
    assert (facts["patient"], facts["age_years"], facts["sex"]) == ("1CT1", 0.0, "O")
    assert set(read_facts(raw_of("no_meta")).values()) == {None}


@pytest.mark.parametrize("name", ["JPEG2000", "CT_small", "SC_rgb_jpeg_dcmtk"])
def test_facts_stand_before_the_pixels_wherever_these_are_cut(name):
    """The splits read the first bytes of a file only, so pixels must not even be looked for."""
    raw = raw_of(name)
    start = raw.index(b"\xe0\x7f\x10\x00")
    for cut in (start + 12, (start + len(raw)) // 2, len(raw) - 100, len(raw) - 1):
        assert read_facts(raw[:cut]) == read_facts(raw)
