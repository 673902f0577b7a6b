"""The whole image: one network sees the picture or the volume as it is.

In use the exam is looked at several times, each a little shifted, and mirrored where training
mirrored it; the mean is steadier than one look.

Source: LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE, 1998.
"""

import torch
from torch import Generator, Tensor, nn

from medclf.core.task import Task
from medclf.look.augment import Augment, augment, mix
from medclf.look.copies import shifted_copies
from medclf.method.loss import task_loss
from medclf.net.head import Classifier


class WholeImage(nn.Module):
    """Classify each exam from its one image.

    Args:
        network: Body and head.
        task: What is decided.
        changes: What chance may do to an exam in training.
        shift: How far the copies that are averaged in use are shifted, as a share of the edge;
            `None` to judge the exam alone, not even mirrored.
        smoothing: Share of the label given to all classes alike.
        class_weights: Weight of each class in the loss, or empty.
    """

    def __init__(
        self,
        network: Classifier,
        task: Task,
        changes: Augment,
        shift: float | None = None,
        smoothing: float = 0.0,
        class_weights: tuple[float, ...] = (),
    ) -> None:
        super().__init__()
        self.network, self.task, self.changes = network, task, changes
        self.shift, self.smoothing, self.class_weights = shift, smoothing, class_weights

    def look(self, batch: Tensor, generator: Generator) -> Tensor:
        """Change each exam by chance, or in use copy it: (B, C, *space) -> (B, V, C, *space)."""
        if self.training:
            return augment(batch, self.changes, generator).unsqueeze(1)
        if self.shift is None:
            return batch.unsqueeze(1)
        return shifted_copies(batch, self.shift, self.changes.mirror)

    def blend(self, views: Tensor, target: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Mix exams and their labels, where the settings ask for it."""
        return mix(views, target, self.changes.mix, generator)

    def forward(self, views: Tensor) -> Tensor:
        """Judge each view by itself: (B, V, C, *space) -> (B, V, outputs).

        A network with auxiliary heads gives (heads, B, V, outputs) in training.
        """
        logits: Tensor = self.network(views.flatten(0, 1))
        return logits.reshape(*logits.shape[:-2], *views.shape[:2], -1)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare each view with the label of its exam: (B, V, outputs), (B, K) -> ()."""
        if logits.ndim == 4:
            heads = [self.loss(each, target) for each in logits]
            return torch.stack(heads) @ logits.new_tensor(self.network.shares).float()
        each = target.repeat_interleave(logits.shape[1], dim=0)
        flat = logits.flatten(0, 1)
        return task_loss(flat, each, self.task, self.smoothing, self.class_weights)

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Average the looks; their spread tells how far the answer hangs on the look."""
        each = torch.from_numpy(self.task.probabilities(logits.float().cpu().numpy()))
        return each.mean(dim=1), each.std(dim=1, correction=0)
