"""Highway networks: a gate decides, for every sample, how much of it a layer changes.

A highway layer gives T h + (1 - T) x, where h is a convolution of x with its activation, and the
gate T another, with a sigmoid. Its bias starts negative, so that a fresh network passes its input
on and learns at any depth. Where channels change, the layer is a plain convolution.

The network of 19 layers is Highway B of the paper, as the authors' code has it, with a fifth of the
samples dropped after each pool. Of Highway C, 32 layers, the paper tells kernels that
alternate between 3 x 3 and 1 x 1 and 1.25 million weights; the widths 32, 64, 96 are ours.

Source: Srivastava, Greff, Schmidhuber. Training Very Deep Networks. NIPS 2015, equation 3 and
table 2. The authors' code: github.com/flukeskywalker/highway-networks.
"""

from collections.abc import Sequence

from torch import Generator, Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.nd import Edges, Layers, conv_norm, kept_strides, layers, spread
from medclf.net.start import initialise
from medclf.net.style import Style

PLAIN = Style(norm="plain")
WIDTHS = {19: (32, 80, 128), 32: (32, 64, 96)}  # channels of the three stages, by depth
GATED = {19: (4, 5, 5), 32: (9, 9, 9)}  # highway layers of each stage, after its plain one
KERNELS = {19: (3,), 32: (1, 3)}  # of the highway layers, in turn
BIAS = {19: -2.0, 32: -3.0}  # of fresh gates, section 2.2
MIXED = 100  # maps of the last convolution, of 1 x 1
STRIDES = (2, 2)  # of the two pools


class Highway(Body):
    """Body of a convolutional highway network.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        depth: 19 or 32: all convolutions in a row and the linear layer of the head.
        width: Channels of the first stage; the others keep their proportion to it.
        strides: Of the two pools.
        style: Norm and activation.
        gate_bias: Bias of fresh gates; if `None`, -2 for 19 layers and -3 for 32.
        inner_dropout: Share of samples dropped after each pool in training.

    Shape:
        (B, channels, *space) -> (B, 100 * width // 32, *space // 4)

    Raises:
        SettingError: the paper has no such depth, or `dims` is neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        depth: int = 19,
        width: int = 32,
        strides: Sequence[Edges] = STRIDES,
        style: Style = PLAIN,
        gate_bias: float | None = None,
        inner_dropout: float = 0.2,
    ) -> None:
        if depth not in WIDTHS:
            raise SettingError(f"Highway has the depths {sorted(WIDTHS)}, not {depth!r}")
        kind, bias = layers(dims, style), BIAS[depth] if gate_bias is None else gate_bias
        stages: dict[str, nn.Module] = {}
        here, place, count = channels, 0, sum(GATED[depth])
        plan = zip(WIDTHS[depth], GATED[depth], [*strides, None], strict=True)
        for number, (maps, repeats, stride) in enumerate(plan, 1):
            there = maps * width // 32
            stage = nn.Sequential(nn.Sequential(*conv_norm(kind, here, there, 3), kind.act()))
            for i in range(repeats):
                place += 1
                kernel = KERNELS[depth][i % len(KERNELS[depth])]
                stage.append(Gated(kind, there, kernel, bias, kind.drop_path(place, count)))
            stages[f"stage{number}"], here = stage, there
            if stride is not None:
                pool = kind.shrink(2, spread(stride, dims))
                stages[f"pool{number}"] = nn.Sequential(pool, kind.dropout(inner_dropout))
        mixed = MIXED * width // 32
        stages["last"] = nn.Sequential(*conv_norm(kind, here, mixed, 1), kind.act())
        super().__init__(dims, stages, features=mixed)


class Gated(nn.Module):
    """A highway layer: a gate chooses between a convolution of the map and the map itself.

    Args:
        kind: The layers to choose from.
        channels: Of the map.
        kernel: Edge of the kernels of both convolutions.
        bias: Of the fresh gate; the more negative, the more of the map passes as it is.
        skip: Stochastic depth.
    """

    def __init__(
        self, kind: Layers, channels: int, kernel: int, bias: float, skip: nn.Module
    ) -> None:
        super().__init__()
        self.new = nn.Sequential(*conv_norm(kind, channels, channels, kernel), kind.act())
        self.gate = kind.conv(channels, channels, kernel, padding=kernel // 2)
        self.skip, self.bias = skip, bias

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.skip(self.gate(x).sigmoid() * (self.new(x) - x))
        return out

    def draw(self, generator: Generator) -> None:
        """Draw the weights, and close the gate."""
        for child in self.children():
            initialise(child, generator)
        nn.init.constant_(self.gate.get_parameter("bias"), self.bias)


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    depth: int,
    width: int = 32,
    gate_bias: float | None = None,
    inner_dropout: float = 0.2,
) -> Highway:
    """Build a highway network for a size: pools are dropped under 12 samples."""
    strides = kept_strides(size, STRIDES)
    return Highway(dims, channels, depth, width, strides, style, gate_bias, inner_dropout)
