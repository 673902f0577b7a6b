"""Judge each view by itself and average: the composition of most methods.

Views share one network, or each has its own.
"""

import torch
from torch import Tensor

from medclf.look.views import Views
from medclf.method.composed import Composed
from medclf.method.streams import embed, see


class EachView(Composed):
    """Classify an exam by the mean over its views; made as `Composed` is."""

    alone = True

    @property
    def beside(self) -> tuple[str, ...]:
        """Name what has weights of its own beside a network and its head: further networks too."""
        return (*super().beside, *("networks",) * (len(self.networks) > 1))

    def forward(self, views: Views) -> Tensor:
        """Judge each view by itself: (B, V, C, *space) -> (B, V, outputs), NaN where none is.

        A network with auxiliary heads gives (heads, B, V, outputs) in training.
        """
        return see(self.networks, views, lambda network, values: network(values))

    def embed(self, views: Views) -> Tensor:
        """Give what the last layer judges, the mean over views: (B, F)."""
        return see(self.networks, views, embed).nanmean(dim=1)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare each view with the label of its exam: every look is a sample of its own."""
        if logits.ndim == 4:
            heads = [self.lesson.loss(each, target) for each in logits]
            return torch.stack(heads) @ logits.new_tensor(self.network.shares).float()
        return super().loss(logits, target)

    @torch.no_grad()
    def weigh(self, views: Views) -> tuple[Tensor, Tensor]:
        """Judge, and tell what each view says by itself: (B, V, K), NaN where none is."""
        logits = self(views)
        return logits, self.lesson.probabilities(logits)
