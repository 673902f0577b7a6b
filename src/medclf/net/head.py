"""The classifier: a body, pooled over space, and one linear layer, or the dense head of its paper.

It computes in the precision of its weights even under autocast: logits of bfloat16 have three
digits, which ties cases that a ranking must part.
"""

import torch
from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body, Dense
from medclf.net.forest import Forest
from medclf.net.nd import layers
from medclf.net.precision import without_autocast

POOLS = ("mean", "mean+max", "dense")


class Classifier(nn.Module):
    """One network from images to logits.

    Args:
        body: Any body of `net/`.
        outputs: Logits, as `Task.outputs` says.
        dropout: Share of the pooled features dropped in training, 0 to below 1.
        pool: "mean" over space; "mean+max", which gives the linear layer both; or "dense", the
            hidden layers that the body's paper has.

    Shape:
        (B, C, *space) -> (B, outputs). In training, where the body has auxiliary heads, their
        logits follow those of the last: (heads, B, outputs), counted by `shares` in the loss.

    Raises:
        SettingError: the body has no dense head, or an argument is out of its range.

    Example:
        >>> from medclf.net.family.lenet import LeNet
        >>> Classifier(LeNet(2, 1), outputs=10)(torch.zeros(3, 1, 28, 28)).shape
        torch.Size([3, 10])
    """

    def __init__(self, body: Body, outputs: int, dropout: float = 0.0, pool: str = "mean") -> None:
        super().__init__()
        if outputs < 1:
            raise SettingError(f"a classifier has 1 output or more, not {outputs!r}")
        if not 0 <= dropout < 1:
            raise SettingError(f"dropout is a share from 0 to below 1, not {dropout!r}")
        if pool not in POOLS:
            raise SettingError(f"pool is {' or '.join(POOLS)}, not {pool!r}")
        self.body, self.pool = body, pool
        self.auxiliary = nn.ModuleDict(body.auxiliary(outputs))
        self.shares = (1.0, *[body.auxiliary_share] * len(self.auxiliary))
        features = body.features * (1 + (pool == "mean+max"))
        self.hidden: nn.Module = nn.Identity()
        if pool == "dense":
            if body.dense is None:
                raise SettingError(f"{type(body).__name__} has no dense head; pool = mean fits it")
            self.hidden = hidden = Hidden(body.dense, body.features, body.dims)
            features, dropout = hidden.features, dropout or body.dense.dropout
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.linear = nn.Linear(features, outputs)
        self.forest: Forest | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and self.auxiliary):
            return self.decide(self._pool(self.body(x)))
        maps = self.body.stages(x)
        last = self.decide(self._pool(maps[self.body.names[-1]]))
        early = [head(maps[name]).to(last.dtype) for name, head in self.auxiliary.items()]
        return torch.stack([last, *early])

    def embed(self, x: Tensor) -> Tensor:
        """Give the vector of each image that the last layer judges: (B, C, *space) -> (B, F)."""
        return self._pool(self.body(x))

    def decide(self, features: Tensor) -> Tensor:
        """Turn pooled features into logits: (B, F) -> (B, outputs)."""
        if self.forest is not None:
            trees: Tensor = self.forest(features)
            return trees
        with without_autocast(features.device):
            logits: Tensor = self.linear(self.dropout(features))
        return logits

    def _pool(self, last: Tensor) -> Tensor:
        if self.pool == "dense":
            grid: Tensor = self.hidden(last)
            return grid.to(self.linear.weight.dtype)
        cells = last.flatten(2).to(self.linear.weight.dtype)
        mean: Tensor = cells.mean(2)
        return mean if self.pool == "mean" else torch.cat([mean, cells.amax(2)], 1)


class Hidden(nn.Module):
    """The map pooled to a grid, and the hidden layers of a dense head.

    Args:
        dense: How the paper has it.
        channels: Of the map.
        dims: Axes of space.

    Shape:
        (B, channels, *space) -> (B, features)
    """

    def __init__(self, dense: Dense, channels: int, dims: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(layers(dims).adaptive_avg_pool(dense.side), nn.Flatten())
        here = channels * dense.side**dims
        for number, there in enumerate(dense.hidden):
            if number:  # what follows the last layer, the classifier drops
                self.layers.append(nn.Dropout(dense.dropout))
            self.layers.extend([nn.Linear(here, there), nn.ReLU()])
            here = there
        self.features = here

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out
