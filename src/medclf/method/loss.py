"""The loss that a task asks for, from logits and shares of each class.

Exclusive classes: cross-entropy. Coexisting findings: binary cross-entropy for each. Ranked
classes: binary cross-entropy for each step "above grade k".

Source: Szegedy et al. Rethinking the Inception Architecture. CVPR 2016, section 7 (smoothing);
Cheng. A Neural Network Approach to Ordinal Regression. IJCNN 2008 (cumulative steps).
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from medclf.core.task import Task


def task_loss(
    logits: Tensor,
    target: Tensor,
    task: Task,
    smoothing: float = 0.0,
    class_weights: tuple[float, ...] = (),
) -> Tensor:
    """Measure how far logits are from the target.

    Args:
        logits: (B, outputs), as `task.outputs` counts. Minus infinity is what an exclusive class
            has that is not asked of the exam: nothing is learnt of it, nor smoothed onto it.
        target: Share of each class, (B, K): one-hot, or mixed, or 0 and 1 for each finding.
        smoothing: Share of the label spread over all classes, in [0, 1).
        class_weights: How much each class counts; empty for alike. Where their mean over all
            exams is 1, as `class_weights` of `learn.committee` gives them, the rate keeps its
            meaning.

    Returns:
        The mean loss, ().
    """
    logits = logits.float()
    weights = logits.new_tensor(class_weights) if class_weights else None
    if task.kind == "exclusive":
        if bool((logits == -torch.inf).any()):
            return _among(logits, target, smoothing, weights)
        return cross_entropy(logits, target, weight=weights, label_smoothing=smoothing)
    if task.kind == "ranked":
        above = target.flip(1).cumsum(1).flip(1)[:, 1:]
        each = _binary(logits, above, smoothing)
        exam = each.mean(1)
        return exam.mean() if weights is None else (exam * (target @ weights)).mean()
    each = _binary(logits, target, smoothing)
    return each.mean() if weights is None else (each * (1 + target * (weights - 1))).mean()


def _among(logits: Tensor, target: Tensor, smoothing: float, weights: Tensor | None) -> Tensor:
    """Compare logits with the target among the classes that are asked of each exam."""
    asked = logits > -torch.inf
    soft = torch.lerp(target, asked / asked.sum(1, keepdim=True), smoothing)
    said = logits.log_softmax(1).masked_fill(~asked, 0.0)
    costs = soft * said if weights is None else soft * said * weights
    return -costs.sum(1).mean()


def _binary(logits: Tensor, target: Tensor, smoothing: float) -> Tensor:
    soft = torch.lerp(target, torch.full_like(target, 0.5), smoothing)
    return binary_cross_entropy_with_logits(logits, soft, reduction="none")
