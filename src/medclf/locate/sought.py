"""What is looked for in scans of one size, and how: all that builds a network that finds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from medclf.errors import SettingError
from medclf.look.augment import Augment

Option = bool | int | float | str


@dataclass(frozen=True)
class Sought:
    """Landmarks that are looked for.

    Args:
        way: A way of `medclf.locate.ways`.
        names: Of the landmarks, in order.
        channels: Of each prepared image.
        size: Its edges in samples, z first.
        spacing_mm: Distance of its samples, z first; empty where millimetres are not known: then
            errors are measured in samples.
        net: A body of `medclf.net.table`; "" for the usual one of the way.
        options: What the body lets be chosen.
        settings: What the way lets be chosen.
        changes: What chance may do to an image in training; it neither bends nor mirrors.

    Raises:
        SettingError: there is nothing to look for, or two landmarks have one name.
    """

    way: str
    names: tuple[str, ...]
    channels: int
    size: tuple[int, ...]
    spacing_mm: tuple[float, ...] = ()
    net: str = ""
    options: Mapping[str, Option] = field(default_factory=dict)
    settings: Mapping[str, Option] = field(default_factory=dict)
    changes: Augment = field(default_factory=Augment)

    def __post_init__(self) -> None:
        if not self.names or len(set(self.names)) < len(self.names):
            raise SettingError(f"landmarks of different names wanted, found {self.names}")
        if self.spacing_mm and len(self.spacing_mm) != len(self.size):
            found = f"{self.spacing_mm} mm"
            raise SettingError(f"{len(self.size)} spacings or none wanted, found {found}")
