"""Who is told how far the work of a verb is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from medclf.learn.keep import Tell


@dataclass(frozen=True)
class Watch:
    """Who is told how far the work is.

    Args:
        count: Called with images read and images in all.
        tell: Called after each epoch.
        doubt: Called with the name of a file and what makes its findings doubtful, or why it could
            not be searched.
        note: Called with what was inferred of a table of exams to predict, a sentence each time.
    """

    count: Callable[[int, int], None] | None = None
    tell: Tell | None = None
    doubt: Callable[[str, Sequence[str]], None] | None = None
    note: Callable[[str], None] | None = None


SILENT = Watch()
