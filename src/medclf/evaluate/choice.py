"""What is chosen on validation: a calibration, and the thresholds on what it gives."""

from typing import Literal

from medclf.core.task import Task
from medclf.evaluate.calibrate import Calibration, fit_calibration, inverse_link
from medclf.evaluate.score import Classes, Numbers
from medclf.evaluate.threshold import Aim, Decision, fit_decision


def choose(
    task: Task,
    target: Classes,
    shares: Numbers,
    calibrate: Literal["none", "temperature", "bias"],
    aim: Aim,
    sensitivity: float = 0.0,
) -> tuple[Calibration, Decision]:
    """Fit a calibration and a decision to validation exams.

    Args:
        task: The classes.
        target: (N,) class numbers or (N, K) of 0 and 1.
        shares: (N, K) probabilities by judges that did not learn from these exams.
        calibrate: How: not, by a temperature, or by a temperature and biases.
        aim: What the thresholds are for.
        sensitivity: That they are to keep; 0 for any.

    Raises:
        CohortError: no exam has a label.
    """
    logits, calibration = inverse_link(task, shares), Calibration()
    if calibrate != "none":
        calibration = fit_calibration(task, logits, target, bias=calibrate == "bias")
    judged = calibration.mend(task, shares)
    return calibration, fit_decision(task, target, judged, aim, sensitivity)
