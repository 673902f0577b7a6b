"""What the page says of the data: examples as pictures, and who stands in which split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medclf.core.task import Task
from medclf.report.contents import Contents
from medclf.report.count import Counts
from medclf.report.picture import Picture, encode_picture
from medclf.report.words import count, percent, title

CLASSES_SHOWN = 12
SPLIT_NAMES = {"train": "Training", "val": "Validation", "test": "Test", "": "No split"}
MANY_PICTURES, EDGE, EDGE_OF_MANY, EDGE_OF_BROAD = 24, 288, 192, 480
BROAD = 2.0
CRISP_EDGE = 96


@dataclass(frozen=True)
class Shown:
    """A picture inside the page: `data` is its URI, `crisp` keeps the pixels of a small one."""

    data: str
    caption: str
    width: int
    height: int
    crisp: bool


@dataclass(frozen=True)
class Sheet:
    """Pictures that stand together.

    Args:
        pictures: In order.
        ratio: Width by height of the place that each gets.
        broad: Whether they are strips, as the planes of a volume are, and want wide places.
    """

    pictures: tuple[Shown, ...]
    ratio: str
    broad: bool


@dataclass(frozen=True)
class Data:
    """What the page says of the cohort."""

    classes: str
    size: str
    facts: tuple[tuple[str, str], ...]
    montage: Sheet


@dataclass(frozen=True)
class Row:
    """A row of a table: its name and its cells, as they are shown."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A plain table."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Split:
    """What the page says of the splits."""

    words: str
    table: Table | None


def tell_data(contents: Contents) -> Data:
    """Sum up the classes, the size and the examples."""
    exams = sum(c.all_exams for c in contents.counts)
    patients = sum(c.all_patients for c in contents.counts)
    size = f"{count(exams, 'exam')} of {count(patients, 'patient')}" if exams else ""
    facts = tuple((title(name), words) for name, words in contents.facts)
    return Data(_classes(contents.task), size, facts, lay_out(contents.montage))


def lay_out(pictures: Sequence[Picture]) -> Sheet:
    """Make pictures ready for the page; the more there are, the smaller each becomes."""
    shapes = np.array([p.values.shape[:2] for p in pictures] or [(1, 1)], np.float64)
    ratio = float(np.median(shapes[:, 1] / shapes[:, 0]).clip(0.5, 4))
    broad = ratio >= BROAD
    edge = EDGE if len(pictures) <= MANY_PICTURES else EDGE_OF_MANY
    edge = EDGE_OF_BROAD if broad else edge
    return Sheet(tuple(_show(picture, edge) for picture in pictures), f"{ratio:.3f}", broad)


def tell_split(contents: Contents) -> Split | None:
    """Say how the splits were made, and lay out who stands where."""
    if not contents.split and not contents.counts:
        return None
    table = table_counts(contents.counts, contents.task) if contents.counts else None
    return Split(contents.split, table)


def table_counts(counts: Sequence[Counts], task: Task) -> Table:
    """Lay out exams, and patients where they differ, by class and split."""
    alone = all(c.exams == c.patients and c.all_exams == c.all_patients for c in counts)
    headings: list[str] = []
    for split in (SPLIT_NAMES[c.split] for c in counts):
        headings += [split] if alone else [f"{split}: exams", "patients"]
    what = (
        "Exams; each is of a patient of its own" if alone else "Exams, and the patients they are of"
    )
    by_class = [
        Row(name, _cells([(c.exams[k], c.patients[k], c.all_exams) for c in counts], alone))
        for k, name in enumerate(task.classes)
    ]
    total = Row("All", _cells([(c.all_exams, c.all_patients, 0) for c in counts], alone))
    note = " An exam may belong to several classes." if task.kind == "coexisting" else ""
    return Table(f"{what}, by class and split.{note}", tuple(headings), (*by_class, total))


def _cells(sizes: Sequence[tuple[int, int, int]], alone: bool) -> tuple[str, ...]:
    cells: list[str] = []
    for exams, patients, of in sizes:
        share = f" ({percent(exams / of)})" if of else ""
        cells += [f"{exams:,}{share}"] if alone else [f"{exams:,}{share}", f"{patients:,}"]
    return tuple(cells)


def _classes(task: Task) -> str:
    kinds = {
        "exclusive": "just one is right",
        "coexisting": "each is there or not",
        "ranked": "in this order",
    }
    names = list(task.classes[:CLASSES_SHOWN])
    if len(task.classes) > CLASSES_SHOWN:
        names.append(f"and {len(task.classes) - CLASSES_SHOWN} more")
    positive = len(task.classes) == 2 and task.kind == "exclusive"
    which = f"; {task.classes[1]} is the positive one" if positive else ""
    return f"{', '.join(names)} ({kinds[task.kind]}{which})"


def _show(picture: Picture, edge: int) -> Shown:
    rows, columns = picture.values.shape[:2]
    scale = min(1.0, edge / max(rows, columns))
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    crisp = max(rows, columns) <= CRISP_EDGE
    return Shown(encode_picture(picture, edge), picture.caption, *size, crisp)
