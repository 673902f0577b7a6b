"""Free-response ROC, held against cases worked by hand and the numbers of LUNA16's own script."""

import json
from itertools import pairwise

import numpy as np
import pytest

from medclf.core.plain import from_plain, to_plain
from medclf.errors import CohortError, SettingError
from medclf.evaluate.froc import RATES, Froc, Marked, free_response


def scan(patient, marks, lesions, radius=5.0, counts=None):
    """Place marks (x, score) and lesions (x) along a line."""
    places = np.array([[0, 0, x] for x, _ in marks], np.float64).reshape(-1, 3)
    middles = np.array([[0, 0, x] for x in lesions], np.float64).reshape(-1, 3)
    counts = None if counts is None else np.array(counts)
    radius = radius if np.ndim(radius) == 0 else np.array(radius)
    scores = np.array([score for _, score in marks], np.float64)
    return Marked(patient, places, scores, middles, radius, counts)


# Each line: two lesions that overlap, a repeated hit and a mark just at the radius; a finding that
# does not count; nothing there, and a tie with a hit; a lesion that is missed.
LUNA = (
    scan("a", [(0, 0.9), (1, 0.95), (7, 0.6), (12, 0.7), (60, 0.8)], [0, 8], [5, 4]),
    scan("a", [(0, 0.85), (30, 0.5), (31, 0.4), (70, 0.3)], [0, 30], [4, 6], [False, True]),
    scan("b", [(0, 0.5), (20, 0.65), (40, 0.2)], []),
    scan("c", [(50, 0.1), (80, 0.6)], [0, 10], [3, 3]),
)


def curve(found):
    return [(one.false_positives, one.sensitivity, one.threshold) for one in found.curve]


def test_the_curve_of_a_hand_worked_case():
    """Two scans and three lesions: hits at .9 and .5, false ones at .8 and .3."""
    scans = [
        scan("a", [(0, 0.9), (2, 0.7), (50, 0.8)], [0]),
        scan("b", [(0, 0.5), (50, 0.3)], [0, 20]),
    ]
    found = free_response(scans, rates=[0.75], resamples=10)
    assert (found.scans, found.patients, found.lesions, found.found) == (2, 2, 3, 2)
    assert (found.false_positives, found.neither) == (2, 1)
    steps = [(0, 0, None), (0, 1 / 3, 0.9), (0.5, 1 / 3, 0.8), (0.5, 2 / 3, 0.5), (1, 2 / 3, 0.3)]
    assert curve(found) == steps
    read = {point.false_positives: point.sensitivity.value for point in found.points}
    assert read == pytest.approx(
        {0.125: 1 / 3, 0.25: 1 / 3, 0.5: 2 / 3, 0.75: 2 / 3, 1: 2 / 3, 2: 2 / 3, 4: 2 / 3, 8: 2 / 3}
    )
    assert found.cpm.value == pytest.approx((2 / 3 + 5 * 2 / 3) / 7)


def test_ties_make_a_slope_that_is_read_on_the_linear_axis():
    """One hit and one false positive of the same score: half of the way gives half of the gain."""
    found = free_response([scan("a", [(0, 1.0), (50, 1.0)], [0])], rates=[0.75], resamples=10)
    assert curve(found) == [(0, 0, None), (1, 1, 1.0)]
    read = [point.sensitivity.value for point in found.points]
    assert read == [0.125, 0.25, 0.5, 0.75, 1, 1, 1, 1]


def test_the_numbers_of_luna16s_script_on_a_made_up_case():
    """Its matching, `computeFROC` and `np.interp`, run apart, gave these seven numbers."""
    found = free_response(LUNA, resamples=10)
    seven = [0.2, 0.2, 0.2, 0.4, 0.6, 0.6, 0.6]
    assert [point.sensitivity.value for point in found.points] == pytest.approx(seven)
    assert found.cpm.value == pytest.approx(0.4)
    assert (found.lesions, found.found, found.neither, found.false_positives) == (5, 3, 3, 8)


def test_marks_on_findings_that_do_not_count_are_neither():
    without = scan("a", [(0, 0.9), (30, 0.8)], [0])
    beside = scan("a", [(0, 0.9), (30, 0.8)], [0, 30], counts=[True, False])
    assert free_response([without], resamples=10).false_positives == 1
    found = free_response([beside], resamples=10)
    assert (found.lesions, found.false_positives, found.neither) == (1, 0, 1)


