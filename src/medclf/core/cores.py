"""The processor cores that this process may use, of all that the machine has."""

import os


def count_cores() -> int:
    """Count them: a container or a scheduler may grant fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
