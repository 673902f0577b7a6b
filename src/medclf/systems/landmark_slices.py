"""Landmark slices: which slices of a scan show a landmark, along each of its three axes?

A 2D network per axis tells for every slice which landmarks it shows. The three profiles of a
landmark, along the three axes, cross in a point. So a landmark in a volume is found by networks
that only ever see pictures. Each axis is an ordinary run, in a folder of its name, whose classes
are landmarks that coexist.

A slice does not tell what lies beyond it: a sagittal one through the left half of a brain looks
like one through the right. So a profile counts by where the landmark lay in the scans of training,
which all have the same samples; what is usual stands in `usual.json`.

Source: Yang, Zhang, Patriarca, et al. Automated Anatomical Landmark Detection on Distal Femur
Surface Using Convolutional Neural Network. ISBI 2015.
"""

import json
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
from medclf.core.whole import whole_file, write_whole
from medclf.learn.plan import Plan
from medclf.learn.trained import Held, Trained
from medclf.locate.scans import Scan
from medclf.prepare.exam import Prepare, prepare_image
from medclf.systems.candidates import Candidates, Find
from medclf.systems.search import Search
from medclf.systems.stage import explain, load_stage, train_stage
from medclf.systems.ways import one_each
from medclf.systems.work import Work

OPTIONS = {"reach": 2}
"""Slices to each side of a landmark that show it, where its size is not known."""

AXES = ("z", "y", "x")
USUAL = "usual.json"
SMOOTH = 1.0
"""Deviation, in slices, of what profiles are smoothed by."""

FEWEST = 3
"""Training scans with a landmark, below which it may be anywhere."""

WIDER, LEAST = 1.5, 1.0
"""The deviation of a landmark's usual place: so many of that in training, and slices beside it."""


def learn(work: Work) -> None:
    """Train a network for each axis, from wherever they stand."""
    minutes = work.search.minutes / len(AXES)
    write_whole(work.folder / USUAL, json.dumps(_usual_places(work).tolist()))
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
    usual = np.array(json.loads((folder / USUAL).read_text(encoding="utf-8")))

    def find(image: Image) -> Candidates:
        found = [
            read_profiles(_profiles(one, image, axis), reach, usual[axis])
            for axis, one in enumerate(trained)
        ]
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
    profiles: NDArray[np.float64], reach: int, usual: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tell where profiles along an axis are highest: the middle of what lies about the top.

    Args:
        profiles: (slices, L) how surely each slice shows each landmark.
        reach: Slices to each side of the top that count.
        usual: (L, 2) slice where each landmark is expected, and by how much it may be off.

    Returns:
        The place of each landmark, in slices, and the height of its profile there: (L,) each.

    Example:
        >>> at, height = read_profiles(
        ...     np.array([[0.0], [0.2], [0.9], [0.2], [0.0]]), 2, np.array([[1.0, 4.0]])
        ... )
        >>> round(float(at[0]), 2)
        2.0
    """
    smooth = gaussian_filter1d(profiles, SMOOTH, axis=0, mode="nearest")
    number = np.arange(len(profiles))[:, None]
    expected, deviation = usual.T
    top = (smooth * np.exp(-0.5 * ((number - expected) / deviation) ** 2)).argmax(0)
    near = smooth * (abs(number - top) <= reach)
    at = (near * number).sum(0) / np.maximum(near.sum(0), 1e-12)
    return at, np.take_along_axis(smooth, top[None], 0)[0]


def _usual_places(work: Work) -> NDArray[np.float64]:
    """Tell where landmarks lie in training scans along each axis: (axes, L, 2) mean, deviation."""
    found: dict[str, list[NDArray[np.float64]]] = {kind: [] for kind in work.search.kinds}
    for scan in work.scans:
        if scan.split == "train" and scan.targets:
            grid = work.volume(scan).grid
            for target in scan.targets:
                found[target.kind].append(grid.from_mm(np.array(target.point.at)))
    half = np.array(work.volume(work.learnt[0]).space) / 2
    usual = np.tile(np.stack([half, 2 * half], 1)[:, None], (1, len(found), 1))
    for number, at in enumerate(found.values()):
        if len(at) >= FEWEST:
            usual[:, number, 0] = np.mean(at, axis=0)
            usual[:, number, 1] = WIDER * np.std(at, axis=0, ddof=1) + LEAST
    return usual


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
    why = f"slices of scans along {AXES[axis]}, taken as they are"
    return explain(plan, replace(recipe, prepare=prepare, fit=fit), why)
