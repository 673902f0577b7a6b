"""Every image as it is: changed by chance in training, in use with shifted copies beside it."""

from dataclasses import dataclass

from torch import Generator

from medclf.look.augment import Augment, augment
from medclf.look.copies import shifted_copies
from medclf.look.views import Views


@dataclass(frozen=True)
class Whole:
    """A look at whole images.

    Args:
        channels: Of an image.
        size: Its edges in samples, z first.
        changes: What chance may do to an image in training.
        shift: How far the copies that are averaged in use are shifted, as a share of the edge;
            `None` to judge the image alone, not even mirrored.
    """

    channels: int
    size: tuple[int, ...]
    changes: Augment
    shift: float | None = None

    def __call__(self, views: Views, generator: Generator, training: bool) -> Views:
        """Change each image by chance, or in use copy it."""
        each = views.values.flatten(0, 1)
        if training:
            return views.of_each(augment(each, self.changes, generator).unsqueeze(1))
        if self.shift is None:
            return views
        return views.of_each(shifted_copies(each, self.shift, self.changes.mirror))
