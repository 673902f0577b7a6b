"""Grades that rank: a mistake by two grades is worse than one by one.

Cumulative logits ask for each step whether the exam lies above it. Regression asks for the grade as
a number, here the sum of those steps, and is rounded in use: as no step is compared with a label,
they need not fall, and only their sum tells anything. Both losses together rank and grade.

Source: Antony, McGuinness, O'Connor, Moran. Quantifying Radiographic Knee Osteoarthritis Severity
using Deep Convolutional Neural Networks. ICPR 2016 (regression); Antony, McGuinness, Moran,
O'Connor. Automatic Detection of Knee Joints. MLDM 2017 (both losses); Cheng. A Neural Network
Approach to Ordinal Regression. IJCNN 2008 (cumulative steps).
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from medclf.errors import SettingError
from medclf.method.asked import Asked
from medclf.method.each_view import EachView
from medclf.method.lesson import Lesson
from medclf.method.whole_image import build as build_whole

LOSSES = ("cumulative", "regression", "both")
SPREAD = 0.7
"""Deviation in grades of the bell around a number that shares it out among the grades."""


@dataclass(frozen=True)
class Graded(Lesson):
    """Grades are learnt as steps, as a number, or as both.

    Args:
        by: "cumulative", "regression" or "both".
    """

    by: Literal["cumulative", "regression", "both"] = "both"

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare views with the grade of their exam: (B, V, K - 1), (B, K) -> ()."""
        steps = super().loss(logits, target)
        if self.by == "cumulative":
            return steps
        grades = torch.arange(target.shape[1], device=target.device, dtype=target.dtype)
        grade = (target @ grades).unsqueeze(1).expand(-1, logits.shape[1])
        found = _number(logits)
        there = ~found.isnan()
        number = mse_loss(found[there], grade[there])
        return number if self.by == "regression" else steps + number

    def probabilities(self, logits: Tensor) -> Tensor:
        """Turn logits into probabilities: (…, K - 1) -> (…, K); a number is nearest its grade."""
        if self.by == "regression":
            # In double precision, which not every device has: on the processor.
            number = _number(logits.float().cpu()).double()
            far = number.unsqueeze(-1) - torch.arange(logits.shape[-1] + 1)
            return (-0.5 * (far / SPREAD).square()).softmax(-1)
        return super().probabilities(logits)


def _number(logits: Tensor) -> Tensor:
    """Give the grade as a number: (…, K - 1) -> (…)."""
    return logits.float().sigmoid().sum(-1)


def build(asked: Asked, loss: Literal["cumulative", "regression", "both"] = "both") -> EachView:
    """Build the method.

    Args:
        loss: What is learnt.
    """
    task = asked.lesson.task
    if task.kind != "ranked":
        raise SettingError(f"ranked classes wanted (--kind ranked), these are {task.kind}")
    if loss not in LOSSES:
        raise SettingError(f"method.options.loss is one of {', '.join(LOSSES)}, not {loss!r}")
    old = asked.lesson
    lesson = Graded(old.task, old.smoothing, old.class_weights, loss)
    return build_whole(replace(asked, lesson=lesson))
