"""Judge each view by itself and average: the composition of most methods.

Views share one network, or each has its own.
"""

import torch
from torch import Generator, Tensor, nn

from medclf.look.augment import mix
from medclf.look.views import Look, Views
from medclf.method.lesson import Lesson
from medclf.method.streams import embed, see
from medclf.net.head import Classifier


class EachView(nn.Module):
    """Classify an exam by the mean over its views.

    Args:
        networks: One for all views, or one for each of them, in order.
        look: What is seen of an exam.
        lesson: What is learnt.
        mixing: Share of a second exam blended in, as alpha of mixup's Beta distribution.
    """

    def __init__(
        self, networks: list[Classifier], look: Look, lesson: Lesson, mixing: float = 0.0
    ) -> None:
        super().__init__()
        self.networks, self.seen = nn.ModuleList(networks), look
        self.lesson, self.task, self.mixing = lesson, lesson.task, mixing

    @property
    def network(self) -> Classifier:
        """The network, or that of the first view."""
        first: Classifier = self.networks[0]  # type: ignore[assignment]
        return first

    def look(self, views: Views, generator: Generator) -> Views:
        """Look at exams: by chance in training, or as in use."""
        return self.seen(views, generator, self.training)

    def blend(self, views: Views, target: Tensor, generator: Generator) -> tuple[Views, Tensor]:
        """Mix exams and their labels, where the settings ask for it."""
        return mix(views, target, self.mixing, generator)

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
        return self.lesson.loss(logits, target)

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Give probabilities and their spread over the views."""
        return self.lesson.decide(logits)

    def weigh(self, views: Views) -> Tensor:
        """Tell how much each view counts: alike, (B, V), summing to 1."""
        there = views.present
        if there is None:
            there = torch.ones(views.values.shape[:2], device=views.values.device)
        return there.float() / there.float().sum(1, keepdim=True)
