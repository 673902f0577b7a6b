"""What every method offers to the loop: look, judge, compare, decide."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from torch import Generator, Tensor, nn

from medclf.core.task import Task
from medclf.net.head import Classifier


class Method(Protocol):
    """A composition of look, judge, fuse and decide. It is an `nn.Module` as well."""

    task: Task
    network: Classifier
    training: bool

    def look(self, batch: Tensor, generator: Generator) -> Tensor:
        """Turn prepared exams into views: (B, C, *space) -> (B, V, C, *space)."""

    def blend(self, views: Tensor, target: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Mix exams and their labels, where the settings ask for it."""

    def __call__(self, views: Tensor) -> Tensor:
        """Judge views: (B, V, C, *space) -> logits."""

    def loss(self, logits: Tensor, target: Tensor) -> Tensor:
        """Compare logits with shares of each class (B, K): ()."""

    def decide(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Give probabilities and their spread over the views, (B, K) each."""

    def modules(self) -> Iterator[nn.Module]:
        """Give all parts, the method itself first."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Give the weights that learn."""

    def buffers(self) -> Iterator[Tensor]:
        """Give what is kept beside the weights, as the statistics of norms."""

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Let the weights learn, or not."""

    def train(self, mode: bool = True) -> Any:
        """Switch to training, or to use."""

    def eval(self) -> Any:
        """Switch to use."""

    def state_dict(self) -> dict[str, Tensor]:
        """Give the weights by name."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> Any:
        """Take weights by name."""
