"""Several data sets as one cohort: a TOML file with a table for each, which says where its DATA is.

The other keys of a table are what is said of its columns, as on the command line. Each exam gets
the fact `dataset`; classes of one name are one class. Where data sets have other classes each, the
task keeps which are whose, so that an exam can be judged among those of its data set alone.

    [breast]
    data = "breastmnist.npz"

    [skin]
    data = "HAM10000_metadata.csv"
    images = "images.zip"
    label = "dx"
    patient = "lesion_id"
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.curate.renumber import renumber
from medclf.curate.split import split_cohort
from medclf.curate.table import Columns
from medclf.errors import CohortError, ReadError, SettingError

DATASET = "dataset"
"""The fact that names the data set of an exam."""

SUFFIX = ".toml"
SEED = 0  # of splits that are dealt where other data sets state theirs

Read = Callable[[Path, Columns], Cohort]


def read_sets(data: Path, columns: Columns, read: Read) -> Cohort:
    """Read the data sets that a file names, as one cohort.

    Args:
        data: The file. Paths in it start from its folder.
        columns: What was said of the data: nothing, for the file says it.
        read: Reads one of them.

    Raises:
        CohortError: there are fewer than two, or their tasks do not go together.
        ReadError: the file is no TOML.
        SettingError: columns are said here, or the file has a key that no data set takes.
    """
    if columns != Columns():
        raise SettingError(f"{data}: this file says what the columns of each data set mean")
    try:
        tables = tomllib.loads(data.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise ReadError(f"{data}: cannot read this list of data sets: {problem}") from problem
    if len(tables) < 2 or not all(isinstance(table, Mapping) for table in tables.values()):
        raise CohortError(f"{data}: a table [name] for each of several data sets wanted")
    parts = {name: _read_part(data, name, table, read) for name, table in tables.items()}
    task, notes = _join_tasks({name: part.task for name, part in parts.items()}, data)
    if any(record.split for part in parts.values() for record in part.records):
        parts = {name: split_cohort(part, SEED) for name, part in parts.items()}
    records: list[Record] = []
    for name, part in parts.items():
        records += [_mark(record, name, data) for record in renumber(part, task).records]
        notes += [f"{name}: {note}" for note in part.notes]
    return Cohort(tuple(records), task, data, tuple(notes))


def _read_part(data: Path, name: str, table: Mapping[str, Any], read: Read) -> Cohort:
    known = {"data", *(field.name for field in fields(Columns))}
    said: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            near = get_close_matches(key, sorted(known), n=1, cutoff=0.0)[0]
            raise SettingError(f"{data}: unknown key {name}.{key}; the nearest is {name}.{near}")
        listed = isinstance(value, list) and all(isinstance(word, str) for word in value)
        if not (listed or isinstance(value, str | bool)):
            raise SettingError(f"{data}: {name}.{key} is text, or a list of it, not {value!r}")
        said[key] = tuple(value) if listed else value
    if not isinstance(said.get("data"), str):
        raise SettingError(f"{data}: {name}.data wanted, the place of a data set")
    place = data.parent / said.pop("data")
    if "images" in said:
        said["images"] = data.parent / said["images"]
    return read(place, Columns(**said))


def _join_tasks(tasks: Mapping[str, Task], data: Path) -> tuple[Task, list[str]]:
    """Join the classes of data sets; those of one name are one class."""
    kinds = {task.kind for task in tasks.values()}
    first, several = next(iter(tasks.values())), len({frozenset(t.classes) for t in tasks.values()})
    if len(kinds) > 1 or (first.kind != "exclusive" and len(set(tasks.values())) > 1):
        told = "; ".join(f"{n}: {t.kind} {', '.join(t.classes)}" for n, t in tasks.items())
        raise CohortError(
            f"{data}: data sets of exclusive classes wanted, or all of the same, found {told}"
        )
    if several == 1:
        return first, []
    classes = tuple(dict.fromkeys(name for task in tasks.values() for name in task.classes))
    shared = [c for c in classes if sum(c in task.classes for task in tasks.values()) > 1]
    notes = ["The data sets have other classes each: an exam is judged among its own."]
    if shared:
        notes.append(f"Classes of one name are one class: {', '.join(shared)}.")
    return Task(classes, sets=tuple((n, task.classes) for n, task in tasks.items())), notes


def _mark(record: Record, name: str, data: Path) -> Record:
    """Name the data set of an exam, and tell its exams and patients from those of others."""
    if DATASET in record.facts:
        raise CohortError(f"{data}: {name} has a column {DATASET!r} itself, which names data sets")
    return replace(
        record,
        name=f"{name}/{record.name}",
        patient=f"{name}/{record.patient}",
        group=record.group and f"{name}/{record.group}",
        facts={DATASET: name, **record.facts},
    )
