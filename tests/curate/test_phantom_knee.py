import json
from dataclasses import replace
from functools import cache

import numpy as np
import pydicom
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score

from medclf.curate.cohort import read_cohort
from medclf.curate.phantom.knee.cohort import FIELD_MM, make_knees, state_kappa, through_leg
from medclf.curate.phantom.knee.grade import (
    GRADES,
    READERS,
    draw_reading,
    draw_signs,
    expected_kappa,
    reading_chances,
    true_grade,
)
from medclf.curate.phantom.knee.joint import LATERAL_MM, MEDIAL_MM, Build, Signs, project_knee
from medclf.curate.phantom.knee.patient import draw_build, draw_patient, posed
from medclf.curate.phantom.screen import Screen
from medclf.errors import CohortError, SettingError

HEALTHY = Signs((4.8, 5.6), (0, 0, 0, 0), (0, 0), (0, 0))
USUAL = Build(1, 1, 8, 1, 0, 7.5, 1.2, (0, 0), 1.2)
PIXELS, PIXEL_MM = 220, 0.6
SCREEN = Screen(PIXELS, PIXEL_MM)
JOINT = slice(91, 119)  # rows about the line of the joint


@pytest.fixture(scope="module")
def made(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("made") / "knees"
    return folder, table(make_knees(folder, patients=4, seed=2, pixels=64))


@cache
def bone(signs=HEALTHY, build=USUAL, side=1):
    """Attenuation of the bones alone; the inner side of a left knee is at the left."""
    both = [
        project_knee(signs, one, side, 0.0, SCREEN, np.random.default_rng(0))
        for one in (build, replace(build, bone=0))
    ]
    return both[0] - both[1]


def column_at(place_mm):
    return round(place_mm / PIXEL_MM + (PIXELS - 1) / 2)


def gap_mm(picture, place_mm):
    """Room between the bones about the line of the joint."""
    return PIXEL_MM * np.sum(picture[JOINT, column_at(place_mm)] < 0.02)


@pytest.mark.parametrize("inner", [0.5, 2.0, 4.5])
def test_the_room_between_the_bones_is_that_of_the_signs(inner):
    picture = bone(replace(HEALTHY, gap_mm=(inner, 5.5)))
    assert gap_mm(picture, MEDIAL_MM) == pytest.approx(inner, abs=0.8)
    assert gap_mm(picture, LATERAL_MM) == pytest.approx(5.5, abs=0.8)


def test_a_worn_plateau_sinks_and_the_thigh_bone_with_it():
    worn = bone(replace(HEALTHY, gap_mm=(1.0, 5.5), wear_mm=(2.0, 0.0)))
    assert gap_mm(worn, MEDIAL_MM) == pytest.approx(1, abs=0.8)


def test_spurs_stand_out_by_their_length():
    def reach(picture, rows):
        seen = np.flatnonzero((picture[rows] > 0.02).any(axis=0))
        middle = (PIXELS - 1) / 2
        return PIXEL_MM * (middle - seen[0]), PIXEL_MM * (seen[-1] - middle)

    plateau = slice(107, 118)
    none = reach(bone(), plateau)
    some = reach(bone(replace(HEALTHY, spurs_mm=(6.0, 3.0, 0, 0))), plateau)
    assert some[0] - none[0] == pytest.approx(6, abs=1.5)
    assert some[1] - none[1] == pytest.approx(3, abs=1.5)


def test_sclerosis_makes_its_side_of_the_joint_dense():
    more = bone(replace(HEALTHY, sclerosis=(1, 0))) - bone()
    inner, outer = column_at(MEDIAL_MM), column_at(LATERAL_MM)
    assert more[114:122, inner - 5 : inner + 5].mean() > 0.3
    assert np.abs(more[:, outer - 5 : outer + 5]).max() < 0.01
    assert np.abs(more[160:]).max() < 0.01


def test_a_right_knee_is_the_mirror_of_a_left_one_with_the_calf_bone_outside():
    left, right = (bone(side=side) > 0.02 for side in (1, -1))
    assert np.array_equal(left, right[:, ::-1])
    shin = left[200]
    assert shin[column_at(33)]
    assert not shin[column_at(-33)]


def test_signs_rise_with_severity_and_differ_between_knees():
    rng = np.random.default_rng(0)
    drawn = [[draw_signs(grade + 0.5, rng) for _ in range(100)] for grade in range(5)]
    narrow = [np.mean([min(one.gap_mm) for one in some]) for some in drawn]
    spurs = [np.mean([max(one.spurs_mm) for one in some]) for some in drawn]
    dense = [np.mean([max(one.sclerosis) for one in some]) for some in drawn]
    assert (np.diff(narrow) < 0).all()
    assert (np.diff(spurs) > 0.5).all()
    assert (np.diff(dense[1:]) > 0).all()
    assert dense[0] == 0
    assert narrow[4] < 1 < 4 < narrow[0]
    assert len({one.gap_mm for one in drawn[2]}) == 100
    inner = np.mean([one.sclerosis[0] > one.sclerosis[1] for one in drawn[4]])
    assert 0.6 < inner < 0.85


def test_grades_come_in_their_shares_and_go_with_age_and_patient():
    people = [draw_patient(number, 0) for number in range(1200)]
    severity = np.array([knee.severity for one in people for knee in one.knees])
    shares = np.bincount(severity.astype(int), minlength=5) / len(severity)
    assert shares.tolist() == pytest.approx([0.3, 0.18, 0.26, 0.16, 0.1], abs=0.04)
    age = np.array([one.age_years for one in people for _ in one.knees])
    assert 0.3 < spearmanr(age, severity).statistic < 0.5
    pairs = [[knee.severity for knee in one.knees] for one in people if len(one.knees) == 2]
    assert 0.65 < len(pairs) / len(people) < 0.75
    assert 0.7 < spearmanr(*np.transpose(pairs)).statistic < 0.87


def test_readers_agree_as_stated():
    """Kappa over many readings is that of the formula, and scikit-learn's."""
    rng = np.random.default_rng(0)
    severity = rng.uniform(0, 5, 4000)
    first, _, third = ([draw_reading(one, reader, rng) for one in severity] for reader in READERS)
    stated, truth = state_kappa(severity.tolist()), severity.astype(int)
    found = cohen_kappa_score(first, third, weights="quadratic")
    assert stated["first-third"] == pytest.approx(found, abs=0.015)
    found = cohen_kappa_score(truth, third, weights="quadratic")
    assert stated["third-truth"] == pytest.approx(found, abs=0.015)
    assert 0.75 < min(stated.values()) < max(stated.values()) < 0.95


def test_a_reader_without_error_tells_the_truth():
    severity = [0.4, 1.5, 2.2, 3.9, 4.1]
    sharp = reading_chances(severity, replace(READERS[0], spread=1e-9))
    assert np.allclose(sharp, true_grade(severity))
    assert expected_kappa(sharp, true_grade(severity)) == pytest.approx(1)
    assert np.allclose(reading_chances(severity, READERS[2]).sum(1), 1)


def test_old_women_lose_bone():
    def density(age, sex):
        one = replace(draw_patient(0, 0), age_years=age, sex=sex)
        return np.mean([draw_build(one, np.random.default_rng(n)).bone for n in range(50)])

    assert density(85, "F") < density(45, "F") - 0.1
    assert density(85, "M") == pytest.approx(density(45, "M"), abs=0.02)


def test_a_leg_is_turned_anew_for_every_picture():
    rng = np.random.default_rng(0)
    poses = [posed(USUAL, rng) for _ in range(30)]
    assert 0.03 < np.std([one.yaw for one in poses]) < 0.12
    assert len({one.plate_mm for one in poses}) == 30


def test_exposure_is_measured_behind_the_leg():
    arriving = np.full((40, 40), 100.0)
    arriving[:, 10:30] = 2.0
    assert through_leg(arriving) == 2.0


def test_table_states_every_file_with_label_and_readings(made):
    folder, rows = made
    assert sorted(row["path"] for row in rows) == sorted(
        f"images/{path.name}" for path in (folder / "images").iterdir()
    )
    for row in rows:
        readings = [row[reader.name] for reader in READERS]
        assert row["label"].removeprefix("grade ") in readings
        assert 0 <= float(row["severity"]) <= 5


def test_the_labels_are_understood_as_grades(made):
    folder, rows = made
    task = read_cohort(folder / "cohort.csv").task
    assert task.kind == "ranked"
    assert set(task.classes) == {row["label"] for row in rows} <= set(GRADES)


def test_files_say_which_knee_they_show(made):
    folder, rows = made
    for row in rows:
        file = pydicom.dcmread(folder / row["path"])
        assert (file.BodyPartExamined, file.ViewPosition) == ("KNEE", "AP")
        assert file.ImageLaterality == row["side"] == row["path"][-5]
        assert file.ViewCodeSequence[0].CodeMeaning == "antero-posterior"
        assert file.pixel_array.shape == (64, 64)
        assert float(file.PixelSpacing[0]) == pytest.approx(FIELD_MM / 64, abs=1e-3)
    identifiers = {pydicom.dcmread(folder / row["path"]).SOPInstanceUID for row in rows}
    assert len(identifiers) == len(rows)


def test_pictures_look_like_knees(made):
    """Bone in the middle, less bright flesh beside it, and air at the edge."""
    folder, rows = made
    for row in rows:
        file = pydicom.dcmread(folder / row["path"])
        shown = file.pixel_array / 4095
        if file.PhotometricInterpretation == "MONOCHROME1":
            shown = 1 - shown
        thigh, shin = shown[8:14, 24:40], shown[52:60, 30:34]
        assert min(thigh.mean(), shin.mean()) > 0.35
        assert shown[:, [0, -1]].mean() < 0.12


def test_truth_states_signs_and_kappa(made):
    folder, rows = made
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["signs"].keys() == {row["path"] for row in rows}
    assert truth["kappa"] == state_kappa([float(row["severity"]) for row in rows])
    for row in rows:
        spurs = truth["signs"][row["path"]]["spurs_mm"]
        assert (max(spurs) > 1) == (float(row["severity"]) > 1.3) or float(row["severity"]) < 2


def test_same_seed_makes_the_same_bytes(made, tmp_path):
    folder, _ = made
    make_knees(tmp_path / "again", patients=1, seed=2, pixels=64)
    again = sorted((tmp_path / "again" / "images").iterdir())
    assert 1 <= len(again) <= 2
    for path in again:
        assert path.read_bytes() == (folder / "images" / path.name).read_bytes()


def test_a_full_folder_is_refused(made):
    folder, _ = made
    with pytest.raises(CohortError, match="empty folder wanted"):
        make_knees(folder, patients=1)


@pytest.mark.parametrize("wrong", [{"patients": 0}, {"pixels": 32}, {"seed": -1}])
def test_settings_out_of_range_are_refused(tmp_path, wrong):
    with pytest.raises(SettingError, match=r"phantom knees: .* wanted"):
        make_knees(tmp_path / "x", **wrong)
