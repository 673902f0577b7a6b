import numpy as np
import pytest

from medclf.evaluate.distances import NOT_FOUND, Placed, hold_samples, measure_distances

NAN = np.nan
FOUND = Placed(
    patients=np.array(["a", "b", "c"]),
    error=np.array([[1.0, 4.0], [3.0, NAN], [30.0, 6.0]]),
    sure=np.array([[0.9, 0.8], [0.7, 0.1], [0.2, 0.6]]),
    own=np.array([[True, True], [True, False], [True, True]]),
)


def test_distances_by_hand():
    found = measure_distances(FOUND, ("left", "right"), threshold=0.5)
    assert found.error_mm.value == pytest.approx((1 + 4 + 3 + 30 + 6) / 5)
    assert (found.median_mm, found.largest_mm) == (4.0, 30.0)
    assert found.identified.value == pytest.approx(4 / 5)
    assert found.known.value == pytest.approx(5 / 6)
    assert [one.scans for one in found.landmarks] == [3, 2]
    assert found.landmarks[1].error_mm == 5.0
    assert found.error_mm.low < found.error_mm.value < found.error_mm.high


def test_the_threshold_parts_those_in_place_from_missing_and_misplaced_ones():
    assert 0.2 < FOUND.threshold() < 0.6


def test_one_that_is_in_place_but_of_low_score_is_not_identified():
    found = measure_distances(FOUND, ("left", "right"), threshold=0.85)
    assert found.identified.value == pytest.approx(1 / 5)


def test_places_in_samples_are_held_against_the_truth_in_mm():
    """One is missing, one lies near the wrong one, and one outside of the image is missing."""
    target = np.array([[[2, 2], [8, 8], [NAN, NAN]], [[2, 2], [8, 8], [12, 3]]], float)
    places = np.array([[[2, 3], [3, 3], [5, 5]], [[2, 2], [8, 7], [9, 3]]], float)
    sure = np.array([[0.9, 0.8, 0.1], [0.9, 0.85, 0.3]])
    held = hold_samples(places, target, (10, 10), (1.0, 2.0), sure)
    assert held.error[0].tolist() == pytest.approx([2.0, np.hypot(5, 10), NAN], nan_ok=True)
    assert held.own.tolist() == [[True, False, False], [True, True, False]]
    assert 0.8 < held.threshold() <= 0.85


def test_a_made_up_place_is_never_sure_though_it_lies_near_its_landmark():
    """Nothing was found: all lie in the middle of the scan, where two landmarks happen to be."""
    error, none = np.array([[5.0, 90.0], [NAN, 9.0]]), np.full((2, 2), NOT_FOUND)
    nothing = Placed(np.array(["a", "b"]), error, none, np.full((2, 2), True))
    assert NOT_FOUND < nothing.threshold() <= 1
    found = measure_distances(nothing, ("left", "right"), nothing.threshold())
    assert found.identified.value == 0.0
    alone = Placed(np.array(["a"]), np.array([[5.0, 3.0]]), none[:1], np.full((1, 2), True))
    some = Placed(alone.patients, alone.error, np.array([[0.4, NOT_FOUND]]), alone.own)
    assert alone.threshold() > NOT_FOUND
    assert 0.1 < some.threshold() <= 0.4
