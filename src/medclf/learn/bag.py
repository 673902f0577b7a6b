"""The images of exams by name: which ones most training exams have, and a new exam lacks."""

from collections import Counter
from collections.abc import Sequence

from medclf.core.record import Record


def usual_images(records: Sequence[Record]) -> list[str]:
    """Name the images that most exams have; none where each has one image.

    Args:
        records: Training exams.
    """
    if all(len(record.images) == 1 for record in records):
        return []
    counts = Counter(name for record in records for name in record.images)
    return [name for name, n in counts.items() if 2 * n > len(records)]


def doubt_images(record: Record, usual: Sequence[str]) -> tuple[str, ...]:
    """Warn of images that an exam lacks.

    Args:
        usual: As `usual_images` gives them.

    Example:
        >>> doubt_images(Record("1", {}, "1"), ["front", "side"])
        ('missing, though most training exams had it: front, side',)
    """
    lacking = [name for name in usual if name not in record.images]
    return (f"missing, though most training exams had it: {', '.join(lacking)}",) * bool(lacking)
