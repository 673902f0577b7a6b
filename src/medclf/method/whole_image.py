"""The whole image: one network sees the picture or the volume as it is.

In use the exam is looked at several times, each a little shifted, and mirrored where training
mirrored it; the mean is steadier than one look. An exam of several images is judged by the mean
over them.

Source: LeCun, Bottou, Bengio, Haffner. Gradient-Based Learning Applied to Document Recognition.
Proceedings of the IEEE, 1998.
"""

from torch import Generator, Tensor

from medclf.look.copies import shifted_copies
from medclf.look.seen import Seen
from medclf.method.asked import Asked
from medclf.method.each_view import EachView


def build(asked: Asked) -> EachView:
    """Build the method."""

    def see(images: Tensor, generator: Generator, training: bool) -> Tensor:
        if training or asked.shift is None:
            return images.unsqueeze(1)
        return shifted_copies(images, asked.shift, asked.changes.mirror)

    look = Seen(asked.channels, asked.size, asked.changes, see)
    networks = asked.networks(asked.channels, asked.size)
    return EachView(networks, look, asked.lesson, asked.changes.mix)
