"""Landmarks by networks that regress places: what all ways of `medclf.locate.ways` share.

Every scan is prepared to the same samples. The training is that of `medclf.learn.places`, in the
folder `places` of the system.
"""

from pathlib import Path
from typing import Any

import numpy as np

from medclf.core.image import Image
from medclf.evaluate.distances import NOT_FOUND
from medclf.learn.committee import Part
from medclf.learn.places import fit_places, load_places, usual_fit
from medclf.learn.trained import Held
from medclf.locate.sought import Sought
from medclf.look.augment import Augment
from medclf.systems.candidates import Candidates, Find
from medclf.systems.search import Search
from medclf.systems.work import Work

CHANGES = Augment(rotate_degrees=10.0, scale=0.1, shift=0.08)
PLACE = "places"


def learn_way(work: Work, way: str, **settings: Any) -> None:
    """Train the networks of a way, from wherever they stand.

    Args:
        work: Of which it is a part.
        way: One of `medclf.locate.ways`.
        settings: Of the fit, in place of the usual ones.
    """
    search = work.search
    images = [work.volume(scan) for scan in work.learnt]
    size, kinds = images[0].space, search.kinds
    target = np.full((len(images), len(kinds), len(size)), np.nan, np.float32)
    for row, (scan, image) in enumerate(zip(work.learnt, images, strict=True)):
        for mark in scan.targets:
            target[row, kinds.index(mark.kind)] = image.grid.from_mm(np.array(mark.point.at))
    splits = np.array([scan.split for scan in work.learnt])
    part = Part(*(np.flatnonzero(splits == name) for name in ("train", "val")))
    sought = Sought(
        *(way, kinds, images[0].channels, size, search.prepare.spacing_mm),
        net=work.option("net"),
        changes=CHANGES,
    )
    fit_places(
        work.folder / PLACE,
        sought,
        Held(np.stack([image.values for image in images])),
        target,
        part,
        usual_fit(
            size,
            seed=search.seed,
            members=work.option("members"),
            epochs=work.option("epochs"),
            **settings,
        ),
        60 * search.minutes,
        work.watch.tell,
    )


def open_places(folder: Path, search: Search) -> Find:
    """Load what finds landmarks: one candidate for each, however sure."""
    learnt = load_places(folder / PLACE)

    def find(image: Image) -> Candidates:
        samples, scores = learnt.locate(image.values)
        return one_each(image.grid.to_mm(samples.astype(np.float64)), scores.astype(np.float64))

    return find


def one_each(places_mm: np.ndarray, scores: np.ndarray) -> Candidates:
    """Make candidates of landmarks, (L, 3) and (L,): each is of its own kind."""
    # A score of 0 would not tell whose it is.
    return Candidates(places_mm, scores, np.diag(np.maximum(scores, NOT_FOUND)))
