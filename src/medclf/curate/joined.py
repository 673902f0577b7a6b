"""Several data sets as one cohort: a TOML file with a table for each, which says where its DATA is.

The other keys of a table are what is said of its columns, as on the command line. A patient of one
data set is another person than that of the same number in the next, unless both name one
`hospital`. Each exam gets the fact `dataset`; classes of one name are one class. Where data sets
have other classes each, the task keeps which are whose, so that an exam can be judged among those
of its data set alone.

    [breast]
    data = "breastmnist.npz"

    [skin]
    data = "HAM10000_metadata.csv"
    images = "images.zip"
    label = "dx"
    patient = "lesion_id"
    hospital = "north"
"""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin

from medclf.core.cohort import Cohort
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.curate.problem import count
from medclf.curate.renumber import renumber
from medclf.curate.split import split_cohort
from medclf.curate.table import Columns
from medclf.errors import CohortError, ReadError, SettingError

DATASET = "dataset"
"""The fact that names the data set of an exam."""

HOSPITAL = "hospital"
"""The key that names whose numbers the patients of a data set bear, where others share them."""

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
    homes = {name: str(table.get(HOSPITAL, name)) for name, table in tables.items()}
    shared = _tell_shared(parts, homes)
    task, notes = _join_tasks({name: part.task for name, part in parts.items()}, data)
    if any(record.split for part in parts.values() for record in part.records):
        parts = {name: split_cohort(part, SEED) for name, part in parts.items()}
    records: list[Record] = []
    for name, part in parts.items():
        numbered = renumber(part, task).records
        records += [_mark(record, name, homes[name], data) for record in numbered]
        notes += [f"{name}: {note}" for note in part.notes]
    return Cohort(tuple(records), task, data, (*notes, *shared))


def _tell_shared(parts: Mapping[str, Cohort], homes: Mapping[str, str]) -> list[str]:
    """Note patients' numbers that data sets have in common and that count as other persons."""
    where: dict[str, set[str]] = defaultdict(set)
    for name, part in parts.items():
        for patient in {r.patient for r in part.records if r.patient != r.name}:
            where[patient].add(homes[name])
    shared = sum(len(found) > 1 for found in where.values())
    if not shared:
        return []
    return [
        f"{count(shared, 'patient number')} of several data sets: each counts as another person in "
        f'each. Where they are the same persons, say {HOSPITAL} = "NAME" in the tables of both, or '
        "scores will be too good."
    ]


def _read_part(data: Path, name: str, table: Mapping[str, Any], read: Read) -> Cohort:
    hints: dict[str, Any] = {field.name: field.type for field in fields(Columns)}
    hints |= {"data": str, "images": str, HOSPITAL: str}
    said: dict[str, Any] = {}
    for key, value in table.items():
        if key not in hints:
            near = get_close_matches(key, sorted(hints), n=1, cutoff=0.0)[0]
            raise SettingError(f"{data}: unknown key {name}.{key}; the nearest is {name}.{near}")
        said[key] = _take(value, hints[key], f"{data}: {name}.{key}")
    if "data" not in said:
        raise SettingError(f"{data}: {name}.data wanted, the place of a data set")
    said.pop(HOSPITAL, None)
    place = data.parent / said.pop("data")
    if "images" in said:
        said["images"] = data.parent / said["images"]
    return read(place, Columns(**said))


def _take(value: Any, hint: Any, where: str) -> Any:
    """Take a value as `Columns` has it: text with commas is several words, as on the command line.

    Raises:
        SettingError: it is of another type.
    """
    kinds = [get_origin(one) or one for one in get_args(hint) or (hint,)]
    if tuple in kinds and isinstance(value, list) and all(isinstance(w, str) for w in value):
        return tuple(value)
    if tuple in kinds and isinstance(value, str) and (str not in kinds or "," in value):
        return tuple(word for part in value.split(",") if (word := part.strip()))
    if isinstance(value, bool if bool in kinds else str):
        return value
    wanted = "true or false" if bool in kinds else "text"
    several = ", or a list of it" if tuple in kinds else ""
    raise SettingError(f"{where} is {wanted}{several}, not {value!r}")


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


def _mark(record: Record, name: str, home: str, data: Path) -> Record:
    """Name the data set of an exam, and tell its exams and patients from those of others."""
    if DATASET in record.facts:
        raise CohortError(f"{data}: {name} has a column {DATASET!r} itself, which names data sets")
    return replace(
        record,
        name=f"{name}/{record.name}",
        patient=f"{home}/{record.patient}",
        group=record.group and f"{name}/{record.group}",
        facts={DATASET: name, **record.facts},
    )
