"""A light decoder: from a code of some numbers back to a small image.

A linear layer lays the code out on a grid of few samples; each step doubles the grid and convolves
it, with half as many channels.

Source: Hinton, Salakhutdinov. Reducing the Dimensionality of Data with Neural Networks. Science
2006; Odena, Dumoulin, Olah. Deconvolution and Checkerboard Artifacts. Distill 2016 (enlarge, then
convolve).
"""

from collections.abc import Sequence
from math import prod

from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate

from medclf.net.nd import Layers, conv_norm, layers
from medclf.net.start import fill_normal, initialise, zero

FEWEST, NARROWEST, WIDEST = 4, 16, 64


class Decoder(nn.Module):
    """Rebuild images from codes.

    Args:
        code: Numbers of a code.
        channels: Of the image.
        size: Its edges in samples, z first.

    Shape:
        (B, code) -> (B, channels, *size)
    """

    def __init__(self, code: int, channels: int, size: Sequence[int]) -> None:
        super().__init__()
        self.sizes = grids(size)
        kind, here = layers(len(size)), WIDEST
        self.grid = nn.Linear(code, here * prod(self.sizes[0]))
        self.steps = nn.ModuleList()
        for _ in self.sizes:
            there = max(NARROWEST, here // 2)
            self.steps.append(Enlarge(kind, here, there))
            here = there
        self.last = nn.Conv2d(here, channels, 1) if len(size) == 2 else nn.Conv3d(here, channels, 1)

    def forward(self, code: Tensor) -> Tensor:
        x = self.grid(code).unflatten(1, (WIDEST, *self.sizes[0])).relu()
        for size, step in zip(self.sizes, self.steps, strict=True):
            x = step(x, size)
        image: Tensor = self.last(x)
        return image

    def draw(self, generator: Generator) -> None:
        """Draw first weights; small ones last, so that the first images are near the mean."""
        initialise(self.grid, generator)
        initialise(self.steps, generator)
        fill_normal(self.last.weight, 0.01, generator)
        zero(self.last.bias)


class Enlarge(nn.Module):
    """Enlarge a map, add what is known at its new size, and convolve it.

    Args:
        kind: The layers to choose from.
        here: Channels that come in.
        there: Channels that go out.
    """

    def __init__(self, kind: Layers, here: int, there: int) -> None:
        super().__init__()
        self.convolve = nn.Sequential(*conv_norm(kind, here, there, 3), kind.act())

    def forward(self, x: Tensor, size: Sequence[int], beside: Tensor | None = None) -> Tensor:
        """Enlarge to a size: (B, here, *space), (B, here, *size) -> (B, there, *size)."""
        x = interpolate(x, tuple(size))
        out: Tensor = self.convolve(x if beside is None else x + beside)
        return out


def grids(size: Sequence[int]) -> list[tuple[int, ...]]:
    """Halve a size until its longest edge is 4 or less, and give all sizes, the smallest first.

    Example:
        >>> grids((28, 12))
        [(4, 2), (7, 3), (14, 6), (28, 12)]
    """
    found = [tuple(size)]
    while max(found[0]) > FEWEST:
        found.insert(0, tuple(-(-edge // 2) for edge in found[0]))
    return found
