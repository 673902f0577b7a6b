"""What must stay together where exams are dealt: those of a patient, and of a group of patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medclf.core.record import Record


def bind(records: Sequence[Record]) -> NDArray[np.int64]:
    """Number whatever must stay together: patients, or where exams name groups, those of a group.

    A patient who was seen at two sites binds both.

    Returns:
        The number of each exam, by the order of the exams' names: their own order does not matter.

    Example:
        >>> seen = [("a", "p", "north"), ("b", "q", "north"), ("c", "p", ""), ("d", "r", "")]
        >>> bind([Record(name, {}, patient, group=group) for name, patient, group in seen]).tolist()
        [0, 0, 0, 1]
    """
    leads: dict[tuple[str, str], tuple[str, str]] = {}

    def lead(node: tuple[str, str]) -> tuple[str, str]:
        while (above := leads.setdefault(node, node)) != node:
            leads[node] = leads.setdefault(above, above)
            node = leads[node]
        return node

    ordered = sorted(range(len(records)), key=lambda i: records[i].name)
    for record in (records[i] for i in ordered):
        if record.group:
            leads[lead(("group", record.group))] = lead(("patient", record.patient))
    found = [lead(("patient", records[i].patient)) for i in ordered]
    numbers = {node: i for i, node in enumerate(dict.fromkeys(found))}
    bound = np.empty(len(records), np.int64)
    bound[ordered] = [numbers[node] for node in found]
    return bound
