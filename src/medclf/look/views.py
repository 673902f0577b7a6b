"""Views: what is seen of some exams, and what is known of their patients.

Prepared exams are views themselves, one for each image. A look turns them into the views that a
network judges: copies, planes, patches, scales.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from torch import Generator, Tensor


@dataclass(frozen=True)
class Views:
    """What is seen of some exams.

    Args:
        values: (B, V, C, *space), standardised.
        present: (B, V), which views are there; `None`: all. The values of the others mean nothing.
        facts: (B, F), standardised numbers about the patient, NaN where they are missing; `None`
            where nothing is asked of them.
    """

    values: Tensor
    present: Tensor | None = None
    facts: Tensor | None = None

    def of_each(self, seen: Tensor) -> "Views":
        """Give views that were made of each of these: (B * V, W, C, *space) -> (B, V * W, …)."""
        values = seen.reshape(*self.values.shape[:2], *seen.shape[1:]).flatten(1, 2)
        present = self.present
        if present is not None:
            present = present.repeat_interleave(seen.shape[1], dim=1)
        return replace(self, values=values, present=present)


class Look(Protocol):
    """How prepared exams are looked at.

    Args:
        channels: Of each view that comes out.
        size: Edges of each view in samples, z first.
        names: Of the views that are made of each image in use; none where they are the image
            itself, as it is or a little changed.
    """

    @property
    def channels(self) -> int: ...

    @property
    def size(self) -> tuple[int, ...]: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def __call__(self, views: Views, generator: Generator, training: bool) -> Views:
        """Turn the images of exams into views of them: by chance in training, or as in use."""
