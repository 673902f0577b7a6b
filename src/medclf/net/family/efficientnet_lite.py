"""EfficientNet-Lite0: inverted bottlenecks without what a small processor is slow at.

A block widens its input sixfold, filters every map by itself and narrows again; only the narrow
maps are added up. Against EfficientNet-B0 the squeeze gates are left out, and ReLU6 stands for
Swish, so that the values have a known range and quantise well.

Source: Tan, Le. EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks. ICML
2019, table 1. Liu. Higher accuracy on vision models with EfficientNet-Lite. TensorFlow blog, 2020.
Padding is that of TensorFlow, for the published weights ask for it.
"""

from collections.abc import Sequence
from itertools import count

from torch import Tensor, nn
from torch.nn.functional import pad

from medclf.net.body import Body
from medclf.net.nd import Edges, Layers, conv_norm, kept_strides, layers, spread
from medclf.net.separable import depthwise, thin
from medclf.net.style import Style

LITE = Style(activation="relu6", epsilon=1e-3)
FIRST, LAST = 32, 1280

# Table 1, stages 2 to 8: expansion, channels, blocks, kernel.
STAGES = (
    *((1, 16, 1, 3), (6, 24, 2, 3), (6, 40, 2, 5), (6, 80, 3, 3)),
    *((6, 112, 3, 5), (6, 192, 4, 5), (6, 320, 1, 3)),
)
STRIDES = (2, 1, 2, 2, 2, 1, 2, 1)  # of stages 1 to 8
SHORTCUTS = sum(blocks - 1 for _, _, blocks, _ in STAGES)


class EfficientNetLite(Body):
    """Body of EfficientNet-Lite0.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        width: Factor on the channels of every layer, which become multiples of 8.
        strides: Of stages 1 to 8.
        style: Norm and activation.

    Shape:
        (B, channels, *space) -> (B, 1280 * width, *ceil(space / 32)), with the paper's strides

    Raises:
        SettingError: the width is not above 0, or `dims` is neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        width: float = 1.0,
        strides: Sequence[Edges] = STRIDES,
        style: Style = LITE,
    ) -> None:
        kind, here = layers(dims, style), thin(FIRST, width)
        first, *steps = (spread(stride, dims) for stride in strides)
        opening = conv_norm(kind, channels, here, 3, first, _padding(3, first))
        stages = {"stage1": nn.Sequential(_same(3, first), *opening, kind.act())}
        places = count(1)
        for number, (expansion, wide, repeats, kernel) in enumerate(STAGES):
            stage, there = nn.Sequential(), thin(wide, width)
            stage.append(Inverted(kind, here, there, expansion, kernel, steps[number]))
            for _ in range(repeats - 1):
                skip = kind.drop_path(next(places), SHORTCUTS)
                stage.append(Inverted(kind, there, there, expansion, kernel, skip=skip))
            stages[f"stage{number + 2}"], here = stage, there
        there = thin(LAST, width)
        stages["stage9"] = nn.Sequential(*conv_norm(kind, here, there, 1), kind.act())
        super().__init__(dims, stages, features=there)


class Inverted(nn.Module):
    """A depthwise convolution between one that widens and one that narrows, without activation.

    Args:
        kind: The layers to choose from.
        here: Channels that come in.
        there: Channels that go out.
        expansion: How many times wider it is within; at 1 nothing widens.
        kernel: Edge of the depthwise kernel.
        stride: Of the depthwise convolution.
        skip: Stochastic depth of a block with a shortcut; `None` for a block without.
    """

    def __init__(
        self,
        kind: Layers,
        here: int,
        there: int,
        expansion: int,
        kernel: int,
        stride: Edges = 1,
        skip: nn.Module | None = None,
    ) -> None:
        super().__init__()
        steps, inner = spread(stride, kind.dims), here * expansion
        widen = [*conv_norm(kind, here, inner, 1), kind.act()] if expansion > 1 else []
        each = depthwise(kind, inner, kernel, steps, _padding(kernel, steps))
        narrow = conv_norm(kind, inner, there, 1)
        self.correction = nn.Sequential(*widen, _same(kernel, steps), *each, *narrow)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.correction(x)
        return out if self.skip is None else x + self.skip(out)


class Same(nn.Module):
    """The zeros of TensorFlow: a strided map has ceil(n / stride) samples, the odd zero comes last.

    Args:
        kernel: Edge of the kernel that follows.
        steps: Its stride along each axis.
    """

    def __init__(self, kernel: int, steps: Sequence[int]) -> None:
        super().__init__()
        self.kernel, self.steps = kernel, tuple(steps)

    def forward(self, x: Tensor) -> Tensor:
        edges = zip(x.shape[2:], self.steps, strict=True)
        zeros = [max(0, (-(-n // step) - 1) * step + self.kernel - n) for n, step in edges]
        return pad(x, [side for n in reversed(zeros) for side in (n // 2, n - n // 2)])


def _same(kernel: int, steps: Sequence[int]) -> nn.Module:
    """Give the zeros before a strided convolution; others lay their own, alike on both sides."""
    return Same(kernel, steps) if max(steps) > 1 else nn.Identity()


def _padding(kernel: int, steps: Sequence[int]) -> int:
    return 0 if max(steps) > 1 else kernel // 2


def build(
    dims: int, channels: int, size: Sequence[int], style: Style, width: float = 1.0
) -> EfficientNetLite:
    """Build it for a size: its first strides are dropped where the input is too small."""
    return EfficientNetLite(dims, channels, width, kept_strides(size, STRIDES), style)


# What each pattern in their names becomes in a `Classifier`, in this order.
TIMM = (
    (r"^conv_stem\.", "body.stage1.1."),
    (r"^bn1\.", "body.stage1.2."),
    (r"^conv_head\.", "body.stage9.0."),
    (r"^bn2\.", "body.stage9.1."),
    (r"^classifier\.", "linear."),
    (r"^blocks\.0\.0\.conv_dw\.", "body.stage2.0.correction.1."),
    (r"^blocks\.0\.0\.bn1\.", "body.stage2.0.correction.2."),
    (r"^blocks\.0\.0\.conv_pw\.", "body.stage2.0.correction.4."),
    (r"^blocks\.0\.0\.bn2\.", "body.stage2.0.correction.5."),
    *((rf"^blocks\.{n}\.(\d)\.", rf"body.stage{n + 2}.\1.correction.") for n in range(1, 7)),
    (r"\.conv_pw\.", ".0."),
    (r"\.bn1\.", ".1."),
    (r"\.conv_dw\.", ".4."),
    (r"\.bn2\.", ".5."),
    (r"\.conv_pwl\.", ".7."),
    (r"\.bn3\.", ".8."),
)
