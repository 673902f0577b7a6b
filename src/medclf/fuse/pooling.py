"""Pooling over views: their mean, or the maximum of each channel.

The order of the views does not matter, nor how many they are. The mean asks what all views show;
the maximum is moved by a single view that shows much of something.

Source: Su, Maji, Kalogerakis, Learned-Miller. Multi-view Convolutional Neural Networks for 3D Shape
Recognition. ICCV 2015 (maximum over views).
"""

from torch import Tensor, nn

from medclf.fuse.fuser import settle, shares


class Mean(nn.Module):
    """Average the views.

    Args:
        features: Of each view, and of the exam.

    Shape:
        (B, V, features), (B, V) -> (B, features)
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def forward(self, features: Tensor, present: Tensor | None = None) -> Tensor:
        seen, there = settle(features, present)
        return seen.sum(1) / there.sum(1, keepdim=True)

    def weigh(self, features: Tensor, present: Tensor | None = None) -> Tensor:
        """Tell how much each view counted: alike."""
        seen, there = settle(features, present)
        return shares(there.to(seen.dtype), there)


class Maximum(nn.Module):
    """Take the largest value of each channel.

    Args:
        features: Of each view, and of the exam.

    Shape:
        (B, V, features), (B, V) -> (B, features)
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def forward(self, features: Tensor, present: Tensor | None = None) -> Tensor:
        seen, there = settle(features, present)
        return _low(seen, there).amax(1)

    def weigh(self, features: Tensor, present: Tensor | None = None) -> Tensor:
        """Tell how much each view counted: its share of the channels; equals divide a channel."""
        seen, there = settle(features, present)
        low = _low(seen, there)
        won = (low == low.amax(1, keepdim=True)).to(seen.dtype)
        return shares((won / won.sum(1, keepdim=True)).sum(2), there)


def _low(seen: Tensor, there: Tensor) -> Tensor:
    """Let absent views win no channel."""
    return seen.masked_fill(~there[..., None], float("-inf"))
