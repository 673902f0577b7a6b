"""Calibration: logits are divided and shifted until the probabilities tell the chances.

A temperature T makes all answers more or less sure at once. A bias per class mends the prior that
balanced sampling bent: what was seen half of the time in training may be rare in use. Both are
fitted to the log loss on validation. A weak prior holds log T near 0 (SD .5) and each bias near 0
(SD 2, wide enough for a class of 1 in 50), so that 20 exams that are all right do not make the
model boundlessly sure; against hundreds of exams it weighs nothing.

Source: Guo, Pleiss, Sun, Weinberger. On Calibration of Modern Neural Networks. ICML 2017, section
4.2. Platt. Probabilistic Outputs for Support Vector Machines. 1999. Alexandari, Kundaje,
Shrikumar. Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat. ICML 2020.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from medclf.core.task import Task
from medclf.errors import CohortError, SettingError
from medclf.evaluate.score import Classes, Numbers, log_losses

COLDEST, HOTTEST = 0.05, 20.0
LOG_TEMPERATURE_SD = 0.5
BIAS_SD = 2.0
SMALLEST = 1e-12


@dataclass(frozen=True)
class Calibration:
    """What stands between logits and probabilities: link(logits / temperature + bias).

    Args:
        temperature: Above 1 makes answers less sure.
        bias: One per logit (per class, or per step between ranked classes); none means 0.
    """

    temperature: float = 1.0
    bias: tuple[float, ...] = ()

    def apply(self, task: Task, logits: Numbers) -> Numbers:
        """Turn logits into calibrated probabilities: (..., outputs) -> (..., K).

        Raises:
            SettingError: the task has another number of logits than there are biases.
        """
        if self.bias and len(self.bias) != task.outputs:
            raise SettingError(f"{task.outputs} logits take as many biases, not {len(self.bias)}")
        return task.probabilities(logits / self.temperature + np.array(self.bias or 0.0))

    def mend(self, task: Task, probabilities: Numbers) -> Numbers:
        """Calibrate probabilities, as the mean of an ensemble gives them: (..., K) -> (..., K).

        An exclusive class that was ruled out, with 0 throughout, stays so.
        """
        mended = self.apply(task, inverse_link(task, probabilities))
        if task.kind != "exclusive":
            return mended
        mended = np.where(probabilities > 0, mended, 0.0)
        return np.asarray(mended / mended.sum(-1, keepdims=True))


def inverse_link(task: Task, probabilities: Numbers) -> Numbers:
    """Find logits that have these probabilities, as for the mean of an ensemble.

    Exclusive: log p. Coexisting: logit p. Ranked: logit of the chance to lie above each step.
    Probabilities are held between 1e-12 and 1 - 1e-12.

    Shape:
        (..., K) -> (..., outputs)

    Example:
        >>> task = Task(("mild", "moderate", "severe"), "ranked")
        >>> p = np.array([0.5, 0.3, 0.2])
        >>> np.allclose(task.probabilities(inverse_link(task, p)), p)
        True
    """
    p = np.asarray(probabilities, np.float64)
    if p.shape[-1] != len(task.classes):
        raise SettingError(f"{len(task.classes)} probabilities per exam are wanted: {p.shape}")
    if task.kind == "exclusive":
        return np.asarray(np.log(np.maximum(p, SMALLEST)))
    if task.kind == "ranked":
        p = np.cumsum(p[..., :0:-1], axis=-1)[..., ::-1]
    p = np.clip(p, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(p) - np.log1p(-p))


def fit_temperature(task: Task, logits: Numbers, target: Classes) -> float:
    """Fit the temperature alone.

    Args:
        task: The classes.
        logits: (N, outputs) of validation exams.
        target: (N,) class numbers or (N, K) of 0 and 1; exams with -1 are left out.

    Returns:
        Between 0.05 and 20.

    Raises:
        CohortError: no exam has a label.
    """
    logits, target = _labelled(logits, target)

    def cost(log_temperature: float) -> float:
        return _cost(task, logits, target, np.array([log_temperature]))

    bounds = (float(np.log(COLDEST)), float(np.log(HOTTEST)))
    found = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def fit_calibration(task: Task, logits: Numbers, target: Classes, bias: bool = True) -> Calibration:
    """Fit the temperature and, if asked for, the biases.

    Args:
        task: The classes.
        logits: (N, outputs) of validation exams.
        target: (N,) class numbers or (N, K) of 0 and 1; exams with -1 are left out.
        bias: Whether to fit biases, as training with balanced classes asks for.

    Raises:
        CohortError: no exam has a label.
    """
    temperature = fit_temperature(task, logits, target)
    if not bias:
        return Calibration(temperature)
    logits, target = _labelled(logits, target)
    start = np.append(np.log(temperature), np.zeros(task.outputs))
    limits = [(float(np.log(COLDEST)), float(np.log(HOTTEST))), *[(None, None)] * task.outputs]
    found = minimize(
        lambda x: _cost(task, logits, target, x),
        start,
        jac=None if task.kind == "ranked" else lambda x: _slope(task, logits, target, x),
        bounds=limits,
        method="L-BFGS-B",
    )
    return Calibration(float(np.exp(found.x[0])), tuple(found.x[1:].tolist()))


def _labelled(logits: Numbers, target: Classes) -> tuple[Numbers, Classes]:
    target = np.asarray(target)
    known = (target if target.ndim == 1 else target[:, 0]) >= 0
    if not known.any():
        raise CohortError("calibration needs labelled exams, and none has a label")
    return np.asarray(logits, np.float64)[known], target[known]


def _cost(task: Task, logits: Numbers, target: Classes, x: Numbers) -> float:
    """Sum the losses in nats and the prior's; x is log T, then any biases."""
    p = task.probabilities(logits / np.exp(x[0]) + x[1:] if len(x) > 1 else logits / np.exp(x[0]))
    answers = target.size
    prior = (x[0] / LOG_TEMPERATURE_SD) ** 2 + np.square(x[1:] / BIAS_SD).sum()
    return float(log_losses(target, p).mean() * answers + prior / 2)


def _slope(task: Task, logits: Numbers, target: Classes, x: Numbers) -> Numbers:
    """The gradient of `_cost` for classes that exclude or coexist."""
    cooled = logits / np.exp(x[0])
    p = task.probabilities(cooled + x[1:])
    truth = target if target.ndim == 2 else target[:, None] == np.arange(p.shape[1])
    excess = p - truth
    temperature = -(excess * cooled).sum() + x[0] / LOG_TEMPERATURE_SD**2
    return np.append(temperature, excess.sum(0) + x[1:] / BIAS_SD**2)
