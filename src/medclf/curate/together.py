"""Which exams of a cohort show the same image, so that they are dealt into one part."""

from dataclasses import replace

from medclf.core.cohort import Cohort
from medclf.curate.copies import Group
from medclf.curate.duplicates import group_exact, group_near
from medclf.curate.join import MOST, join_exams, tell_many
from medclf.curate.problem import count
from medclf.curate.survey import Progress, survey


def find_together(cohort: Cohort, progress: Progress | None = None) -> tuple[Cohort, list[Group]]:
    """Read every image, join exams of equal ones, and find those that look the same.

    Args:
        cohort: As read.
        progress: Told how many images of how many are read.

    Returns:
        The cohort, in which exams of equal images are one patient's, and the numbers of the exams
        of each group that looks the same. Of an image that cannot be read nothing is known.
    """
    looks = survey(cohort, progress)
    numbers = {record.name: number for number, record in enumerate(cohort.records)}
    exams = [numbers[look.exam] for look in looks]
    equal = [tuple(exams[i] for i in group) for group in group_exact(looks)]
    notes = []
    if failed := sum(bool(look.failure) for look in looks):
        notes.append(f"{count(failed, 'image')} cannot be read: they may be copies all the same.")
    if len(looks) > MOST:
        notes.append(tell_many(len(looks)))
    cohort = replace(cohort, notes=(*cohort.notes, *notes))
    near = [] if len(looks) > MOST else group_near(looks)
    alike = (tuple(sorted({exams[i] for i in group})) for group in near)
    return join_exams(cohort, equal, "an image"), [group for group in alike if len(group) > 1]
