"""An exam as read: all its images, marked points, facts and label."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from medclf.core.image import Image
from medclf.core.record import Fact


@dataclass(frozen=True)
class Exam:
    """The unit that gets one decision, with its pixels.

    Args:
        name: Names the exam within its cohort.
        images: Images by name; a single one is called "image".
        points_mm: Marked points by name, (z, y, x) in mm.
        facts: Age, sex, site, …
        label: As in `Record`.
    """

    name: str
    images: Mapping[str, Image]
    points_mm: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    label: int | tuple[int, ...] | None = None
