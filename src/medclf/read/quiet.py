"""Hold back the warnings of one library while it reads, also when many threads read.

`warnings.catch_warnings` alone is not safe among threads: the filters are one list for the whole
process, and two threads that leave in the order in which they came put each other's filters back
for good. Here the first to enter sets the filter and the last to leave takes it away.
"""

import warnings
from threading import Lock
from types import TracebackType


class Quiet:
    """A context in which warnings raised inside one library are not shown.

    Args:
        library: The name of its package. Warnings of all other modules go on as before.
    """

    def __init__(self, library: str) -> None:
        self._modules = rf"{library}(\.|$)"
        self._lock = Lock()
        self._inside = 0
        self._caught = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.filterwarnings("ignore", module=self._modules)
            self._inside += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._caught.__exit__(kind, error, trace)


PYDICOM = Quiet("pydicom")
"""pydicom warns of what it can mend: a value written against the rules, a header that names the
wrong encoding, bytes behind the last pixel. Missing pixels it raises. Its texts quote values, names
of patients among them, which must not reach a terminal or a log."""
