from io import BytesIO

import numpy as np
import pytest
from pydicom import Dataset, Sequence, dcmread

import medclf
from medclf.read.dicom.file import read_dicom

STORED = np.array([[100, 2000], [0, 30000]], np.uint16)
HALF_LIFE_S = 6586.2  # Fluorine-18


def drug(**elements):
    item = Dataset()
    item.RadionuclideTotalDose = "370000000"
    item.RadionuclideHalfLife = str(HALF_LIFE_S)
    item.RadiopharmaceuticalStartTime = "100000.00"
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


SCAN = {
    "Modality": "PT",
    "Units": "BQML",
    "CorrectedImage": ["DECY", "ATTN", "SCAT"],
    "DecayCorrection": "START",
    "PatientWeight": "70",
    "SeriesDate": "20200102",
    "SeriesTime": "110000",
    "AcquisitionDate": "20200102",
    "AcquisitionTime": "110500",
    "RescaleSlope": "2.5",
    "RescaleIntercept": "0",
}


def raw_of(make_dicom, drugs=None, **elements):
    stated = {k: v for k, v in {**SCAN, **elements}.items() if v is not None}
    drugs = Sequence(drugs or [drug()])
    return make_dicom(STORED, RadiopharmaceuticalInformationSequence=drugs, **stated)


def suv_of(make_dicom, drugs=None, **elements):
    return read_dicom(raw_of(make_dicom, drugs, **elements), "x")


def test_decay_up_to_the_start_of_the_series(make_dicom):
    """An hour between injection and scan, worked by hand: 70 kg in grams over the dose left."""
    image = suv_of(make_dicom)
    assert image.unit == "BQML"
    np.testing.assert_allclose(image.values[0], STORED * 2.5)
    assert image.suv == pytest.approx(70_000 / (370e6 * 0.5 ** (3600 / HALF_LIFE_S)), rel=1e-9)


def test_decay_up_to_the_injection(make_dicom):
    assert suv_of(make_dicom, DecayCorrection="ADMIN").suv == pytest.approx(70_000 / 370e6)


def test_an_injection_before_midnight(make_dicom):
    late = drug(RadiopharmaceuticalStartTime="233000")
    image = suv_of(make_dicom, [late], SeriesTime="003000", AcquisitionTime="003100")
    assert image.suv == pytest.approx(70_000 / (370e6 * 0.5 ** (3600 / HALF_LIFE_S)), rel=1e-9)


def test_a_date_of_the_injection_goes_before_its_time(make_dicom):
    dated = drug(RadiopharmaceuticalStartDateTime="20200102103000.5")
    waited_s = 1800 - 0.5
    wanted = 70_000 / (370e6 * 0.5 ** (waited_s / HALF_LIFE_S))
    assert suv_of(make_dicom, [dated]).suv == pytest.approx(wanted, rel=1e-9)


def test_grams_per_millilitre_are_suv_already(make_dicom):
    assert suv_of(make_dicom, Units="GML").suv == 1
    assert "found SUVType LBM" in suv_of(make_dicom, Units="GML", SUVType="LBM").suv


def suv_of_philips(make_dicom, factors):
    """Read a file in counts, with the private elements of Philips."""
    dataset = dcmread(BytesIO(raw_of(make_dicom, Units="CNTS")))
    group = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    for element, value in factors.items():
        group.add_new(element, "DS", value)
    stream = BytesIO()
    dataset.save_as(stream)
    return read_dicom(stream.getvalue(), "x").suv


def test_counts_with_philips_factors(make_dicom):
    assert suv_of_philips(make_dicom, {0x00: "0.0005"}) == 0.0005
    activity = suv_of(make_dicom).suv
    found = suv_of_philips(make_dicom, {0x00: "0", 0x09: "3"})
    assert found == pytest.approx(3 * activity)
    assert "without the private factor" in suv_of_philips(make_dicom, {})


@pytest.mark.parametrize(
    ("elements", "drugs", "told"),
    [
        ({"Units": "PROPCPS"}, None, "BQML, GML or CNTS wanted, found PROPCPS"),
        ({"Units": None}, None, "found none"),
        ({"PatientWeight": None}, None, "PatientWeight is missing"),
        ({"PatientWeight": "0"}, None, "PatientWeight is missing or impossible"),
        ({"PatientWeight": "70000"}, None, "PatientWeight is missing or impossible"),
        ({"CorrectedImage": ["DECY"]}, None, "corrected for attenuation wanted"),
        ({"CorrectedImage": "ATTN"}, None, "corrected for decay wanted"),
        ({"DecayCorrection": "NONE"}, None, "START or ADMIN wanted, found NONE"),
        ({"SeriesTime": "120000"}, None, "stored anew"),
        ({"SeriesTime": None}, None, "time of the series or of the acquisition"),
        ({}, [drug(RadionuclideTotalDose="370")], "impossible in becquerel"),
        ({}, [drug(RadionuclideHalfLife="")], "RadionuclideHalfLife is missing"),
        ({}, [drug(RadiopharmaceuticalStartTime="")], "the time of injection is missing"),
        ({}, [drug(RadiopharmaceuticalStartDateTime="20200109100000")], "before the scan wanted"),
        ({}, [drug(), drug()], "one RadiopharmaceuticalInformationSequence wanted, found 2"),
    ],
)
def test_what_is_not_known_is_told_and_not_guessed(make_dicom, elements, drugs, told):
    image = suv_of(make_dicom, drugs, **elements)
    assert told in image.suv
    np.testing.assert_allclose(image.values[0], STORED * 2.5)


def test_other_modalities_have_none(make_dicom):
    assert suv_of(make_dicom, Modality="CT").suv == ""


def test_the_plan_takes_uptake_where_all_tell_it(make_dicom, tmp_path):
    for number in range(8):
        folder = tmp_path / "ab"[number % 2]
        folder.mkdir(exist_ok=True)
        path = folder / f"{number}.dcm"
        path.write_bytes(
            raw_of(make_dicom, PatientID=f"P{number}", SeriesInstanceUID=f"1.2.{number}")
        )
    prepare = medclf.plan(medclf.read_cohort(tmp_path)).recipe.prepare
    assert (prepare.unit, prepare.intensity) == ("SUV", "window")
    path.write_bytes(raw_of(make_dicom, PatientWeight=None, SeriesInstanceUID="1.2.7"))
    plan = medclf.plan(medclf.read_cohort(tmp_path))
    assert (plan.recipe.prepare.unit, plan.recipe.prepare.intensity) == ("", "percentile")
    assert "17% of the PET images" in plan.reasons["prepare.unit"]
