"""Whether what is found is called by its kind: which kind each target is taken for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medclf.evaluate.interval import Figure, proportion
from medclf.evaluate.score import Classes, confusion


@dataclass(frozen=True)
class Kinds:
    """What targets that are found are taken for.

    Args:
        kinds: In order.
        called: How many targets of each kind (rows) are called each kind (columns).
        right: Share of them that are called what they are; nan where nothing is found.
    """

    kinds: tuple[str, ...]
    called: tuple[tuple[int, ...], ...]
    right: Figure


def measure_kinds(
    true: Classes, called: Classes, patients: Sequence[str], kinds: Sequence[str]
) -> Kinds:
    """Measure what targets are taken for, with an interval by patient.

    Args:
        true: (N,) numbers of kinds, of targets that are found.
        called: (N,) what they are taken for.
        patients: (N,) whose they are.
        kinds: Their names.

    Example:
        >>> found = measure_kinds(np.array([0, 0, 1]), np.array([0, 1, 1]), "abc", ["x", "y"])
        >>> found.called
        ((1, 1), (0, 1))
    """
    table = confusion(true, called, len(kinds)).astype(int).tolist()
    right = proportion(true == called, np.array(list(patients)))
    return Kinds(tuple(kinds), tuple(map(tuple, table)), right)
