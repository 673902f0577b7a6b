"""The classifier: a body, pooled over space, and one linear layer.

It computes in the precision of its weights even under autocast: logits of bfloat16 have three
digits, which ties cases that a ranking must part.
"""

import torch
from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.precision import without_autocast

POOLS = ("mean", "mean+max")


class Classifier(nn.Module):
    """One network from images to logits.

    Args:
        body: Any body of `net/`: it has `features` and gives (B, features, *space).
        outputs: Logits, as `Task.outputs` says.
        dropout: Share of the pooled features dropped in training, 0 to below 1.
        pool: "mean" over space, or "mean+max", which gives the linear layer both.

    Shape:
        (B, C, *space) -> (B, outputs)

    Raises:
        SettingError: the body states no features, or another argument is out of its range.

    Example:
        >>> from medclf.net.lenet import LeNet
        >>> Classifier(LeNet(2, 1), outputs=10)(torch.zeros(3, 1, 28, 28)).shape
        torch.Size([3, 10])
    """

    def __init__(
        self, body: nn.Module, outputs: int, dropout: float = 0.0, pool: str = "mean"
    ) -> None:
        super().__init__()
        features = getattr(body, "features", None)
        if not isinstance(features, int):
            raise SettingError(f"a body states its features; {type(body).__name__} does not")
        if outputs < 1:
            raise SettingError(f"a classifier has 1 output or more, not {outputs!r}")
        if not 0 <= dropout < 1:
            raise SettingError(f"dropout is a share from 0 to below 1, not {dropout!r}")
        if pool not in POOLS:
            raise SettingError(f"pool is {' or '.join(POOLS)}, not {pool!r}")
        self.body = body
        self.pool = pool
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.linear = nn.Linear(features * (1 + (pool == "mean+max")), outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.decide(self.embed(x))

    def embed(self, x: Tensor) -> Tensor:
        """Pool the body's map to one vector an image: (B, C, *space) -> (B, F).

        F is `features`, or twice as many with "mean+max".
        """
        cells = self.body(x).flatten(2).to(self.linear.weight.dtype)
        mean: Tensor = cells.mean(2)
        return mean if self.pool == "mean" else torch.cat([mean, cells.amax(2)], 1)

    def decide(self, features: Tensor) -> Tensor:
        """Turn pooled features into logits: (B, F) -> (B, outputs)."""
        with without_autocast(features.device):
            logits: Tensor = self.linear(self.dropout(features))
        return logits
