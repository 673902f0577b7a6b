"""The page of a search tells how much is found, by which rule, and what is taken for what."""

import numpy as np
import pytest

from medclf.evaluate.distances import Placed, measure_distances
from medclf.evaluate.froc import Marked, free_response
from medclf.evaluate.kinds import measure_kinds
from medclf.report.found import Found, write_found

NONE = {"judged": None, "screened": None, "kinds": None, "distances": None}


@pytest.fixture
def show(tmp_path):
    def show(**parts):
        found = Found(
            *("bleeds", "0", "today", "abc", 0),
            **{"scans": 3, "patients": 2, "unseen": True, "rule": "Within 4.5 mm.", "sure": 1.0},
            **{**NONE, **parts},
        )
        return write_found(tmp_path / "report.html", found).read_text(encoding="utf-8")

    return show


def test_kinds_that_are_taken_for_each_other_stand_on_the_page(show):
    marks = [Marked("a", np.zeros((1, 3)), np.ones(1), np.zeros((1, 3)), 4.5)]
    froc = free_response(marks, resamples=20)
    kinds = measure_kinds(np.array([0, 0, 1]), np.array([0, 1, 1]), "aab", ["bleed", "chalk"])
    page = show(judged=froc, kinds=kinds)
    assert "Within 4.5 mm." in page
    assert "a finding hits a target of whatever kind. 2 of 3 targets that are hit" in page
    assert "Called by their kind" in page
    assert '<th scope="row">bleed</th><td class="number">1</td><td class="number">1</td>' in page
    assert "By kind" not in show(judged=froc)


def test_of_landmarks_no_false_alarms_are_told(show):
    held = Placed(np.array(["a"]), np.array([[3.0]]), np.array([[0.9]]), np.array([[True]]))
    page = show(distances=measure_distances(held, ["C1"], 0.5))
    assert "In 3 scans of 2 patients never seen in training, 1 landmark" in page
    assert "false alarm" not in page
    assert "CPM" not in page


def test_a_second_stage_that_ranks_worse_than_the_first_is_told(show):
    at = np.array([[0.0, 0.0, 0.0], [50.0, 0.0, 0.0]])
    right, wrong = (
        free_response([Marked("a", at, np.array(scores), at[:1], 4.5)], resamples=20)
        for scores in ((0.9, 0.1), (0.1, 0.9))
    )
    told = "The first stage alone ranks better"
    assert told in show(judged=wrong, screened=right)
    assert told not in show(judged=right, screened=wrong)
    assert told not in show(judged=wrong)
