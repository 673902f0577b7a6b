"""An exam before its pixels are read: where its images are, whose they are, and its label."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from medclf.core.remark import Remark

SPLITS = ("train", "val", "test")

Fact = float | str | None


def name_value(value: Fact) -> str:
    """Write a fact as a word, a whole number without point, a missing one as "".

    Example:
        >>> name_value(3.0), name_value(" north"), name_value(None)
        ('3', 'north', '')
    """
    if value is None or value != value:
        return ""
    return value.strip() if isinstance(value, str) else f"{value:.12g}"


@dataclass(frozen=True, order=True)
class Point:
    """A marked place in an image.

    Args:
        at: (z, y, x), or (y, x) in a picture.
        unit: "mm" of the patient, as `Grid` has them, or "samples" of the image as it is stored,
            counted from 0.
    """

    at: tuple[float, ...]
    unit: Literal["mm", "samples"]

    def __str__(self) -> str:
        return f"{', '.join(f'{number:g}' for number in self.at)} {self.unit}"


@dataclass(frozen=True, order=True)
class Source:
    """Where the bytes of one image are, and which place in it is meant.

    Args:
        path: A file on disk.
        member: The name inside it, where the file is an archive (.zip, .npz, .tar.gz).
        index: The number of the image, where a file or member packs many (IDX, CIFAR, .npz).
        parts: The files of one image that lies in several, as a DICOM series does; `path` is then
            their folder or archive, and `member` names the series in messages.
        point: What is judged lies there; `None` where all of the image is meant.
        mask: An image of the same samples, above 0 where what is judged lies; `None` for none.
        remarks: What was noticed where its files were found; they make it no other source.

    Example:
        >>> print(Source(Path("breastmnist.npz"), "train_images", 12))
        breastmnist.npz!train_images[12]
    """

    path: Path
    member: str = ""
    index: int | None = None
    parts: tuple["Source", ...] = ()
    point: Point | None = None
    mask: "Source | None" = None
    remarks: tuple[Remark, ...] = field(default=(), compare=False)

    @property
    def first(self) -> "Source":
        """One file of it: itself, or the first of its parts."""
        return self.parts[0] if self.parts else self

    def __str__(self) -> str:
        inside = f"!{self.member}" if self.member else ""
        number = "" if self.index is None else f"[{self.index}]"
        place = "" if self.point is None else f" at {self.point}"
        return f"{self.path}{inside}{number}{place}"


@dataclass(frozen=True)
class Record:
    """One exam, the unit that gets one decision.

    Args:
        name: Names the exam within its cohort, uniquely.
        images: Where each image of the exam is; a single image bears the name "image".
        patient: Groups exams that must never stand on both sides of a split. The exam's own name
            where nothing is known of patients.
        label: Class number; a tuple of 0 and 1, one per class, where findings coexist; `None`
            where there is no label.
        split: "train", "val", "test" as the data say, or "" where they do not.
        facts: Age, sex, site, …: a number, a word, or `None` where missing.
        group: Binds more than a patient does: exams of one group, as of one site, are dealt into
            one part; "" where only the patient binds.
    """

    name: str
    images: Mapping[str, Source]
    patient: str
    label: int | tuple[int, ...] | None = None
    split: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    group: str = ""

    @property
    def source(self) -> Source:
        """The image of an exam that has just one."""
        (only,) = self.images.values()
        return only
