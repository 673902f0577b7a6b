import numpy as np
import pytest

from medclf.evaluate.calibrate import Calibration, fit_calibration, inverse_link
from medclf.evaluate.choice import choose
from medclf.evaluate.threshold import fit_decision


@pytest.mark.parametrize("kind", ["exclusive", "ranked", "coexisting"])
@pytest.mark.parametrize("how", ["none", "temperature", "bias"])
def test_thresholds_are_chosen_on_calibrated_probabilities(predicted, kind, how):
    found = predicted(90, 3, kind)
    calibration, decision = choose(found.task, found.target, found.probabilities, how, "balanced")
    logits = inverse_link(found.task, found.probabilities)
    if how == "none":
        assert calibration == Calibration()
    else:
        assert calibration == fit_calibration(found.task, logits, found.target, how == "bias")
    shares = calibration.apply(found.task, logits)
    assert decision == fit_decision(found.task, found.target, shares, "balanced")
    assert np.isfinite(shares).all()


def test_a_wished_sensitivity_holds_for_calibrated_probabilities(predicted):
    found = predicted(90, 3, "coexisting")
    parts = found.task, found.target, found.probabilities, "bias", "accuracy"
    calibration, keen = choose(*parts, 0.95)
    shares = calibration.mend(found.task, found.probabilities)
    assert keen == fit_decision(found.task, found.target, shares, "accuracy", 0.95)
    assert all(np.less(keen.thresholds, choose(*parts)[1].thresholds))
