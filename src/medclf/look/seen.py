"""Images are changed by chance in training, and then seen in some way: whole, or in many views."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from medclf.look.augment import Augment, augment
from medclf.look.views import Views

See = Callable[[Tensor, Generator, bool], Tensor]
"""Makes views of images: (B, C, *space), chance, whether in training -> (B, V, C, *size)."""


def alone(images: Tensor, generator: Generator, training: bool) -> Tensor:
    """See each image as it is, its only view: (B, C, *space) -> (B, 1, C, *space)."""
    return images.unsqueeze(1)


@dataclass(frozen=True)
class Seen:
    """A look at each image of an exam.

    Args:
        channels: Of each view.
        size: Its edges in samples, z first.
        changes: What chance may do to an image in training.
        see: Makes the views.
        names: Of the views of an image in use; none where they are the image itself.
    """

    channels: int
    size: tuple[int, ...]
    changes: Augment
    see: See
    names: tuple[str, ...] = ()

    def __call__(self, views: Views, generator: Generator, training: bool) -> Views:
        """Look at the images of exams."""
        each = views.values.flatten(0, 1)
        if training:
            each = self._change(each, views.present, generator)
        return views.of_each(self.see(each, generator, training))

    def _change(self, images: Tensor, present: Tensor | None, generator: Generator) -> Tensor:
        """Change images by chance, (B * V, C, *space), and leave out those that are not there."""
        if present is None:
            return augment(images, self.changes, generator)
        there, changed = present.flatten(), torch.zeros_like(images)
        changed[there] = augment(images[there], self.changes, generator)
        return changed
