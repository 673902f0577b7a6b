"""Exams whose images look the same are dealt into one part, whatever size the images have there.

Copies are sought as `medclf split` seeks them, in the images as they are stored: so the same exams
and the same seed give the same splits, whatever a budget lets a network see of them.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from medclf import __version__
from medclf.core.cohort import Cohort
from medclf.core.record import Source
from medclf.curate.balance import deal_apart, is_dealt
from medclf.curate.join import join_exams
from medclf.curate.looks import Looking, list_images
from medclf.curate.split import split_cohort
from medclf.curate.together import join_looks
from medclf.learn.settings import Fit
from medclf.prepare.digest import FileDigest, digest_parts, write_row
from medclf.prepare.making import Progress
from medclf.prepare.store import Store

FORM = 1
"""Raised when what is kept of looks changes."""

Names = list[list[str]]


def look_for_copies(cohort: Cohort, fit: Fit) -> Looking:
    """Make what reads the images of a cohort, and looks at them where any are to be dealt."""
    return Looking(cohort.records if is_dealt(cohort, fit.folds) else ())


def deal_looked(
    cohort: Cohort, store: Store, looking: Looking, fit: Fit, progress: Progress | None = None
) -> tuple[Cohort, Names]:
    """Deal exams into splits, those that look the same into one, and into one fold where they may.

    Args:
        cohort: As read.
        store: Its images, in the same order.
        looking: Has read them, as far as they were not prepared before.
        fit: Its seed, and its folds.
        progress: Told how many images of how many are read that nobody has looked at yet.

    Returns:
        The cohort with splits, and the names of exams that count as one patient's.

    Raises:
        CohortError: the exams cannot be split.
    """
    if not is_dealt(cohort, fit.folds):
        return split_cohort(cohort, fit.seed), []
    keys = _name_images(list_images(cohort.records), store.files)
    joined, alike = join_looks(cohort, looking.look(cohort, keys, progress))
    dealt = deal_apart(joined, alike, fit.seed, folds=fit.folds).cohort
    return dealt, _name_joined(cohort, dealt)


def _name_images(images: Sequence[Source], files: Mapping[str, str]) -> dict[Source, bytes]:
    """Name images by what they are made of."""
    digests = {Path(path): FileDigest(digest, (0, 0, 0)) for path, digest in files.items()}
    version = f"{FORM} {__version__} ".encode()
    return {
        source: hashlib.sha256(version + write_row(source, digest_parts(source, digests))).digest()
        for source in images
    }


def _name_joined(stated: Cohort, dealt: Cohort) -> Names:
    """Name the exams of each patient in whom several are counted as one."""
    exams, whose = defaultdict[str, list[str]](list), defaultdict[str, set[str]](set)
    for before, after in zip(stated.records, dealt.records, strict=True):
        exams[after.patient].append(after.name)
        whose[after.patient].add(before.patient)
    return [exams[patient] for patient, some in whose.items() if len(some) > 1]


def join_named(cohort: Cohort, names: Sequence[Sequence[str]]) -> Cohort:
    """Count exams as one patient's that `deal_looked` counted so, as far as they are there."""
    numbers = {record.name: number for number, record in enumerate(cohort.records)}
    groups = [[numbers[name] for name in some if name in numbers] for some in names]
    return join_exams(cohort, groups, "an image of the same look")
