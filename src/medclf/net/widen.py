"""Inputs that are too short for a network without padding, laid in zeros until it can judge them.

Source: LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 86(11), 1998, section II.B: digits of 28 pixels in fields of 32.
"""

from torch import Tensor, nn
from torch.nn.functional import pad


class Widen(nn.Module):
    """Lay zeros about a map until every axis has so many samples."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least = least

    def forward(self, x: Tensor) -> Tensor:
        missing = [max(0, self.least - n) for n in reversed(x.shape[2:])]
        if not any(missing):
            return x
        return pad(x, [side for n in missing for side in (n // 2, n - n // 2)])
