"""Attention over views: a small network says how much each view counts, and the views are averaged.

An exam is a bag of views, of which few may show the disease. The score of a view depends on what it
shows, and the weights are the softmax of the scores over the views that are there. With a gate, a
second branch may close what tanh, nearly straight about 0, would let pass.

Source: Ilse, Tomczak, Welling. Attention-based Deep Multiple Instance Learning. ICML 2018,
equations 7 to 9; biases as in the authors' code.
"""

from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.fuse.fuser import settle
from medclf.net.precision import without_autocast


class Attention(nn.Module):
    """Average views by weights that depend on them.

    Args:
        features: Of each view, and of the exam.
        hidden: Units of the network that scores a view.
        gated: Whether each unit has a gate.

    Shape:
        (B, V, features), (B, V) -> (B, features)

    Raises:
        SettingError: `hidden` is below 1.
    """

    def __init__(self, features: int, hidden: int = 128, gated: bool = False) -> None:
        super().__init__()
        if hidden < 1:
            raise SettingError(f"attention has 1 hidden unit or more, not {hidden}")
        self.features = features
        self.content = nn.Linear(features, hidden)
        self.gate = nn.Linear(features, hidden) if gated else None
        self.score = nn.Linear(hidden, 1, bias=False)  # the softmax would undo a bias

    def forward(self, features: Tensor, present: Tensor | None = None) -> Tensor:
        with without_autocast(features.device):
            seen, there = settle(features, present)
            return (self._weights(seen, there)[..., None] * seen).sum(1)

    def _weights(self, seen: Tensor, there: Tensor) -> Tensor:
        inner = self.content(seen).tanh()
        if self.gate is not None:
            inner = inner * self.gate(seen).sigmoid()
        scores: Tensor = self.score(inner).squeeze(2)
        return scores.masked_fill(~there, float("-inf")).softmax(1)
