"""The same point at several scales: the lesion and its surroundings, one network for each.

Source: Shen, Zhou, Yang, Yang, Tian. Multi-scale Convolutional Neural Networks for Lung Nodule
Classification. IPMI 2015.
"""

from dataclasses import dataclass

from torch import Generator, Tensor

from medclf.errors import SettingError
from medclf.fuse.concatenate import SideBySide
from medclf.look.scales import near_and_far
from medclf.look.seen import Seen
from medclf.method.asked import Asked
from medclf.method.joined import Joined


@dataclass(frozen=True)
class Scales:
    """See the middle of each image at several scales: shares of its edge, resampled to one size."""

    shares: tuple[float, ...]
    size: tuple[int, ...]

    def __call__(self, images: Tensor, generator: Generator, training: bool) -> Tensor:
        """See images: (B, C, *space) -> (B, V, C, *size)."""
        return near_and_far(images, self.shares, self.size)


def build(asked: Asked, scales: int = 2, own: bool = True) -> Joined:
    """Build the method.

    Args:
        scales: How many; each shows half as much along each axis as the one before.
        own: Whether each scale has a network of its own.
    """
    shares = tuple(0.5**number for number in range(scales))
    size = tuple(max(1, round(edge * shares[-1])) for edge in asked.size) if scales > 1 else ()
    if not size:
        raise SettingError(f"2 scales or more wanted, not {scales}")
    edges = tuple(max(edge, here) for edge, here in zip(size, _least(asked.size), strict=True))
    names = tuple(f"scale {share:g}" for share in shares)
    look = Seen(asked.channels, edges, asked.changes, Scales(shares, edges), names)
    networks = asked.networks(look.channels, edges, scales, own)
    fuser = SideBySide(asked.width(networks[0]), scales)
    return Joined(networks, look, asked.fused(fuser, networks[0]), asked.lesson, asked.changes.mix)


def _least(size: tuple[int, ...]) -> tuple[int, ...]:
    """The least edges that networks take, or the image's own where it is smaller."""
    least = {2: 28, 3: 24}[len(size)]
    return tuple(min(edge, least) for edge in size)
