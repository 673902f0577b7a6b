"""The standard scale of intensity landmarks is learnt, from training exams alone.

Each exam is read, cut and measured; the scale is the mean over exams, and what is usual at a site
the mean over its exams. The answer is a setting like any other: it stands in the run's recipe, and
whoever prepares by that recipe prepares alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from medclf.core.record import Record, Source
from medclf.core.threads import in_order
from medclf.errors import CohortError
from medclf.prepare.exam import Prepare, cut_image
from medclf.prepare.landmarks import (
    Landmarks,
    average_landmarks,
    mean_landmarks,
    measure_landmarks,
)
from medclf.prepare.marked import read_marked
from medclf.prepare.order import Read
from medclf.prepare.site import sites_of
from medclf.read.image import read_image


def learn_standard(
    records: Sequence[Record],
    settings: Prepare,
    read: Read = read_image,
    progress: Callable[[int, int], None] | None = None,
) -> Prepare:
    """Learn what the settings leave to be learnt.

    Args:
        records: Training exams, never others. All images of an exam count alike.
        settings: Whose landmarks are not known.
        read: Reads an image; called in several threads at once.
        progress: Told how many images of how many have been measured.

    Returns:
        The settings with landmarks and, where they go by it, those of each site.

    Raises:
        CohortError: there is no exam, or one without a site where it is wanted.
        ReadError: an image cannot be read.
        SettingError: no exam has the column of their site.
    """
    if not records:
        raise CohortError("training exams wanted, to learn landmarks from, found none")
    sites = sites_of(records, settings)
    for record, site in zip(records, sites, strict=True):
        if settings.site and not site:
            raise CohortError(
                f"{record.name}: a {settings.site} wanted, to learn what is usual there, found none"
            )

    def measure(source: Source) -> Landmarks:
        image, mark = read_marked(source, settings, read)
        cut, _ = cut_image(image, settings, str(source), mark)
        return measure_landmarks(cut.values, settings.marks)

    images = [
        (source, site)
        for record, site in zip(records, sites, strict=True)
        for source in record.images.values()
    ]
    measured: list[Landmarks] = []
    for landmarks in in_order(measure, [source for source, _ in images]):
        measured.append(landmarks)
        if progress is not None:
            progress(len(measured), len(images))
    standard = average_landmarks(measured)
    if not settings.site:
        return replace(settings, landmarks=standard)
    named = sorted(set(sites))
    usual = [
        mean_landmarks([row for row, (_, at) in zip(measured, images, strict=True) if at == site])
        for site in named
    ]
    each = tuple(round(float(mark), 6) for row in usual for mark in row)
    return replace(settings, landmarks=standard, sites=tuple(named), site_landmarks=each)
