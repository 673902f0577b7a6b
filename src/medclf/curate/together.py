"""Which exams of a cohort show the same image, so that they are dealt into one part."""

from collections.abc import Sequence
from dataclasses import replace

from medclf.core.cohort import Cohort
from medclf.curate.copies import Group
from medclf.curate.duplicates import group_exact, group_near
from medclf.curate.join import MOST, join_exams, tell_many
from medclf.curate.problem import count
from medclf.curate.survey import Look, Progress, survey


def find_together(cohort: Cohort, progress: Progress | None = None) -> tuple[Cohort, list[Group]]:
    """Read every image, join exams of equal ones, and find those that look the same.

    Args:
        cohort: As read.
        progress: Told how many images of how many are read.

    Returns:
        As `join_looks`.
    """
    return join_looks(cohort, survey(cohort, progress))


def seeks_near(images: int) -> bool:
    """Tell whether near copies are looked for among so many images."""
    return images <= MOST


def join_looks(cohort: Cohort, looks: Sequence[Look]) -> tuple[Cohort, list[Group]]:
    """Join exams of equal images, and find those that look the same.

    Args:
        cohort: As read.
        looks: At each of its images.

    Returns:
        The cohort, in which exams of equal images are one patient's, and the numbers of the exams
        of each group that looks the same. Of an image that cannot be read nothing is known.
    """
    numbers = {record.name: number for number, record in enumerate(cohort.records)}
    exams = [numbers[look.exam] for look in looks]
    equal = [tuple(exams[i] for i in group) for group in group_exact(looks)]
    notes = []
    if failed := sum(bool(look.failure) for look in looks):
        notes.append(f"{count(failed, 'image')} cannot be read: they may be copies all the same.")
    if not seeks_near(len(looks)):
        notes.append(tell_many(len(looks)))
    cohort = replace(cohort, notes=(*cohort.notes, *notes))
    near = group_near(looks) if seeks_near(len(looks)) else []
    alike = (tuple(sorted({exams[i] for i in group})) for group in near)
    return join_exams(cohort, equal, "an image"), [group for group in alike if len(group) > 1]
