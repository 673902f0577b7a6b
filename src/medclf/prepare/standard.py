"""The standard scale of intensity landmarks is learnt, from training exams alone.

Each exam is read, cut and measured; the scale is the mean over exams, and what is usual at a site
the mean over its exams. The answer is a setting like any other: it stands in the run's recipe, and
whoever prepares by that recipe prepares alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from medclf.core.record import Record, Source
from medclf.core.threads import in_order
from medclf.errors import CohortError, ReadError
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
    skip_unreadable: bool = False,
) -> Prepare:
    """Learn what the settings leave to be learnt.

    Args:
        records: Training exams, never others. All images of an exam count alike.
        settings: Whose landmarks are not known.
        read: Reads an image; called in several threads at once.
        progress: Told how many images of how many have been measured.
        skip_unreadable: Leave unreadable images out rather than stop.

    Returns:
        The settings with landmarks and, where they go by it, those of each site.

    Raises:
        CohortError: there is no exam, or one without a site where it is wanted.
        ReadError: an image cannot be read; where such are skipped, none can.
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

    images = [
        (source, site)
        for record, site in zip(records, sites, strict=True)
        for source in record.images.values()
    ]
    measured = _measure(images, settings, read, progress, skip_unreadable)
    standard = average_landmarks([row for row, _ in measured])
    if not settings.site:
        return replace(settings, landmarks=standard)
    named = sorted({site for _, site in measured})
    usual = [mean_landmarks([row for row, at in measured if at == site]) for site in named]
    each = tuple(round(float(mark), 6) for row in usual for mark in row)
    return replace(settings, landmarks=standard, sites=tuple(named), site_landmarks=each)


def _measure(
    images: Sequence[tuple[Source, str]],
    settings: Prepare,
    read: Read,
    progress: Callable[[int, int], None] | None,
    skip: bool,
) -> list[tuple[Landmarks, str]]:
    """Measure images, and keep the site of each that can be read."""
    failures: list[ReadError] = []

    def measure(source: Source) -> Landmarks | None:
        try:
            image, mark = read_marked(source, settings, read)
            cut, _ = cut_image(image, settings, str(source), mark)
        except ReadError as problem:
            failures.append(problem)
            return None
        return measure_landmarks(cut.values, settings.marks)

    measured: list[tuple[Landmarks, str]] = []
    found = in_order(measure, [source for source, _ in images])
    for number, (landmarks, (_, site)) in enumerate(zip(found, images, strict=True), start=1):
        if landmarks is not None:
            measured.append((landmarks, site))
        elif not skip:
            raise failures[0]
        if progress is not None:
            progress(number, len(images))
    if not measured:
        raise failures[0]
    return measured
