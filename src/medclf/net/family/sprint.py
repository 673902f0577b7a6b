"""Sprint: a plain network of few weights, shaped for the convolutions that a CPU does fastest.

A strided stem, then stages of two 3 x 3 convolutions, halved by max-pooling in between. Every
width is a multiple of 16, which fills the vector units; nothing is depthwise, grouped or added.
ReLU follows the pool rather than leading it: the result is the same, as both keep the order, and
it runs over a quarter of the samples.

Source: none for the whole; the stage is that of Simonyan, Zisserman. Very Deep Convolutional
Networks for Large-Scale Image Recognition. ICLR 2015, table 1 B, with the normalisation of Ioffe,
Szegedy. Batch Normalization. ICML 2015.
"""

from collections.abc import Sequence

from torch import nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.nd import conv_norm, layers, spread
from medclf.net.style import Style

UNIT = 16
WIDTH = {2: 32, 3: 16}
LONGEST = 7
SHORTEST = 3
FEWEST_STAGES = 3

# For each number of axes: the stride of the stem for an edge below so many samples.
STRIDES = {2: ((20, 1), (96, 2), (384, 4)), 3: ((12, 1), (48, 2), (160, 4))}
LARGEST_STRIDE = 8


class Sprint(Body):
    """Body of a sprint network, laid out for the size of its input.

    Stages follow each other until the longest edge of the map is 7 or less, at least three; an
    edge is halved between stages while at least 3 samples remain. The last stage has four times
    `width` channels and each earlier one half of the next, never under 16: further stages for a
    larger input are narrower ones in front, so that the weights hardly grow with the size.

    Args:
        dims: 2 for pictures, 3 for volumes.
        channels: Channels of the input.
        size: Edges of the input in samples, z first. Other sizes pass too, if not far smaller.
        width: Channels of the third stage from the end, a multiple of 16. If `None`, 32 in 2D
            (32-64-128, 296 thousand weights) and 16 in 3D (16-32-64, 223 thousand).
        stem: Stride of the first convolution, whose kernel is 3 if the stride is 1 and twice the
            stride otherwise. If `None`, by the edge: 1 under 20 samples, 2 under 96, 4 under 384,
            else 8; in 3D under 12, 48 and 160.
        style: Norm and activation.

    Shape:
        (B, channels, *size) -> (B, 4 * width, *space) with space of 3 to 7 a side

    Raises:
        SettingError: `width` is not a multiple of 16, `stem` is not 1, 2, 4 or 8, or `dims` is
            neither 2 nor 3.
    """

    def __init__(
        self,
        dims: int,
        channels: int,
        size: Sequence[int],
        width: int | None = None,
        stem: int | None = None,
        style: Style = Style(),
    ) -> None:
        kind = layers(dims, style)
        width = WIDTH[dims] if width is None else width
        if width <= 0 or width % UNIT:
            raise SettingError(f"the width of a sprint is a multiple of {UNIT}, not {width!r}")
        strides = stem_strides(dims, spread(tuple(size), dims), stem)
        pools = stage_pools([n // step for n, step in zip(size, strides, strict=True)])
        widths = stage_widths(4 * width, len(pools) + 1)
        if kind.axes < dims:
            strides = (max(strides),) * dims
        kernel = [max(3, 2 * step) for step in strides[: kind.axes]]
        around = [max(1, step // 2) for step in strides[: kind.axes]]
        first = conv_norm(kind, channels, widths[0], kernel, strides, around)
        stages = {"stem": nn.Sequential(*first, kind.act())}
        here = widths[0]
        for number, (there, pool) in enumerate(zip(widths, [*pools, None], strict=True)):
            stage = nn.Sequential(*conv_norm(kind, here, there, 3), kind.act())
            stage.extend(conv_norm(kind, there, there, 3))
            if pool is not None:
                stage.append(kind.max_pool(pool))
            stages[f"stage{number + 1}"] = stage.append(kind.act())
            here = there
        super().__init__(dims, stages, features=here)


def stem_strides(dims: int, size: Sequence[int], stem: int | None) -> tuple[int, ...]:
    """Choose the stride of the stem along each axis.

    Raises:
        SettingError: `stem` is no power of two from 1 to 8.

    Example:
        >>> stem_strides(3, (20, 224, 224), None)
        (2, 8, 8)
    """
    allowed = (1, 2, 4, LARGEST_STRIDE)
    if stem is not None and stem not in allowed:
        raise SettingError(f"the stem of a sprint has a stride of {allowed}, not {stem!r}")
    if stem is not None:
        return (stem,) * dims
    return tuple(
        next((step for edge, step in STRIDES[dims] if n < edge), LARGEST_STRIDE) for n in size
    )


def stage_pools(space: Sequence[int]) -> list[tuple[int, ...]]:
    """Choose the max-pool after each stage but the last, for the map that the stem gives.

    Example:
        >>> stage_pools((14, 14))
        [(2, 2), (2, 2)]
        >>> stage_pools((5, 28, 28))
        [(1, 2, 2), (1, 2, 2)]
    """
    pools: list[tuple[int, ...]] = []
    while max(space) > LONGEST or len(pools) < FEWEST_STAGES - 1:
        pools.append(tuple(2 if n >= 2 * SHORTEST else 1 for n in space))
        space = [n // step for n, step in zip(space, pools[-1], strict=True)]
    return pools


def stage_widths(last: int, stages: int) -> list[int]:
    """Choose the channels of each stage, from the last one backwards.

    Example:
        >>> stage_widths(128, 5)
        [16, 16, 32, 64, 128]
    """
    halved = [last >> step for step in reversed(range(stages))]
    return [max(UNIT, channels // UNIT * UNIT) for channels in halved]


def build(
    dims: int,
    channels: int,
    size: Sequence[int],
    style: Style,
    width: int | None = None,
    stem: int | None = None,
) -> Sprint:
    """Build a sprint for a size."""
    return Sprint(dims, channels, size, width, stem, style)
