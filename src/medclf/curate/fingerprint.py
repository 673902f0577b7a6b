"""A cohort's fingerprint: how many exams of what, and what a sample of their pixels is like.

Counts come from the records. Of the pixels a seeded sample is read, some of every class and split
but the test split, by several threads; from each image a few thousand values, drawn by chance,
stand for all. The plan is made from this, so it holds what a plan needs: shapes, spacing, colours,
intensities.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.record import SPLITS, Record, Source
from medclf.core.task import Kind, Task
from medclf.core.threads import in_order
from medclf.curate.glimpse import Glimpse, take_glimpse
from medclf.errors import CohortError, ReadError, SettingError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fingerprint:
    """What a plan needs to know of a cohort. Axes are z first; sizes in samples.

    Args:
        exams: Records of the cohort.
        patients: That differ.
        images_per_exam: The fewest and the most.
        image_names: How many exams have an image of each name.
        classes: How many exams of each class, by split ("" where there is none yet).
        kind: Of the task.
        sampled: Images read for what follows.
        unreadable: Those of them that cannot be, with the reason.
        dims: 2 for pictures, 3 for volumes.
        channels: 1 for grey, also where colours are stored but all alike; 3 for colours.
        colour_is_grey: Whether some are stored in colours but none shows any.
        shape_min, shape_median, shape_max: Samples along each axis.
        oriented: Whether every volume tells the directions of its axes. Shapes and spacings are
            then those of the volume turned to the patient's order (z to the head, y to the back,
            x to the left), else those of the file.
        spacing_known: Share of the images that tell their spacing, 0 to 1.
        spacing_min_mm, spacing_median_mm, spacing_max_mm: Of those, or `None`.
        modalities: How many images of each; "" where the file does not say.
        units: Likewise of each unit.
        bits: Likewise of each number of significant bits.
        dtypes: Likewise of each type of number.
        uptake_known: Share of the images that are PET and tell what makes standardised uptake
            values of it, 0 to 1.
        binary: Whether no image has more than two values, as drawn shapes.
        minimum, maximum: Over all values.
        percentiles: The 0.5th, 50th and 99.5th over the foreground, which is what is brighter
            than the darkest value of its image.
    """

    exams: int
    patients: int
    images_per_exam: tuple[int, int]
    image_names: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]
    kind: Kind
    sampled: int
    unreadable: tuple[tuple[str, str], ...]
    dims: int
    channels: int
    colour_is_grey: bool
    shape_min: tuple[int, ...]
    shape_median: tuple[int, ...]
    shape_max: tuple[int, ...]
    oriented: bool
    spacing_known: float
    spacing_min_mm: tuple[float, ...] | None
    spacing_median_mm: tuple[float, ...] | None
    spacing_max_mm: tuple[float, ...] | None
    modalities: Mapping[str, int]
    units: Mapping[str, int]
    bits: Mapping[str, int]
    dtypes: Mapping[str, int]
    uptake_known: float
    binary: bool
    minimum: float
    maximum: float
    percentiles: tuple[float, float, float]

    def to_dict(self) -> dict[str, Any]:
        """Give plain dictionaries, lists, numbers and words, as JSON holds them."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def take_fingerprint(
    cohort: Cohort, sample: int | None = 256, seed: int = 0, progress: Progress | None = None
) -> Fingerprint:
    """Count a cohort's exams and look at a sample of their images.

    Args:
        cohort: Split or not. Images of its test split are not read, unless there are no others.
        sample: Exams to read, or `None` for all.
        seed: Draws them.
        progress: Called with how many images are read and how many there are to read.

    Raises:
        CohortError: pictures and volumes are mixed, or numbers of channels other than 1 and 3.
        ReadError: no image of the sample can be read.
        SettingError: the sample is empty.
    """
    if sample is not None and sample < 1:
        raise SettingError(f"a sample of one exam or more wanted, not {sample}")
    seen = [record for record in cohort.records if record.split != "test"] or cohort.records
    records = seen if sample is None else draw_sample(seen, sample, seed)
    sources = [source for record in records for source in record.images.values()]
    looks, unreadable = _look_at_all(sources, progress)
    if not looks:
        raise ReadError(f"none of {len(sources)} images can be read; first: {unreadable[0][1]}")
    _refuse_mixed({name: len(look.shape) for name, look in looks.items()}, "axes", cohort)
    channels = {name: look.channels for name, look in looks.items()}
    if not {1, 3} >= set(channels.values()):
        _refuse_mixed(channels, "channels", cohort)
    found: dict[str, Any] = {"sampled": len(sources), "unreadable": unreadable}
    return Fingerprint(**_count(cohort), **found, **_join(list(looks.values())))


