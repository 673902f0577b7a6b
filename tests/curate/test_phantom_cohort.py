import json

import numpy as np
import pydicom
import pytest
from pydicom.config import RAISE
from scipy.stats import chi2_contingency, mannwhitneyu

from medclf.curate.phantom import cohort
from medclf.curate.phantom.cohort import COLUMNS, make_phantoms
from medclf.curate.phantom.observer import best_auc, chance_of_finding
from medclf.curate.phantom.patient import draw_patient
from medclf.errors import CohortError, SettingError

# PS3.3: type 1 of the modules that a Digital X-Ray image must have, and of PA positioning.
NEVER_EMPTY = """
SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality PresentationIntentType
ImageType SamplesPerPixel PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit
PixelRepresentation BurnedInAnnotation PixelIntensityRelationship PixelIntensityRelationshipSign
RescaleIntercept RescaleSlope RescaleType LossyImageCompression PresentationLUTShape WindowCenter
WindowWidth PatientOrientation ImagerPixelSpacing ImageLaterality ViewCodeSequence PixelData
PatientName PatientID PatientAge PatientSex ViewPosition PixelSpacing Manufacturer StudyDate
DetectorType AnatomicRegionSequence
"""
MAY_BE_EMPTY = """
PatientBirthDate StudyTime AccessionNumber ReferringPhysicianName StudyID SeriesNumber
InstanceNumber PositionerType AcquisitionContextSequence
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory, table):
    """Thirty patients at 96 pixels: their folder and the rows of their table."""
    folder = tmp_path_factory.mktemp("made") / "phantoms"
    return folder, table(make_phantoms(folder, patients=30, seed=4, pixels=96))


@pytest.fixture
def strict(monkeypatch):
    monkeypatch.setattr(pydicom.config.settings, "reading_validation_mode", RAISE)


def picture(file):
    """The pixels as shown: dense is bright."""
    values = file.pixel_array.astype(float)
    return 4095 - values if file.PhotometricInterpretation == "MONOCHROME1" else values


def test_table_states_every_file_and_nothing_else(made):
    folder, rows = made
    assert tuple(rows[0]) == COLUMNS
    assert sorted(row["path"] for row in rows) == sorted(
        f"images/{path.name}" for path in (folder / "images").iterdir()
    )
    assert {path.name for path in folder.iterdir()} == {"images", "cohort.csv", "truth.json"}


def test_files_are_valid_dicom(made, strict):
    folder, rows = made
    for row in rows[:12]:
        file = pydicom.dcmread(folder / row["path"])
        for keyword in NEVER_EMPTY.split():
            assert file[keyword].value not in (None, "", []), keyword
        for keyword in MAY_BE_EMPTY.split():
            assert keyword in file, keyword
        assert file.file_meta.MediaStorageSOPInstanceUID == file.SOPInstanceUID
        assert (file.BitsAllocated, file.BitsStored, file.HighBit) == (16, 12, 11)
        assert file.pixel_array.shape == (96, 96)
        assert file.pixel_array.max() <= 4095
        assert float(file.PixelSpacing[0]) == pytest.approx(390 / 96, abs=1e-3)
        inverse = file.PhotometricInterpretation == "MONOCHROME1"
        assert file.PresentationLUTShape == ("INVERSE" if inverse else "IDENTITY")


def test_files_agree_with_the_table(made):
    folder, rows = made
    files = [pydicom.dcmread(folder / row["path"], stop_before_pixels=True) for row in rows]
    for file, row in zip(files, rows, strict=True):
        found = (file.PatientID, int(file.PatientAge[:3]), file.PatientSex, file.InstitutionName)
        assert found == (row["patient"], int(row["age"]), row["sex"], row["site"])
    assert len({file.SOPInstanceUID for file in files}) == len(rows)
    assert {file.PhotometricInterpretation for file in files} == {"MONOCHROME1", "MONOCHROME2"}
    days = {}
    for file in files:
        assert file.StudyDate > days.get(file.PatientID, "")
        days[file.PatientID] = file.StudyDate


def test_pictures_look_like_chests(made):
    folder, rows = made
    shown = np.stack([picture(pydicom.dcmread(folder / row["path"])) for row in rows])
    mean = shown.mean(axis=0) / 4095
    heart_left, heart_right = mean[52:68, 54:64].mean(), mean[52:68, 32:42].mean()
    lungs = (mean[30:50, 22:34].mean() + mean[30:50, 62:74].mean()) / 2
    assert heart_left > heart_right + 0.1, "the heart belongs at the right of the picture"
    assert lungs < mean[20:70, 46:50].mean() - 0.3, "lungs are darker than the middle"
    assert mean[88:, 30:66].mean() > lungs + 0.3, "the liver is brighter than the lungs"
    assert mean[50:, :3].mean() < 0.1, "beside the chest there is air"


def test_heart_is_at_the_right_of_nearly_every_picture(made):
    """As far from the middle of the neck, there is more of the heart at the right."""
    folder, rows = made
    at_right = []
    for row in rows:
        shown = picture(pydicom.dcmread(folder / row["path"]))
        neck = shown[:10].mean(axis=0)
        middle = round(np.average(np.arange(96), weights=neck))
        right, left = shown[50:66, middle + 6 : middle + 22], shown[50:66, middle - 22 : middle - 6]
        at_right.append(right.mean() > left.mean())
    assert np.mean(at_right) > 0.9


def test_people_do_not_stand_all_alike(made):
    folder, rows = made
    shown = [picture(pydicom.dcmread(folder / row["path"]))[:10].mean(axis=0) for row in rows]
    middles = [np.average(np.arange(96), weights=neck) for neck in shown]
    assert 1 < np.std(middles) < 4


def test_same_seed_makes_the_same_bytes(tmp_path):
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        make_phantoms(tmp_path / name, patients=4, seed=seed, pixels=48)
    one, two, three = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (tmp_path / "one", tmp_path / "two", tmp_path / "three")
    )
    assert len(one) > 4
    assert one == two
    assert one.keys() != three.keys() or all(one[key] != three[key] for key in one)


def test_pixels_change_nothing_but_the_pixels(tmp_path):
    small, large = (make_phantoms(tmp_path / str(n), 3, 0, pixels=n) for n in (48, 80))
    assert small.read_bytes() == large.read_bytes()
    truths = [json.loads((path.parent / "truth.json").read_text()) for path in (small, large)]
    assert truths[0] == truths[1]


def test_truth_states_the_best_auc_and_every_finding(made):
    folder, rows = made
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["best_auc"] == pytest.approx(best_auc(folder))
    with_finding = {row["path"]: row for row in rows if row["kind"] != "none"}
    assert truth["findings"].keys() == with_finding.keys()
    for path, finding in truth["findings"].items():
        assert finding["kind"] == with_finding[path]["kind"]
        assert finding["severity"] == float(with_finding[path]["severity"]) > 0
        low, high = (6, 30) if finding["kind"] == "nodule" else (38, 110)
        assert low <= finding["size_mm"] <= high
        assert len(finding["place_mm"]) == 3
    assert all(row["severity"] == "0.0" for row in rows if row["kind"] == "none")


def test_patients_come_one_to_three_times_and_classes_are_balanced():
    people = [draw_patient(number, 0) for number in range(2000)]
    visits = [len(one.visits) for one in people]
    assert set(visits) == {1, 2, 3}
    assert np.mean(visits) == pytest.approx(1.85, abs=0.06)
    called = np.mean([visit.label == "finding" for one in people for visit in one.visits])
    assert 0.4 < called < 0.52
    assert {one.kind for one in people} == {None, "nodule", "consolidation"}


def test_labels_are_drawn_with_the_chance_that_is_stated():
    visits = [visit for number in range(4000) for visit in draw_patient(number, 1).visits]
    severity = np.array([visit.severity for visit in visits])
    called = np.array([visit.label == "finding" for visit in visits])
    for low, high in ((0, 0.001), (0.02, 0.25), (0.25, 0.35), (0.35, 0.45), (0.6, 1.01)):
        chosen = (severity >= low) & (severity < high)
        chance = chance_of_finding(severity[chosen])
        error = np.sqrt(np.sum(chance * (1 - chance))) / chosen.sum()
        assert chosen.sum() > 100
        assert abs(called[chosen].mean() - chance.mean()) < 4 * error


def test_age_goes_with_the_label_and_site_does_not():
    people = [draw_patient(number, 0) for number in range(3000)]
    visits = [one.visits[0] for one in people]
    called = np.array([visit.label == "finding" for visit in visits])
    ages = np.array([visit.age_years for visit in visits])
    assert (
        0.53
        < mannwhitneyu(ages[called], ages[~called]).statistic / (called.sum() * (~called).sum())
        < 0.63
    )
    sites = np.array([visit.device.site for visit in visits])
    counts = [[np.sum(called[sites == s] == c) for c in (0, 1)] for s in np.unique(sites)]
    assert chi2_contingency(counts).pvalue > 0.01


def test_progress_is_told_patient_by_patient(tmp_path):
    told = []
    make_phantoms(tmp_path / "x", 3, 0, 48, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_full_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CohortError, match="empty folder wanted"):
        make_phantoms(tmp_path, 2, 0, 48)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_filled(tmp_path):
    assert make_phantoms(tmp_path / "there", 1, 0, 48).is_file()
    (tmp_path / "empty").mkdir()
    assert make_phantoms(tmp_path / "empty", 1, 0, 48) == tmp_path / "empty" / "cohort.csv"


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch, problem):
    written = []

    def fail_at_third(path, *rest):
        written.append(path)
        if len(written) > 2:
            raise problem
        path.write_bytes(b"DICM")

    monkeypatch.setattr(cohort, "write_radiograph", fail_at_third)
    wanted = CohortError if isinstance(problem, OSError) else KeyboardInterrupt
    with pytest.raises(wanted):
        make_phantoms(tmp_path / "x", 6, 0, 48)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [{"patients": 0}, {"pixels": 8}, {"seed": -1}])
def test_settings_out_of_range_are_refused(tmp_path, wrong):
    with pytest.raises(SettingError, match="wanted"):
        make_phantoms(tmp_path / "x", **wrong)
    assert list(tmp_path.iterdir()) == []
