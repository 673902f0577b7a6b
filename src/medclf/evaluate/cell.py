"""Cells of the table of predictions: labels and facts as text, and back without a loss.

A label is the name of its class. Where findings coexist it is the names of those that are there,
joined by "|"; "|" alone says that none is there, and an empty cell that there is no label. A fact
that is a word but looks like a number begins with an apostrophe, as in a spreadsheet.
"""

import numpy as np
from numpy.typing import NDArray

from medclf.core.record import Fact
from medclf.core.task import Task
from medclf.errors import SettingError


def write_label(task: Task, target: NDArray[np.int64]) -> str:
    """Say a target in names.

    Args:
        task: The classes.
        target: A class number, or -1; where findings coexist a row of 0 and 1, or of -1.

    Example:
        >>> write_label(Task(("nodule", "fluid"), "coexisting"), np.array([1, 1]))
        'nodule|fluid'
    """
    if task.kind != "coexisting":
        return task.classes[target] if target >= 0 else ""
    if target[0] < 0:
        return ""
    there = [_escape(name) for name, yes in zip(task.classes, target, strict=True) if yes]
    return "|".join(there) or "|"


def read_label(task: Task, label: str) -> int | list[int]:
    """Turn the text of a label into a class number, or into 0 and 1 of each finding.

    Raises:
        SettingError: it names what the task does not know.
    """
    if task.kind != "coexisting":
        if label and label not in task.classes:
            raise SettingError(f"the label {label!r} is none of {list(task.classes)}")
        return task.classes.index(label) if label else -1
    classes = [_escape(name) for name in task.classes]
    if not label:
        return [-1] * len(classes)
    there = [] if label == "|" else label.split("|")
    if not set(there) <= set(classes):
        raise SettingError(f"the label {label!r} names more than {list(task.classes)}")
    return [int(name in there) for name in classes]


def write_fact(fact: Fact) -> str:
    """Write a fact so that a number stays a number, a word a word, and nothing nothing.

    Example:
        >>> [write_fact(fact) for fact in (61, "F", "007", None)]
        ['61.0', 'F', "'007", '']
    """
    if fact is None or fact != fact:
        return ""
    if not isinstance(fact, str):
        return repr(float(fact))
    return f"'{fact}" if not fact or fact[0] == "'" or _is_number(fact) else fact


def read_fact(cell: str) -> Fact:
    """Turn the text of a fact into a number, a word, or `None`."""
    if not cell:
        return None
    if cell[0] == "'":
        return cell[1:]
    return float(cell) if _is_number(cell) else cell


def _escape(name: str) -> str:
    return name.replace("%", "%25").replace("|", "%7C")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
