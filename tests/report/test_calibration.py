import re
from dataclasses import replace

import pytest
from sklearn.calibration import calibration_curve

from medclf.evaluate.calibrate import Calibration
from medclf.report.calibration import BINS, tell_calibration


def test_the_dots_are_those_of_scikit_learn(composed):
    judged = composed("binary").test
    svg = tell_calibration(judged).charts[0].svg
    paths = re.findall(r'<path d="([^"]+)"[^>]*stroke: var\(--accent\)', svg)
    points = [re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path) for path in paths]
    spots = [(float(x), float(y)) for x, y in max(points, key=len)]
    seen, said = calibration_curve(
        judged.labelled.target, judged.labelled.probabilities[:, 1], n_bins=BINS
    )
    assert len(spots) == len(seen)
    # The first and the last point tell the scale of the drawing; the others must fit to it.
    scale = (spots[-1][0] - spots[0][0]) / (said[-1] - said[0])
    found = [(x - spots[0][0]) / scale + said[0] for x, _ in spots]
    assert found == pytest.approx(said.tolist(), abs=2e-3)
    rise = (spots[-1][1] - spots[0][1]) / (seen[-1] - seen[0])
    heights = [(y - spots[0][1]) / rise + seen[0] for _, y in spots]
    assert heights == pytest.approx(seen.tolist(), abs=2e-3)


@pytest.mark.parametrize(
    ("kind", "what"),
    [("binary", "“nodule”"), ("ranked", "the likeliest class"), ("coexisting", "a finding")],
)
def test_it_says_whose_probability_is_judged(composed, kind, what):
    told = tell_calibration(composed(kind).test)
    assert what in told.charts[0].caption
    assert len(told.charts) == 2


def test_it_says_what_calibration_did(composed):
    judged = composed("binary").test
    error = f"{judged.scores.figures['ece'].value:.3f}".lstrip("0")
    assert f"calibration error is {error} (" in tell_calibration(judged).words
    assert "divided by 1.20, which makes answers less sure;" in tell_calibration(judged).words
    shifted = replace(judged, calibration=Calibration(0.5, (0.1, 0.2)))
    assert "more sure, and shifted by class" in tell_calibration(shifted).words
    for nothing in (None, Calibration()):
        assert "Logits" not in tell_calibration(replace(judged, calibration=nothing)).words
    hardly = tell_calibration(replace(judged, calibration=Calibration(0.998))).words
    assert hardly.endswith("Logits were divided by 1.00; this was fitted to validation.")


def test_it_says_that_findings_are_pooled(composed):
    assert "the drawing pools them" in tell_calibration(composed("coexisting").test).words
    assert "pools" not in tell_calibration(composed("ranked").test).words
