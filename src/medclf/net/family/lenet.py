"""LeNet-5: convolutions and sub-sampling in turn, the first network of today's shape.

Six layers C1, S2, C3, S4, C5, F6 as in the paper. C5 and F6 are convolutions, which is what the
paper calls C5 and what F6 is at 32 x 32 pixels, so any larger input works too. The paper's output
layer compares F6 with fixed codes by Euclidean distance; under a softmax the square of F6 cancels
and that is a linear layer, so `Classifier` stands in its place.

Source: LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE 86(11), 1998, figure 2, table I, appendix A.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Generator, Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body, Dense
from medclf.net.nd import Layers, conv_norm, layers
from medclf.net.start import fill_uniform, initialise, zero
from medclf.net.style import Style
from medclf.net.widen import Widen

PLAIN = Style(norm="plain")
FORMS = ("paper", "modern")
SMALLEST = 32

# Table I: for each of the 16 maps of C3, the maps of S2 that it sees.
SEEN = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)


class LeNet(Body):
    """Body of LeNet-5.

    An axis shorter than 32 samples is padded with zeros to 32, as the paper pads its digits.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        form: "paper" has the partial table of C3, trained sub-sampling and the scaled tanh:
            60,000 weights for one channel. "modern" has full connections, max-pooling and ReLU:
            60,856, the form that most tutorials call LeNet-5.
        style: Norm and activation of the modern form, which as published has none but ReLU.

    Shape:
        (B, channels, *space) -> (B, 84, *(space' // 4 - 7)) with space' = max(space, 32)

    Raises:
        SettingError: there is no such form, or `dims` is neither 2 nor 3.
    """

    dense = Dense(1, (), dropout=0.0)  # its hidden layers, C5 and F6, are stages of the body

    def __init__(
        self,
        dims: int,
        channels: int,
        form: str = "paper",
        style: Style = PLAIN,
    ) -> None:
        if form not in FORMS:
            raise SettingError(f"LeNet has the forms {' and '.join(FORMS)}, not {form!r}")
        kind, paper = layers(dims, style), form == "paper"
        if paper and style not in (PLAIN, replace(PLAIN, volume="acs")):
            raise SettingError("LeNet in the form of the paper has no other norm or activation")
        squash = Squash if paper else kind.act
        c3 = PartialConv(dims, SEEN, 5) if paper else _conv(kind, 6, 16, 5)
        super().__init__(
            dims,
            {
                "c1": nn.Sequential(Widen(SMALLEST), *_conv(kind, channels, 6, 5), squash()),
                "s2": nn.Sequential(Subsample(dims, 6), Squash()) if paper else kind.max_pool(2),
                "c3": nn.Sequential(c3, squash()),
                "s4": nn.Sequential(Subsample(dims, 16), Squash()) if paper else kind.max_pool(2),
                "c5": nn.Sequential(*_conv(kind, 16, 120, 5), squash()),
                "f6": nn.Sequential(*_conv(kind, 120, 84, 1), squash()),
            },
            features=84,
        )
        self.form = form

    def draw(self, generator: Generator) -> None:
        """Draw weights as appendix A says: uniform within 2.4 over the inputs of a unit."""
        if self.form == "modern":
            for child in self.children():
                initialise(child, generator)
            return
        for module in self.modules():
            if isinstance(module, Subsample | PartialConv):
                module.draw(generator)
            elif isinstance(module, nn.Conv2d | nn.Conv3d):
                fill_uniform(module.weight, 2.4 / module.weight[0].numel(), generator)
                zero(module.bias)


def _conv(kind: Layers, here: int, there: int, edge: int) -> nn.Sequential:
    return conv_norm(kind, here, there, edge, padding=0)


class Squash(nn.Module):
    """The scaled tanh of the paper: f(1) = 1 and f(-1) = -1, where its curvature is greatest."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsample(nn.Module):
    """Sum each 2 x 2 (x 2) block, times one trained factor a map, plus one trained bias a map."""

    def __init__(self, dims: int, channels: int) -> None:
        super().__init__()
        self.mean = layers(dims).avg_pool(2)
        self.cells = 2**dims
        self.each = (channels, *(1,) * dims)
        self.factor = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        factor, bias = self.factor.view(self.each), self.bias.view(self.each)
        out: Tensor = self.mean(x) * (factor * self.cells) + bias
        return out

    def draw(self, generator: Generator) -> None:
        """Draw the factors within 2.4 over the cells of a block."""
        fill_uniform(self.factor, 2.4 / self.cells, generator)
        zero(self.bias)


class PartialConv(nn.Module):
    """A convolution in which each map out sees only some maps in; the others have no weight.

    Args:
        dims: 2 or 3.
        seen: For each map out, the maps in that it sees.
        kernel: Edge of the kernel.
    """

    def __init__(self, dims: int, seen: Sequence[Sequence[int]], kernel: int) -> None:
        super().__init__()
        self.convolve = layers(dims).convolve
        self.kernel_size, self.stride = (kernel,) * dims, (1,) * dims
        self.fans = [len(maps) * kernel**dims for maps in seen]
        there, here = len(seen), 1 + max(n for maps in seen for n in maps)
        self.shape = (there, here, *self.kernel_size)
        pairs = [out * here + n for out, maps in enumerate(seen) for n in maps]
        self.register_buffer("pairs", torch.tensor(pairs), persistent=False)
        self.pairs: Tensor
        self.weight = nn.Parameter(torch.zeros(len(pairs), 1, *self.kernel_size))
        self.bias = nn.Parameter(torch.zeros(there))
        self.draw(torch.Generator().manual_seed(0))

    def forward(self, x: Tensor) -> Tensor:
        empty = self.weight.new_zeros(self.shape[0] * self.shape[1], *self.weight.shape[1:])
        full: Tensor = empty.index_copy(0, self.pairs, self.weight).view(self.shape)
        return self.convolve(x, full, self.bias)

    def draw(self, generator: Generator) -> None:
        """Draw the kernels of each map within 2.4 over its inputs."""
        start, cells = 0, self.weight[0].numel()
        for fan in self.fans:
            kernels = self.weight.detach()[start : start + fan // cells]
            fill_uniform(kernels, 2.4 / fan, generator)
            start += fan // cells
        zero(self.bias)


def build(
    dims: int, channels: int, size: Sequence[int], style: Style, form: str = "paper"
) -> LeNet:
    """Build LeNet-5; it is the same for every size."""
    return LeNet(dims, channels, form, style)
