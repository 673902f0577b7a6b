"""A problem of a cohort: what is wrong, with which exams, and whether honest evaluation suffers.

Grave is what makes a score wrong or impossible, whatever is trained:

- unreadable: an exam that cannot be read is neither learnt from nor tested on, and leaving it out
  silently would test on other exams than stated.
- patient_in_two_splits: a patient is not tested by what was learnt from the same patient.
- group_in_two_splits: likewise a lesion or a site, where the person says that it is not parted.
- image_in_two_splits, where one of them is test: the test is no test. Copies of an image count by
  their pixels, whatever file they lie in. Copies in train and val alone leave the test honest.
- two_labels, where the copies stand in different splits: one of the two answers counts as wrong.
- few_classes, small_class where a class cannot stand in each split: nothing to tell apart, or to
  measure.
- some_without_split, unknown_split, no_training: it is not known what is tested.
- mixed_dims: no network takes pictures and volumes alike.
- label_variant: two spellings of one class are two classes, and every figure is of something else.

The rest are warnings, for a person to judge: exact_duplicate within a split, near_duplicate (its
message counts those across splits, which a person should look at), two_labels within a split,
missing_label, missing_values, constant_image, mixed_channels, mixed_modality, doubtful_image (the
reader says that a person should look first), changed_image (it interpolated, left out or parted),
small_class where figures will be rough, stranger, where images do not look like what a person said
that they are, and shortcut, where how the images were made foretells the class.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KINDS = (
    "unreadable",
    "patient_in_two_splits",
    "group_in_two_splits",
    "image_in_two_splits",
    "two_labels",
    "few_classes",
    "small_class",
    "some_without_split",
    "unknown_split",
    "no_training",
    "mixed_dims",
    "label_variant",
    "exact_duplicate",
    "near_duplicate",
    "missing_label",
    "missing_values",
    "constant_image",
    "mixed_channels",
    "mixed_modality",
    "doubtful_image",
    "changed_image",
    "stranger",
    "shortcut",
)


@dataclass(frozen=True)
class Problem:
    """One kind of problem, with all that suffer from it.

    Args:
        kind: One of `KINDS`.
        grave: Whether it makes honest evaluation impossible.
        message: One line for the person.
        exams: Names of the exams concerned, each once; empty where it is all of them.
        groups: Which of them belong together: copies of one image, exams of one patient.
    """

    kind: str
    grave: bool
    message: str
    exams: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()


def tell(names: Iterable[str], most: int = 3) -> str:
    """Name the first few.

    Example:
        >>> tell(["a", "b", "c", "d", "e"])
        'a, b, c, … (2 more)'
    """
    every = list(names)
    more = f", … ({len(every) - most} more)" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a number before its noun.

    Example:
        >>> count(1, "exam"), count(2345, "exam"), count(2, "class", "classes")
        ('1 exam', '2,345 exams', '2 classes')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def merge(groups: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """List the exams of all groups, each once, in order."""
    return tuple(dict.fromkeys(name for group in groups for name in group))
