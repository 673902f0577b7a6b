"""What a method is built from: which exams come, what is learnt, and where networks come from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Generator, nn

from medclf.errors import SettingError
from medclf.fuse.fuser import Fuser
from medclf.look.augment import Augment
from medclf.look.views import Views
from medclf.method.lesson import Lesson
from medclf.net.head import Classifier
from medclf.net.start import initialise

MakeNetwork = Callable[[int, tuple[int, ...], int], Classifier]
"""Makes a network for channels and edges of a view; the number tells one stream from another."""


@dataclass(frozen=True)
class Asked:
    """What a method is built from.

    Args:
        lesson: What is learnt.
        channels: Of each prepared image.
        size: Its edges in samples, z first.
        facts: Names of the numbers that are known about a patient.
        changes: What chance may do to an image in training.
        shift: How far copies that are averaged in use are shifted, as a share of the edge; `None`
            to judge without copies, as validation does.
        network: Makes a network.
        generator: Draws first weights that are no network's own.
        examples: Gives some training exams, to learn first weights from; `None` where weights come
            from elsewhere.
        spacing_mm: Distance of an image's samples along each axis, z first; empty where it is not
            known.
    """

    lesson: Lesson
    channels: int
    size: tuple[int, ...]
    facts: tuple[str, ...]
    changes: Augment
    shift: float | None
    network: MakeNetwork
    generator: Generator
    examples: Callable[[], Views] | None = None
    spacing_mm: tuple[float, ...] = ()

    def networks(
        self, channels: int, size: Sequence[int], views: int = 1, own: bool = False
    ) -> list[Classifier]:
        """Make one network for all views, or one for each."""
        return [
            self.network(channels, tuple(size), number) for number in range(views if own else 1)
        ]

    @property
    def volume(self) -> tuple[int, int, int]:
        """The edges of each prepared volume.

        Raises:
            SettingError: the exams are pictures.
        """
        if len(self.size) != 3:
            raise SettingError(f"volumes wanted, these exams are pictures of {self.size}")
        return self.size[0], self.size[1], self.size[2]

    def width(self, network: Classifier) -> int:
        """Count the features that a network gives of a view."""
        return network.linear.in_features

    def fused(self, fuser: Fuser, network: Classifier, facts: nn.Module | None = None) -> Fuser:
        """Draw the first weights of what joins views, and let a network's head judge its feature.

        Args:
            fuser: Joins views.
            network: Whose head judges.
            facts: Joins facts to that; its `features` are what the head judges, where it has any.
        """
        for part in (fuser, facts):
            if isinstance(part, nn.Module):
                initialise(part, self.generator)
        features = getattr(facts, "features", fuser.features)
        if network.linear.in_features != features:
            network.linear = nn.Linear(features, network.linear.out_features)
            initialise(network.linear, self.generator)
        return fuser
