"""See each view, join what was seen to one feature, and judge the exam once."""

import torch
from torch import Generator, Tensor, nn

from medclf.look.augment import mix
from medclf.look.views import Look, Views
from medclf.method.contract import Fuse
from medclf.method.lesson import Lesson
from medclf.method.streams import embed, see
from medclf.net.head import Classifier


class Joined(nn.Module):
    """Classify an exam from all of its views together.

    Args:
        networks: One for all views, or one for each of them, in order. The head of the first
            judges what `fuse` gives.
        look: What is seen of an exam.
        fuse: Makes one feature of those of the views and of the patient's facts.
        lesson: What is learnt.
        mixing: Share of a second exam blended in, as alpha of mixup's Beta distribution.
    """

    def __init__(
        self,
        networks: list[Classifier],
        look: Look,
        fuse: Fuse,
        lesson: Lesson,
        mixing: float = 0.0,
    ) -> None:
        super().__init__()
        self.networks, self.seen, self.fuse = nn.ModuleList(networks), look, fuse
        self.lesson, self.task, self.mixing = lesson, lesson.task, mixing

    @property
    def network(self) -> Classifier:
        """The network, or that of the first view; its head judges."""
        first: Classifier = self.networks[0]  # type: ignore[assignment]
        return first

    def look(self, views: Views, generator: Generator) -> Views:
        """Look at exams: by chance in training, or as in use."""
        return self.seen(views, generator, self.training)

    def blend(self, views: Views, target: Tensor, generator: Generator) -> tuple[Views, Tensor]:
        """Mix exams and their labels, where the settings ask for it."""
        return mix(views, target, self.mixing, generator)

    def forward(self, views: Views) -> Tensor:
        """Judge each exam: (B, V, C, *space) -> (B, 1, outputs)."""
        return self.network.decide(self.embed(views)).unsqueeze(1)

    def embed(self, views: Views) -> Tensor:
        """Give what the head judges: (B, F)."""
        features = see(self.networks, views, embed)
        return self.fuse(torch.nan_to_num(features), views)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare the answer with the label."""
        return self.lesson.loss(logits, target)

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Give probabilities, and a spread of 0: there is one answer."""
        return self.lesson.decide(logits)

    def weigh(self, views: Views) -> Tensor:
        """Tell how much each view counts: (B, V), summing to 1 over those that are there."""
        features = see(self.networks, views, embed)
        return self.fuse.weigh(torch.nan_to_num(features), views)
