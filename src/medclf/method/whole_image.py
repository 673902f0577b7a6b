"""The whole image: one network sees the picture or the volume as it is.

In use the exam is looked at several times, each a little shifted, and mirrored where training
mirrored it; the mean is steadier than one look. An exam of several images is judged by the mean
over them.

Source: LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE, 1998.
"""

from dataclasses import dataclass

from torch import Generator, Tensor

from medclf.look.copies import shifted_copies
from medclf.look.seen import Seen
from medclf.method.asked import Asked
from medclf.method.each_view import EachView


@dataclass(frozen=True)
class Copies:
    """See each image as it is, in use with copies beside it.

    Args:
        shift: Of the copies, as a share of the edge; `None` for none, not even mirrored.
        mirror: Axes along which training mirrors.
    """

    shift: float | None
    mirror: tuple[int, ...]

    def __call__(self, images: Tensor, generator: Generator, training: bool) -> Tensor:
        """See images: (B, C, *space) -> (B, V, C, *space)."""
        if training or self.shift is None:
            return images.unsqueeze(1)
        return shifted_copies(images, self.shift, self.mirror)


def build(asked: Asked) -> EachView:
    """Build the method."""
    copies = Copies(asked.shift, asked.changes.mirror)
    look = Seen(asked.channels, asked.size, asked.changes, copies)
    networks = asked.networks(asked.channels, asked.size)
    return EachView(networks, look, asked.lesson, asked.changes.mix)
