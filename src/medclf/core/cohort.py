"""A cohort: the records of a study and the task that their labels state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from medclf.core.record import Record
from medclf.core.task import Task
from medclf.errors import CohortError


@dataclass(frozen=True)
class Cohort:
    """Exams that belong together.

    Args:
        records: One per exam; names differ.
        task: What is decided about each.
        origin: The DATA that was read, for messages and the report.
        notes: What was inferred while reading (the task, the classes' order, the patients), in
            sentences for the person.
        said: What the person said of the data's columns and images, field by field, by which they
            can be read again; `None` where they were not read from DATA.
        series: By which the kind of DICOM series is chosen again that was chosen of several.

    Raises:
        CohortError: there is no record, or two bear one name.
    """

    records: tuple[Record, ...]
    task: Task
    origin: Path
    notes: tuple[str, ...] = ()
    said: Mapping[str, Any] | None = field(default=None, compare=False)
    series: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.records:
            raise CohortError(f"{self.origin}: no exam found")
        seen: set[str] = set()
        for record in self.records:
            if record.name in seen:
                raise CohortError(f"{self.origin}: the exam {record.name!r} stands there twice")
            seen.add(record.name)

    def split(self, name: str) -> "Cohort":
        """The exams of one split.

        Raises:
            CohortError: the cohort has none.
        """
        chosen = tuple(r for r in self.records if r.split == name)
        if not chosen:
            raise CohortError(f"{self.origin}: no exam in the split {name!r}")
        return replace(self, records=chosen)
