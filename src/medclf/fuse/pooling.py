"""Pooling over views: their mean, or the maximum of each channel.

The order of the views does not matter, nor how many they are. The mean asks what all views show;
the maximum is moved by a single view that shows much of something.

Source: Su, Maji, Kalogerakis, Learned-Miller. Multi-view Convolutional Neural Networks for 3D Shape
Recognition. ICCV 2015 (maximum over views).
"""

from torch import Tensor, nn

from medclf.fuse.fuser import settle


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
        low = seen.masked_fill(~there[..., None], float("-inf"))  # absent views win no channel
        return low.amax(1)
