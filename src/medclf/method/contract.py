"""What every method offers to the loop: look, judge, fuse, decide."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeVar

import torch
from torch import Generator, Tensor, nn

from medclf.core.task import Task
from medclf.look.views import Look, Views
from medclf.net.head import Classifier


class Learner(Protocol):
    """What the loop trains: a method, or what finds places. It is an `nn.Module` as well."""

    training: bool

    def look(self, views: Views, generator: Generator) -> Views:
        """Turn prepared exams into views of them: (B, I, C, *space) -> (B, V, C, *space)."""

    def blend(self, views: Views, target: Tensor, generator: Generator) -> tuple[Views, Tensor]:
        """Change exams together with their targets, where the settings ask for it."""

    def __call__(self, views: Views) -> Tensor:
        """Judge views: (B, V, C, *space) -> logits, or whatever else is compared."""

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare what was judged with the targets: ()."""

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Give the answers and how sure they are.

        Of methods: probabilities and their spread over the views, (B, K) each.
        """

    def modules(self) -> Iterator[nn.Module]:
        """Give all parts, the method itself first."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Give the weights that learn."""

    def buffers(self) -> Iterator[Tensor]:
        """Give what is kept beside the weights, as the statistics of norms."""

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Let the weights learn, or not."""

    def to(self, device: torch.device) -> Any:
        """Bring the weights to a device."""

    def train(self, mode: bool = True) -> Any:
        """Switch to training, or to use."""

    def eval(self) -> Any:
        """Switch to use."""

    def state_dict(self) -> dict[str, Tensor]:
        """Give the weights by name."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Any:
        """Take weights by name."""


class Method(Learner, Protocol):
    """A composition of look, judge, fuse and decide."""

    task: Task
    seen: Look
    alone: bool

    @property
    def network(self) -> Classifier:
        """The network whose head gives the answer."""

    @property
    def beside(self) -> tuple[str, ...]:
        """Name what has weights of its own beside a network and its head."""

    def embed(self, views: Views) -> Tensor:
        """Give what the head judges: (B, F)."""

    def weigh(self, views: Views) -> tuple[Tensor, Tensor]:
        """Judge in use, and tell what each view does to the answer, in probabilities: (B, V, K).

        Where views are judged by themselves (`alone`), what it says by itself, of which the answer
        is the mean; else what would be said without it, NaN where there is no other view. NaN
        where a view is not there.
        """


Taught = TypeVar("Taught", bound=Learner)
