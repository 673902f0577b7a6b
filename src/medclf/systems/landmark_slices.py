"""Landmark slices: which slices of a scan show a landmark, along each of its three axes?

A 2D network per axis tells for every slice which landmarks it shows. The three profiles of a
landmark, along the three axes, cross in a point. So a landmark in a volume is found by networks
that only ever see pictures. Each axis is an ordinary run, in a folder of its name, whose classes
are landmarks that coexist.

Source: Yang, Zhang, Patriarca, et al. Automated Anatomical Landmark Detection on Distal Femur
Surface Using Convolutional Neural Network. ISBI 2015.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.core.whole import whole_file
from medclf.learn.plan import Plan
from medclf.learn.trained import Held, Trained
from medclf.locate.scans import Scan
from medclf.prepare.exam import Prepare, prepare_image
from medclf.systems.candidates import Candidates, Find
from medclf.systems.search import Search
from medclf.systems.stage import load_stage, train_stage
from medclf.systems.ways import one_each
from medclf.systems.work import Work

OPTIONS = {"reach": 2}
"""Slices to each side of a landmark that show it, where its size is not known."""

AXES = ("z", "y", "x")
SMOOTH = 1.0
"""Deviation, in slices, of what profiles are smoothed by."""


def learn(work: Work) -> None:
    """Train a network for each axis, from wherever they stand."""
    minutes = work.search.minutes / len(AXES)
    for axis, name in enumerate(AXES):
        train_stage(
            work,
            name,
            partial(_cohort, work, axis),
            partial(_recipe, work, axis),
            minutes,
            "whole_image",
        )


def open_finder(folder: Path, search: Search) -> Find:
    """Load what finds landmarks: one candidate for each, however sure."""
    trained = [load_stage(folder / name).trained for name in AXES]
    reach = int(search.options["reach"])

    def find(image: Image) -> Candidates:
        found = [read_profiles(_profiles(one, image, n), reach) for n, one in enumerate(trained)]
        places, scores = zip(*found, strict=True)
        return one_each(image.grid.to_mm(np.stack(places, 1)), np.stack(scores).min(0))

    return find


def _profiles(trained: Trained, image: Image, axis: int) -> NDArray[np.float64]:
    """Tell how surely each slice along an axis shows each landmark: (slices, L)."""
    prepare = trained.recipe.prepare
    shown = [prepare_image(one, prepare, f"slice {AXES[axis]}") for one in _slices(image, axis)]
    profiles, _ = trained.probabilities(Held(np.stack(shown)), np.arange(len(shown)))
    return profiles


def read_profiles(
    profiles: NDArray[np.float64], reach: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tell where profiles along an axis are highest: the middle of what lies about the top.

    Args:
        profiles: (slices, L) how surely each slice shows each landmark.
        reach: Slices to each side of the top that count.

    Returns:
        The place of each landmark, in slices, and the height of its profile there: (L,) each.

    Example:
        >>> at, height = read_profiles(np.array([[0.0], [0.2], [0.9], [0.2], [0.0]]), 2)
        >>> round(float(at[0]), 2)
        2.0
    """
    smooth = gaussian_filter1d(profiles, SMOOTH, axis=0, mode="nearest")
    top = smooth.argmax(0)
    number = np.arange(len(profiles))[:, None]
    near = smooth * (abs(number - top) <= reach)
    at = (near * number).sum(0) / np.maximum(near.sum(0), 1e-12)
    return at, smooth.max(0)


def _slices(image: Image, axis: int) -> Iterator[Image]:
    """Take the slices of a scan across an axis, each as a picture."""
    for values in np.moveaxis(image.values, axis + 1, 0):
        yield Image(np.ascontiguousarray(values))


def _cohort(work: Work, axis: int) -> Cohort:
    """Make each slice of training and validation scans an exam; empty ones tell nothing."""
    search, records = work.search, []
    for scan in work.learnt:
        image = work.volume(scan)
        path = _keep_slices(work, scan, image, axis)
        labels = _labels(work, scan, image, axis)
        records += [
            Record(
                f"{scan.name} {AXES[axis]} {number}",
                {"image": Source(path, "slice_images", number)},
                scan.patient,
                tuple(labels[number].tolist()),
                scan.split,
            )
            for number, one in enumerate(_slices(image, axis))
            if np.ptp(one.values) > 0
        ]
    return Cohort(tuple(records), Task(search.kinds, "coexisting"), work.folder)


def _labels(work: Work, scan: Scan, image: Image, axis: int) -> NDArray[np.int64]:
    """Tell which slices show which landmarks: (slices, L)."""
    labels = np.zeros((image.space[axis], len(work.search.kinds)), np.int64)
    for mark in scan.targets:
        at = image.grid.from_mm(np.array(mark.point.at))[axis]
        reach = float(work.option("reach"))
        if mark.diameter_mm is not None:
            reach = max(reach, mark.diameter_mm / 2 / work.search.edge_mm)
        near = abs(np.arange(len(labels)) - at) <= reach
        labels[near, work.search.kinds.index(mark.kind)] = 1
    return labels


def _keep_slices(work: Work, scan: Scan, image: Image, axis: int) -> Path:
    """Write the slices of a scan beside it, as one file of pictures."""
    place = work.volumes[scan.name]
    path = place.with_name(f"{place.stem}-{AXES[axis]}.npz")
    if not path.exists():
        with whole_file(path) as part, part.open("wb") as file:
            np.savez(file, slice_images=np.moveaxis(image.values[0], axis, 0))
    return path


def _recipe(work: Work, axis: int, plan: Plan) -> Plan:
    """Take slices as they are, and keep validation scans apart."""
    recipe = plan.recipe
    image = work.volume(work.learnt[0])
    size = tuple(n for number, n in enumerate(image.space) if number != axis)
    prepare = Prepare(size, image.channels, intensity="full")
    fit = replace(recipe.fit, folds=0, members=1, mirror="no", shift=0.0, smoothing=0.0)
    return Plan(replace(recipe, prepare=prepare, fit=fit), plan.reasons)
