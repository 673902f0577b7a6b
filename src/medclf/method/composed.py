"""What both compositions have in common: networks, a look, and what is learnt."""

from torch import Generator, Tensor, nn

from medclf.look.augment import mix
from medclf.look.views import Look, Views
from medclf.method.lesson import Lesson
from medclf.net.head import Classifier


class Composed(nn.Module):
    """Abstract: a method that looks at exams and lets networks judge what is seen.

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
        """The network, or that of the first view; its head judges."""
        first: Classifier = self.networks[0]  # type: ignore[assignment]
        return first

    @property
    def beside(self) -> tuple[str, ...]:
        """Name what has weights of its own beside a network and its head, as what joins views."""
        parts = [
            (name, any(True for _ in part.parameters())) for name, part in self.named_children()
        ]
        return tuple(name for name, learns in parts if learns and name != "networks")

    def look(self, views: Views, generator: Generator) -> Views:
        """Look at exams: by chance in training, or as in use."""
        return self.seen(views, generator, self.training)

    def blend(self, views: Views, target: Tensor, generator: Generator) -> tuple[Views, Tensor]:
        """Mix exams and their labels, where the settings ask for it."""
        return mix(views, target, self.mixing, generator)

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare each answer with the label of its exam."""
        return self.lesson.loss(logits, target)

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Give probabilities and their spread over the views."""
        return self.lesson.decide(logits)