def draw_sample(records: Sequence[Record], sample: int, seed: int) -> list[Record]:
    """Draw exams: one of each class and split first, as far as half the sample goes, then any.

    The order of the records does not matter.
    """
    ordered = sorted(records, key=lambda record: record.name)
    if sample >= len(ordered):
        return ordered
    mixed = [ordered[i] for i in np.random.default_rng(seed).permutation(len(ordered))]
    first = {(record.split, record.label): record for record in reversed(mixed)}
    chosen = {record.name: record for record in list(first.values())[: (sample + 1) // 2]}
    for record in mixed:
        if len(chosen) == sample:
            break
        chosen.setdefault(record.name, record)
    return sorted(chosen.values(), key=lambda record: record.name)


def _look_at_all(
    sources: Sequence[Source], progress: Progress | None
) -> tuple[dict[str, Glimpse], tuple[tuple[str, str], ...]]:
    looks: dict[str, Glimpse] = {}
    unreadable: list[tuple[str, str]] = []
    with closing(in_order(take_glimpse, sources)) as glimpses:
        for number, (source, found) in enumerate(zip(sources, glimpses, strict=True), 1):
            if isinstance(found, Glimpse):
                looks[str(source)] = found
            else:
                unreadable.append((str(source), found))
            if progress is not None:
                progress(number, len(sources))
    return looks, tuple(unreadable)


def _refuse_mixed(found: Mapping[str, int], what: str, cohort: Cohort) -> None:
    examples = {number: name for name, number in found.items()}
    if len(examples) > 1:
        told = " and ".join(f"{number} {what} in {name}" for number, name in examples.items())
        raise CohortError(f"{cohort.origin}: images of one form wanted, found {told}")


def _count(cohort: Cohort) -> dict[str, Any]:
    """What the records tell."""
    records = cohort.records
    sizes = [len(record.images) for record in records]
    labels: dict[str, list[int | tuple[int, ...]]] = defaultdict(list)
    for record in records:
        if record.label is not None:
            labels[record.split].append(record.label)
    return {
        "exams": len(records),
        "patients": len({record.patient for record in records}),
        "images_per_exam": (min(sizes), max(sizes)),
        "image_names": _tally(name for record in records for name in record.images),
        "classes": {
            split: dict(zip(cohort.task.classes, _sums(labels[split], cohort.task), strict=True))
            for split in ("", *SPLITS)
            if split in labels
        },
        "kind": cohort.task.kind,
    }


def _sums(labels: Sequence[int | tuple[int, ...]], task: Task) -> list[int]:
    """Count the exams of each class."""
    if task.kind == "coexisting":
        return [int(n) for n in np.sum(np.array(labels), axis=0)]
    return [int(n) for n in np.bincount(np.array(labels), minlength=len(task.classes))]


def _join(looks: Sequence[Glimpse]) -> dict[str, Any]:
    """What the sampled images tell together."""
    channels = max(look.channels for look in looks)
    grey = channels == 3 and not any(look.coloured for look in looks)
    oriented = all(look.order for look in looks)
    looks = [look.turned() for look in looks] if oriented else looks
    shapes = np.array([look.shape for look in looks])
    spacings = [look.spacing_mm for look in looks if look.spacing_mm is not None]
    foreground = np.concatenate([look.foreground for look in looks])
    shown = foreground if foreground.size else np.array([look.maximum for look in looks])
    return {
        "dims": int(shapes.shape[1]),
        "channels": 1 if grey else channels,
        "colour_is_grey": grey,
        "shape_min": tuple(int(n) for n in shapes.min(0)),
        "shape_median": tuple(int(n) for n in np.median(shapes, 0)),
        "shape_max": tuple(int(n) for n in shapes.max(0)),
        "oriented": oriented,
        "spacing_known": len(spacings) / len(looks),
        "spacing_min_mm": _per_axis(np.min, spacings),
        "spacing_median_mm": _per_axis(np.median, spacings),
        "spacing_max_mm": _per_axis(np.max, spacings),
        "modalities": _tally(look.modality for look in looks),
        "units": _tally(look.unit for look in looks),
        "bits": _tally(look.bits for look in looks),
        "dtypes": _tally(look.dtype for look in looks),
        "uptake_known": sum(look.uptake for look in looks) / len(looks),
        "binary": all(look.binary for look in looks),
        "minimum": min(look.minimum for look in looks),
        "maximum": max(look.maximum for look in looks),
        "percentiles": tuple(float(v) for v in np.percentile(shown, (0.5, 50, 99.5))),
    }


def _per_axis(
    statistic: Callable[..., Any], spacings: Sequence[tuple[float, ...]]
) -> tuple[float, ...] | None:
    return tuple(float(mm) for mm in statistic(spacings, axis=0)) if spacings else None


def _tally(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
