"""A progress bar on the error stream, for what takes longer than two seconds.

Nothing is shown where nobody looks: on a pipe, in a file, or beside --json.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE_S = 2.0


@contextmanager
def show_progress(what: str, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Open a bar for one piece of work.

    Args:
        what: Stands before the bar.
        quiet: Never show it.

    Returns:
        What the work calls with its steps done and their total, as often as it likes.

    Example:
        >>> with show_progress("Reading", quiet=True) as progress:
        ...     progress(1, 10)
    """
    bar = _Bar(what, hidden=quiet or not sys.stderr.isatty())
    try:
        yield bar.update
    finally:
        bar.close()


class _Bar:
    """Appears when patience ends, and goes when the work is done."""

    def __init__(self, what: str, hidden: bool) -> None:
        self.what, self.hidden = what, hidden
        self.start = monotonic()
        self.shown: Progress | None = None

    def update(self, done: int, total: int) -> None:
        if self.hidden:
            return
        if self.shown is None:
            if monotonic() - self.start < PATIENCE_S:
                return
            self._open(total)
        if self.shown is not None:
            self.shown.update(self.shown.task_ids[0], completed=done, total=total)

    def _open(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        self.shown = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.shown.add_task(self.what, total=total)
        self.shown.start()

    def close(self) -> None:
        if self.shown is not None:
            self.shown.stop()
