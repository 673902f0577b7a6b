"""Cases of concatenations: one enhanced image that lies in several files.

Source: DICOM PS3.3, C.7.6.16.2.2.4 (concatenations).
"""

from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medclf.curate.phantom.hard.case import (
    REFUSED,
    Case,
    Truth,
    Volume,
    collect,
    save,
)
from medclf.curate.phantom.hard.enhanced import MR, Frame, make_file, make_item
from medclf.curate.phantom.hard.order import SAMPLES, SCENE
from medclf.curate.phantom.hard.scene import Slab, turned
from medclf.curate.phantom.hard.slices import ROOT, pixels

if TYPE_CHECKING:
    from pydicom import Dataset

IN_ORDER: tuple[Frame, ...] = tuple((z, SCENE) for z in range(9))
WHOLE = Truth((Volume((SCENE,), SAMPLES),))
THIRDS = (0, 3, 6, 9)


def split_file(dataset: "Dataset", bounds: Sequence[int] = THIRDS) -> "list[Dataset]":
    """Part an enhanced file into a concatenation.

    Args:
        dataset: The whole.
        bounds: The first frame of each part, and the number of all.
    """
    from pydicom.uid import UID

    stored, whole = dataset.pixel_array, dataset.SOPInstanceUID
    del dataset.PixelData
    groups = list(dataset.PerFrameFunctionalGroupsSequence)
    parts = []
    for number, (start, end) in enumerate(pairwise(bounds), 1):
        part = deepcopy(dataset)
        part.SOPInstanceUID = UID(f"{whole}.{number}")
        part.SOPInstanceUIDOfConcatenationSource = whole
        part.ConcatenationUID = UID(f"{ROOT}.7.{whole.rpartition('.')[2]}")
        part.InConcatenationNumber, part.InConcatenationTotalNumber = number, len(bounds) - 1
        part.ConcatenationFrameOffsetNumber = start
        part.NumberOfFrames = end - start
        part.PerFrameFunctionalGroupsSequence = groups[start:end]
        pixels(part, stored[start:end])
        parts.append(part)
    return parts


def concatenation(folder: Path, rng: np.random.Generator) -> Truth:
    """An image in three files, whose names follow no order"""
    save(split_file(make_file(IN_ORDER, Slab(axes=turned(10, 5, -20)))), folder, rng)
    return WHOLE


def uneven_parts(folder: Path, rng: np.random.Generator) -> Truth:
    """Files of seven frames and of one, each frame with a slope of its own"""
    whole = make_file(IN_ORDER, Slab(), slopes=(0.25, 0.5, 1.0))
    save(split_file(whole, (0, 7, 8, 9)), folder, rng)
    return WHOLE


def parts_shuffled(folder: Path, rng: np.random.Generator) -> Truth:
    """Frames lie in no order over three files"""
    frames = [IN_ORDER[int(z)] for z in rng.permutation(9)]
    save(split_file(make_file(frames, Slab())), folder, rng)
    return WHOLE


def parts_in_phases(folder: Path, rng: np.random.Generator) -> Truth:
    """Three moments of a heart lie in two files, parted within a moment"""
    scenes = tuple(SCENE.raised(80 * moment) for moment in range(3))

    def groups(number: int) -> "dict[str, Dataset]":
        return {"FrameContentSequence": make_item(TemporalPositionIndex=number // 9 + 1)}

    frames = [(z, scene) for scene in scenes for z in range(9)]
    save(split_file(make_file(frames, Slab(), MR, groups), (0, 13, 27)), folder, rng)
    return Truth((Volume(scenes, SAMPLES),))


def parts_compressed(folder: Path, rng: np.random.Generator) -> Truth:
    """Files hold compressed frames, with tables of where each begins"""
    from pydicom.uid import RLELossless

    parts = split_file(make_file(IN_ORDER, Slab()))
    for part in parts:
        part.compress(RLELossless, generate_instance_uid=False)
    save(parts, folder, rng)
    return WHOLE


def parts_that_count_not(folder: Path, rng: np.random.Generator) -> Truth:
    """Files do not state how many they should be"""
    parts = split_file(make_file(IN_ORDER, Slab()))
    for part in parts:
        del part.InConcatenationTotalNumber
    save(parts, folder, rng)
    return Truth(WHOLE.images, "parts")


def two_concatenations(folder: Path, rng: np.random.Generator) -> Truth:
    """Two images of three files each lie in one series"""
    later = SCENE.raised(200)
    other = make_file([(z, later) for z in range(9)], Slab(), number=1)
    parts = [*split_file(make_file(IN_ORDER, Slab())), *split_file(other)]
    save(parts, folder, rng)
    return Truth((*WHOLE.images, Volume((later,), SAMPLES)), "parted")


def _without(folder: Path, rng: np.random.Generator, *lost: int) -> Truth:
    """Leave out some of the three files."""
    parts = split_file(make_file(IN_ORDER, Slab()))
    save([part for number, part in enumerate(parts) if number not in lost], folder, rng)
    return REFUSED


def first_part_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """The first of three files is missing"""
    return _without(folder, rng, 0)


def middle_part_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """The second of three files is missing"""
    return _without(folder, rng, 1)


def last_part_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """The last of three files is missing: the others are even without it"""
    return _without(folder, rng, 2)


def only_one_part(folder: Path, rng: np.random.Generator) -> Truth:
    """Of three files only one is there"""
    return _without(folder, rng, 1, 2)


def part_twice(folder: Path, rng: np.random.Generator) -> Truth:
    """Two files are the second part, and hold other frames"""
    parts = split_file(make_file(IN_ORDER, Slab()))
    (_, twin, _) = split_file(make_file([(z, SCENE.raised(50)) for z in range(9)], Slab()))
    twin.SOPInstanceUID = f"{twin.SOPInstanceUID}.1"
    save([*parts, twin], folder, rng)
    return REFUSED


def part_cut_short(folder: Path, rng: np.random.Generator) -> Truth:
    """The first of three files holds a frame less than the second begins at"""
    parts = split_file(make_file(IN_ORDER, Slab()))
    kept = parts[0].pixel_array[:2]
    parts[0].NumberOfFrames = 2
    parts[0].PerFrameFunctionalGroupsSequence = parts[0].PerFrameFunctionalGroupsSequence[:2]
    pixels(parts[0], kept)
    save(parts, folder, rng)
    return REFUSED


def parts_that_differ(folder: Path, rng: np.random.Generator) -> Truth:
    """One file states signed pixels, the others do not"""
    parts = split_file(make_file(IN_ORDER, Slab()))
    parts[1].PixelRepresentation = 1
    save(parts, folder, rng)
    return REFUSED


CASES: tuple[Case, ...] = collect(
    "an image in parts",
    *(concatenation, uneven_parts, parts_shuffled, parts_in_phases, parts_compressed),
    *(parts_that_count_not, two_concatenations, first_part_missing, middle_part_missing),
    *(last_part_missing, only_one_part, part_twice, part_cut_short, parts_that_differ),
)
