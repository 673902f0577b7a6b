"""What every method has in common once there are logits: how they are compared and decided on."""

from dataclasses import dataclass

import torch
from torch import Tensor

from medclf.core.task import Task
from medclf.method.loss import task_loss


@dataclass(frozen=True)
class Lesson:
    """What is to be learnt, and how mistakes count.

    Args:
        task: What is decided.
        smoothing: Share of the label given to all classes alike.
        class_weights: Weight of each class in the loss, or empty.
    """

    task: Task
    smoothing: float = 0.0
    class_weights: tuple[float, ...] = ()

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare each view with the label of its exam: (B, V, outputs), (B, K) -> ().

        Views that are not there have logits that are NaN, and do not count.
        """
        each = target.repeat_interleave(logits.shape[1], dim=0)
        flat = logits.flatten(0, 1)
        there = ~flat.isnan().any(1)
        if not bool(there.all()):
            flat, each = flat[there], each[there]
        return task_loss(flat, each, self.task, self.smoothing, self.class_weights)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Turn logits into probabilities: (…, outputs) -> (…, K), float64."""
        return torch.from_numpy(self.task.probabilities(logits.float().cpu().numpy()))

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Average the views; their spread tells how far the answer hangs on the view.

        Shape:
            (B, V, outputs) -> (B, K), (B, K)
        """
        each = self.probabilities(logits)
        mean = each.nanmean(dim=1)
        return mean, (each - mean[:, None]).square().nanmean(dim=1).sqrt()
