"""Facts about patients are hidden by chance in training, so that what learns does without them too.

Facts are hidden one by one, and all of an exam at once; a hidden fact is NaN, as a missing one is.

Source: Neverova, Wolf, Taylor, Nebout. ModDrop: Adaptive Multi-Modal Gesture Recognition. IEEE
TPAMI 2016 (a source hidden by chance as a whole).
"""

from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from medclf.errors import SettingError
from medclf.look.views import Look, Views


def hide_facts(facts: Tensor, one: float, everything: float, generator: Generator) -> Tensor:
    """Hide facts by chance.

    Args:
        facts: (B, F), NaN where they are missing.
        one: Chance of each to be hidden.
        everything: Chance of an exam to have all of them hidden.
        generator: All chance.

    Example:
        >>> hide_facts(torch.ones(1, 2), 0.0, 1.0, Generator().manual_seed(0))
        tensor([[nan, nan]])
    """
    drawn = torch.rand(facts.shape, generator=generator) < one
    drawn |= torch.rand((len(facts), 1), generator=generator) < everything
    return facts.masked_fill(drawn.to(facts.device), torch.nan)


@dataclass(frozen=True)
class Hidden:
    """A look that hides facts in training.

    Args:
        look: At the images.
        one: Chance of each fact to be hidden.
        everything: Chance of an exam to have all of them hidden.

    Raises:
        SettingError: a chance is not from 0 to below 1.
    """

    look: Look
    one: float
    everything: float

    def __post_init__(self) -> None:
        if not (0 <= self.one < 1 and 0 <= self.everything < 1):
            found = f"{self.one!r} and {self.everything!r}"
            raise SettingError(f"chances from 0 to below 1 wanted to hide facts, found {found}")

    @property
    def channels(self) -> int:
        return self.look.channels

    @property
    def size(self) -> tuple[int, ...]:
        return self.look.size

    @property
    def names(self) -> tuple[str, ...]:
        return self.look.names

    def __call__(self, views: Views, generator: Generator, training: bool) -> Views:
        """Look at the images of exams, and hide facts where it is training."""
        seen = self.look(views, generator, training)
        if not training or seen.facts is None:
            return seen
        facts = hide_facts(seen.facts, self.one, self.everything, generator)
        return replace(seen, facts=facts)
