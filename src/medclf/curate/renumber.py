"""Labels numbered anew: a cohort speaks of the same classes as a run, in the order of the run.

A cohort numbers its classes as it finds them, so that other data may count them in another order
or lack one. Names decide; a class that the run does not know is refused, never dropped.
"""

from dataclasses import replace

from medclf.core.cohort import Cohort
from medclf.core.task import Task
from medclf.errors import CohortError


def renumber(cohort: Cohort, task: Task) -> Cohort:
    """Number a cohort's labels as a task numbers its classes.

    Args:
        cohort: Its classes are among those of the task, in any order.
        task: That of the run.

    Raises:
        CohortError: there are other classes, or they relate in another way.
    """
    found = cohort.task
    if not set(found.classes) <= set(task.classes) or found.kind != task.kind:
        raise CohortError(
            f"{cohort.origin}: {task.kind} classes {', '.join(task.classes)} wanted, found "
            f"{found.kind} classes {', '.join(found.classes)}"
        )
    place = [task.classes.index(name) for name in found.classes]

    def number(label: int | tuple[int, ...] | None) -> int | tuple[int, ...] | None:
        if isinstance(label, tuple):
            there = {place[i] for i, mark in enumerate(label) if mark}
            return tuple(int(k in there) for k in range(len(task.classes)))
        return None if label is None else place[label]

    records = tuple(replace(r, label=number(r.label)) for r in cohort.records)
    return replace(cohort, records=records, task=task)
