"""What a system reaches, as JSON and as it is printed."""

import json

import numpy as np
import pytest

from medclf.cli.locate import show_found
from medclf.core.record import Point, Source
from medclf.locate.scans import Scan, Target
from medclf.prepare.settings import Prepare
from medclf.systems.candidates import Candidates
from medclf.systems.doubt import UNSURE
from medclf.systems.measure import (
    LISTED,
    Searched,
    choose_threshold,
    measure,
    respond,
    tell_findings,
)
from medclf.systems.search import Folder, Search


def search(*kinds, edge_mm=1.0):
    return Search("", kinds, "", Prepare((9, 9, 9), 1, (edge_mm,) * 3), 1.0)


def made(away_mm, shares, kinds="a", diameter_mm=2.0):
    """Make scans with a target of each kind in turn, and one candidate so far from each."""
    scans, found = [], {}
    for number, (away, share) in enumerate(zip(away_mm, shares, strict=True)):
        kind = kinds[number % len(kinds)]
        target = Target(kind, Point((0.0, 0.0, 0.0), "mm"), diameter_mm)
        scans.append(Scan(f"{number}", Source("s"), f"p{number}", "test", (target,)))
        at, share = np.array([[away, 0.0, 0.0]]), np.atleast_2d(share)
        found[f"{number}"] = Candidates(at, share.sum(1), share)
    return Searched("test", scans, found)


@pytest.mark.parametrize("edge_mm", [0.5, 12.0])
def test_what_counts_as_found_hangs_on_the_target_not_on_samples(edge_mm):
    """A target of 2 mm is hit within 4.5 mm, one of 20 mm within 10, unknown ones within 5."""
    for diameter, found in ((2.0, 1), (None, 2), (20.0, 3)):
        some = made([4.0, 4.9, 9.5, 10.5], np.full((4, 1), 0.5), diameter_mm=diameter)
        froc, _ = respond(some.scans, some.found, search("a", edge_mm=edge_mm))
        assert froc.found == found


def test_targets_called_by_another_kind_are_told():
    sought = search("a", "b")
    right = made([1.0] * 8, [[0.9, 0.05], [0.1, 0.8]] * 4, "ab")
    wrong = made([1.0] * 8, [[0.05, 0.9], [0.8, 0.1]] * 4, "ab")
    mixed = made([1.0, 1.0, 99.0, 1.0], [[0.9, 0], [0.9, 0], [0.9, 0], [0, 0.9]], "ab")
    told = [measure(one, one, sought, landmarks=False) for one in (right, wrong, mixed)]
    assert [one.judged.cpm.value for one in told[:2]] == [1.0, 1.0]
    assert [one.kinds.right.value for one in told[:2]] == [1.0, 0.0]
    assert told[1].kinds.called == ((0, 4), (4, 0))
    assert told[2].kinds.called == ((1, 0), (1, 1))  # one of "a" has no finding near it
    assert measure(right, right, search("a", "b"), False).to_json()["kinds"]["kinds"] == ["a", "b"]
    assert measure(*[made([1.0], [[0.9]])] * 2, search("a"), landmarks=False).kinds is None


def test_of_several_findings_on_a_target_the_surest_tells_its_kind():
    some = made([1.0], [[0.6, 0.1]], "ab")
    two = Candidates(np.ones((2, 3)), np.ones(2), np.array([[0.3, 0.0], [0.0, 0.5]]))
    told = measure(*[Searched("test", some.scans, {"0": two})] * 2, search("a", "b"), False)
    assert told.kinds.called == ((0, 1), (0, 0))


def test_the_threshold_finds_most_at_so_many_false_ones():
    """Falling: a hit at .9, a false one at .8, a hit at .7, false ones at .6 and .5."""
    some = made([1.0, 99.0, 1.0, 99.0, 99.0], np.array([[0.9], [0.8], [0.7], [0.6], [0.5]]))
    froc, _ = respond(some.scans, some.found, search("a"))
    assert choose_threshold(froc, 0.0) == 0.9
    assert choose_threshold(froc, 0.2) == 0.7
    assert choose_threshold(froc, 9.0) == 0.7


def test_where_every_threshold_lets_too_many_pass_nothing_is_sure(tmp_path):
    """Shares that are summed may come to a little more than 1."""
    share = [[1.0000001]]
    some = made([99.0, 99.0, 99.0], share * 3)
    froc, _ = respond(some.scans, some.found, search("a"))
    threshold = choose_threshold(froc, 0.5)
    told = tell_findings("s", some.found["0"], ("a",), threshold)
    assert not told.found[0].sure
    assert told.warnings == (UNSURE,)
    assert measure(some, some, search("a"), landmarks=False).to_json()["threshold"] is None
    assert Folder(tmp_path, {"threshold": None}).threshold == np.inf


def test_findings_are_told_surest_first_by_their_likeliest_kind():
    shares = np.array([[0.1, 0.2], [0.6, 0.3], [0.0, 0.5]])
    some = Candidates(np.arange(9.0).reshape(3, 3), shares.sum(1), shares)
    told = tell_findings("s", some, ("a", "b"), 0.5, ("too coarse",))
    assert [one.kind for one in told.found] == ["a", "b", "b"]
    assert [one.score for one in told.found] == pytest.approx([0.9, 0.5, 0.3])
    assert [one.sure for one in told.found] == [True, True, False]
    assert told.found[0].at_mm == (3.0, 4.0, 5.0)
    assert {one.warnings for one in told.found} == {("too coarse",)}
    assert tell_findings("s", some, ("a", "b"), 0.95).warnings == (UNSURE,)


def test_of_many_candidates_the_sure_ones_are_told_and_a_few_more():
    scores = np.linspace(0.0, 1.0, 100)[:, None]
    some = Candidates(np.zeros((100, 3)), scores[:, 0], scores)
    few, many = (tell_findings("s", some, ("a",), least).found for least in (0.95, 0.5))
    assert (len(few), len(many)) == (LISTED, 50)
    assert [one.sure for one in few] == [True] * 5 + [False] * (LISTED - 5)
    assert few[0].score == 1.0
    landmarks = tuple(f"L{number}" for number in range(30))
    shares = np.eye(30) * 0.1
    some = Candidates(np.zeros((30, 3)), shares.sum(1), shares)
    assert len(tell_findings("s", some, landmarks, 0.5).found) == 30


def test_figures_of_landmarks_that_no_scan_has_are_null_in_json(capsys):
    here = Target("a", Point((3.0, 3.0, 3.0), "mm"))
    scan = Scan("1", Source("1"), "p", "val", (here,))
    found = {"1": Candidates(np.full((2, 3), 3.0), np.ones(2), np.eye(2))}
    val = Searched("val", [scan], found)
    told = measure(val, val, search("a", "b"), landmarks=True).to_json()
    assert (told["judged"], told["kinds"]) == (None, None)
    assert told["distances"]["largest_mm"] == 0.0
    assert told["distances"]["landmarks"][1]["error_mm"] is None
    json.dumps(told, allow_nan=False)
    none = {**told["distances"], "median_mm": None, "largest_mm": None}
    show_found({**told, "distances": none})
    assert "largest, mm" in capsys.readouterr().out