def test_a_mark_within_two_lesions_finds_both_and_counts_once():
    found = free_response([scan("a", [(2, 0.9)], [0, 4])], resamples=10)
    assert (found.found, found.neither, found.cpm.value) == (2, 0, 1)


def test_nothing_marked_finds_nothing():
    found = free_response([scan("a", [], [0]), scan("b", [], [])], resamples=10)
    assert curve(found) == [(0, 0, None)]
    assert found.cpm.value == 0
    assert 0 <= found.cpm.low < found.cpm.high < 1


def test_the_interval_is_by_patient():
    """Ten scans of each of twelve patients are no surer than one: all lesions of one are alike."""
    rng = np.random.default_rng(0)
    seen = rng.random(12) < 0.7
    marks = [[(0, 0.9), (40, 0.5)] if one else [(40, 0.5)] for one in seen]
    single = [scan(f"p{k}", row, [0]) for k, row in enumerate(marks)]
    many = free_response(single * 10, resamples=400).points[4].sensitivity
    one = free_response(single, resamples=400).points[4].sensitivity
    assert many.value == pytest.approx(one.value)
    assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.05)


def simulate(rng, scans):
    """Draw scans, two a patient; both have lesions as clear or as faint."""
    made, clear = [], rng.normal(1.5, 1, scans)
    for number in range(scans):
        lesions = np.arange(rng.poisson(1.5)) * 20.0
        hits = [(x, rng.normal(clear[number // 2])) for x in lesions]
        false = [(1000.0, rng.normal()) for _ in range(rng.poisson(4))]
        made.append(scan(f"p{number // 2}", hits + false, lesions))
    return made


def test_the_interval_holds_the_truth():
    rng = np.random.default_rng(0)
    truth = free_response(simulate(rng, 1500), resamples=2).cpm.value
    studies = [free_response(simulate(rng, 30), resamples=50).cpm for _ in range(30)]
    held = np.mean([one.low <= truth <= one.high for one in studies])
    assert 0.9 <= held <= 1
    assert np.mean([one.high - one.low for one in studies]) < 0.4


def test_a_measurement_becomes_json_and_comes_back():
    found = free_response(LUNA, resamples=10)
    text = json.dumps(to_plain(found), allow_nan=False)
    assert from_plain(Froc, json.loads(text)) == found
    assert free_response(LUNA, resamples=10) == found


def test_the_curve_rises():
    found = free_response(simulate(np.random.default_rng(3), 30), resamples=10)
    for before, after in pairwise(found.curve):
        assert after.false_positives >= before.false_positives
        assert after.sensitivity >= before.sensitivity
    assert found.curve[-1].sensitivity == found.found / found.lesions
    assert [point.false_positives for point in found.points] == list(RATES)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"scores": np.zeros(2)}, r"scores of shape \(1,\) wanted, found \(2,\)"),
        ({"marks_mm": np.zeros((1, 2))}, r"marks_mm of shape \(1, 3\) wanted"),
        ({"radius_mm": np.ones(3)}, r"radius_mm of shape \(1,\) wanted"),
        ({"radius_mm": 0.0}, "radii above 0 mm wanted, found 0.0"),
        ({"scores": np.array([np.nan])}, "finite scores wanted"),
        ({"counts": np.ones(2, bool)}, r"counts of shape \(1,\) wanted"),
    ],
)
def test_marks_that_do_not_fit_are_refused(change, told):
    fine = {
        "marks_mm": np.zeros((1, 3)),
        "scores": np.zeros(1),
        "lesions_mm": np.zeros((1, 3)),
        "radius_mm": 5.0,
    }
    with pytest.raises(SettingError, match=f"marks of a: {told}"):
        Marked("a", **fine | change)


def test_a_study_without_lesions_and_a_rate_of_none_are_refused():
    with pytest.raises(CohortError, match="a lesion to be found wanted, found none in 1 scans"):
        free_response([scan("a", [(0, 0.9)], [])])
    with pytest.raises(SettingError, match="false positives per scan above 0 wanted"):
        free_response(LUNA, rates=[0.0])
