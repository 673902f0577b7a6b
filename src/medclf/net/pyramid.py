"""A pyramid: the maps of a body, joined from the coarsest, which knows most, to a fine one.

The coarsest map is enlarged step by step; at each size the body's own map is added, brought to as
many channels by a convolution of one sample, and the sum is convolved. So a cell of the last map
knows what the body knows of the whole image, and where exactly it lies.

Source: Lin et al. Feature Pyramid Networks for Object Detection. CVPR 2017, section 3. Ronneberger,
Fischer, Brox. U-Net. MICCAI 2015 (for medical images, from a decoder as long as the encoder).
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from medclf.errors import SettingError
from medclf.net.body import Body
from medclf.net.cost import measure_parts
from medclf.net.decoder import Enlarge
from medclf.net.nd import conv_norm, layers

WIDTH = 32


class Pyramid(nn.Module):
    """Join the maps of a body's stages.

    Args:
        body: Whose maps; it is not part of this module.
        channels: Of the body's input.
        size: Edges of the input in samples, z first.
        width: Channels of each level.

    Shape:
        maps of the stages by name -> (B, width, *space), the finest at half of `size` or below

    Raises:
        SettingError: no map of the body is that small and has more than one cell.

    Example:
        >>> import torch
        >>> from medclf.net.table import build_body
        >>> body = build_body("sprint", 2, 1, (64, 48))
        >>> pyramid = Pyramid(body, 1, (64, 48))
        >>> pyramid(body.stages(torch.zeros(1, 1, 64, 48))).shape
        torch.Size([1, 32, 32, 24])
    """

    def __init__(self, body: Body, channels: int, size: Sequence[int], width: int = WIDTH) -> None:
        super().__init__()
        shapes = measure_parts(body, body.names, channels, size)
        # Of the maps of one size the deepest knows most.
        levels = {cost.shape[1:]: name for name, cost in shapes.items() if _fits(cost.shape, size)}
        if not levels:
            raise SettingError(f"maps of half of {tuple(size)} or less wanted, found none")
        self.names, self.space = tuple(reversed(levels.values())), next(iter(levels))
        self.features, kind = width, layers(len(size))
        self.beside = nn.ModuleList(
            conv_norm(kind, shapes[name].shape[0], width, 1) for name in self.names
        )
        self.steps = nn.ModuleList(Enlarge(kind, width, width) for _ in self.names[1:])

    def forward(self, maps: Mapping[str, Tensor]) -> Tensor:
        each = [beside(maps[name]) for name, beside in zip(self.names, self.beside, strict=True)]
        x: Tensor = each[0].relu()
        for here, step in zip(each[1:], self.steps, strict=True):
            x = step(x, here.shape[2:], here)
        return x


def _fits(shape: Sequence[int], size: Sequence[int]) -> bool:
    """Tell whether a map, (channels, *space), is at most half as fine as the image."""
    pairs = list(zip(shape[1:], size, strict=True))
    return all(2 * cells <= edge + 1 for cells, edge in pairs) and max(shape[1:]) > 1
