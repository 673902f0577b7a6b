"""A body: a chain of named stages, from the image to the features that a head judges.

Every family is one such chain, so that a method, an explanation or a detector asks any of them for
any of its maps. What the head shall be beside a plain linear layer, the family says here too.

Source: none; the names of the maps are those of each paper.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from medclf.net.start import NORMS


@dataclass(frozen=True)
class Dense:
    """The dense head of an early family: the map pooled to a grid, then linear layers.

    Args:
        side: Cells of the grid along each axis.
        hidden: Outputs of each hidden linear layer; none where they are stages of the body.
        dropout: Share of the outputs of each hidden layer dropped in training.
    """

    side: int
    hidden: tuple[int, ...]
    dropout: float


class Body(nn.Module):
    """A chain of stages.

    Args:
        dims: Axes of space, 2 or 3.
        stages: By name, from the image on.
        features: Channels of the last map.

    Shape:
        (B, channels, *space) -> (B, features, *space')
    """

    dense: Dense | None = None
    """The head of the paper, where it is more than one linear layer."""

    auxiliary_share = 0.0
    """How much the loss of each auxiliary head counts."""

    def __init__(self, dims: int, stages: Mapping[str, nn.Module], features: int) -> None:
        super().__init__()
        self.dims, self.features = dims, features
        self.names = tuple(stages)
        self.saves_memory = False
        for name, stage in stages.items():
            self.add_module(name, stage)

    def forward(self, x: Tensor) -> Tensor:
        for name in self.names:
            x = self._pass(self.get_submodule(name), x)
        return x

    def stages(self, x: Tensor) -> dict[str, Tensor]:
        """Give the map after every stage, shallow to deep; the last is what `forward` gives."""
        maps = {}
        for name in self.names:
            maps[name] = x = self._pass(self.get_submodule(name), x)
        return maps

    def auxiliary(self, outputs: int) -> dict[str, nn.Module]:
        """Make the heads that the paper hangs on earlier stages in training, by stage."""
        return {}

    def _pass(self, stage: nn.Module, x: Tensor) -> Tensor:
        """Apply a stage; where memory is saved, its inner maps are computed anew going back."""
        if not (self.saves_memory and self.training):
            out: Tensor = stage(x)
            return out
        for part in _parts(stage):
            contexts = partial(_contexts, part)
            x = checkpoint(part, x, use_reentrant=False, context_fn=contexts)
        return x


def _parts(stage: nn.Module) -> list[nn.Module]:
    """Part a stage into its blocks. One of single layers is a block: only its input is kept."""
    parts = list(stage.children()) if isinstance(stage, nn.Sequential) else []
    return parts if any(list(part.children()) for part in parts) else [stage]


def _contexts(part: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _without_statistics(part)


@contextmanager
def _without_statistics(part: nn.Module) -> Iterator[None]:
    """Keep the running statistics of norms: the second computing must not count twice."""
    norms = [m for m in part.modules() if isinstance(m, NORMS) and hasattr(m, "momentum")]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
