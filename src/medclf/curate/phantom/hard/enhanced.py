"""Cases of enhanced files, whose frames state their places and marks one by one.

Source: DICOM PS3.3, A.38 (enhanced CT), A.36 (enhanced MR), C.7.6.16 (functional groups).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medclf.curate.phantom.hard.case import REFUSED, Case, Truth, Volume, collect, write
from medclf.curate.phantom.hard.order import SAMPLES, SCENE
from medclf.curate.phantom.hard.scene import Field, Slab, leaning, turned
from medclf.curate.phantom.hard.slices import blank, decimal, pixels

if TYPE_CHECKING:
    from pydicom import Dataset

CT, MR = "1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.4.1"
START = -1024.0

Frame = tuple[int, Field]
"""The number of a slice and what it shows."""

Groups = Callable[[int], "dict[str, Dataset]"]
"""Further functional groups of a frame, by its number in the file."""


def _no_groups(_: int) -> "dict[str, Dataset]":
    return {}


def make_item(**elements: object) -> "Dataset":
    """Make an item of a sequence."""
    from pydicom.dataset import Dataset

    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def make_file(
    frames: Sequence[Frame],
    slab: Slab,
    kind: str = CT,
    groups: Groups = _no_groups,
    slopes: Sequence[float] = (1.0,),
    number: int = 0,
) -> "Dataset":
    """Make an enhanced file.

    Args:
        frames: What its frames show, in order.
        slab: Where they lie.
        kind: Its class.
        groups: Further functional groups.
        slopes: Frame n has slope n of these, which come round again.
        number: Names the file in its series.
    """
    dataset = blank(kind, number)
    dataset.Modality = "CT" if kind == CT else "MR"
    dataset.NumberOfFrames = len(frames)
    turn = [decimal(part) for part in (*slab.axes[2, ::-1], *slab.axes[1, ::-1])]
    measures = make_item(
        PixelSpacing=[decimal(mm) for mm in slab.spacing_mm[1:]],
        SliceThickness=decimal(slab.spacing_mm[0]),
    )
    shared = make_item(
        PlaneOrientationSequence=[make_item(ImageOrientationPatient=turn)],
        PixelMeasuresSequence=[measures],
    )
    stored, items = [], []
    for frame, (slice_number, scene) in enumerate(frames):
        corner = slab.corner(slice_number)
        slope = slopes[frame % len(slopes)]
        stored.append(np.rint((scene.at(slab.places(corner)) - START) / slope))
        position = make_item(ImagePositionPatient=[decimal(mm) for mm in corner[::-1]])
        scale = make_item(RescaleSlope=decimal(slope), RescaleIntercept=START, RescaleType="HU")
        item = make_item(PlanePositionSequence=[position], PixelValueTransformationSequence=[scale])
        for keyword, group in groups(frame).items():
            setattr(item, keyword, [group])
        items.append(item)
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = items
    pixels(dataset, np.stack(stored).astype(np.uint16))
    return dataset


def _save(dataset: "Dataset", folder: Path) -> Truth:
    write(dataset, folder / "enhanced.dcm")
    return Truth((Volume((SCENE,), SAMPLES),))


def enhanced_ct(folder: Path, _: np.random.Generator) -> Truth:
    """Frames in order, with a rescale in the functional groups"""
    return _save(make_file([(z, SCENE) for z in range(9)], Slab(axes=turned(10, 5, -20))), folder)


def enhanced_from_above(folder: Path, _: np.random.Generator) -> Truth:
    """Frames from the head down"""
    return _save(make_file([(z, SCENE) for z in reversed(range(9))], Slab()), folder)


def frames_shuffled(folder: Path, rng: np.random.Generator) -> Truth:
    """Frames lie in the file in no order"""
    return _save(make_file([(int(z), SCENE) for z in rng.permutation(9)], Slab()), folder)


def slopes_by_frame(folder: Path, rng: np.random.Generator) -> Truth:
    """Frames in no order, each with a slope of its own"""
    order = [(int(z), SCENE) for z in rng.permutation(9)]
    return _save(make_file(order, Slab(), slopes=(0.25, 0.5, 1.0)), folder)


def frame_missing(folder: Path, _: np.random.Generator) -> Truth:
    """One place has no frame"""
    _save(make_file([(z, SCENE) for z in (0, 1, 2, 4, 5, 6, 7, 8)], Slab()), folder)
    return REFUSED


def frame_twice(folder: Path, _: np.random.Generator) -> Truth:
    """One place has two frames that differ"""
    frames = [(z, SCENE) for z in range(9)]
    _save(make_file([*frames, (3, SCENE.raised(200))], Slab()), folder)
    return REFUSED


def frames_leaning(folder: Path, _: np.random.Generator) -> Truth:
    """Frames lean over each other by 15 degrees"""
    write(
        make_file([(z, SCENE) for z in range(9)], Slab(axes=leaning(15))), folder / "enhanced.dcm"
    )
    return Truth((Volume((SCENE,), None, 1.5, filled=True),), "tilt")


def frames_in_phases(folder: Path, rng: np.random.Generator) -> Truth:
    """Frames of three phases of the heart beat lie in no order"""
    scenes = [SCENE.raised(80 * phase) for phase in range(3)]
    which = [(int(n) % 9, int(n) // 9) for n in rng.permutation(27)]

    def groups(number: int) -> "dict[str, Dataset]":
        percent = 30.0 * which[number][1]
        name = "CardiacSynchronizationSequence"
        return {name: make_item(NominalPercentageOfCardiacPhase=percent)}

    frames = [(z, scenes[phase]) for z, phase in which]
    write(make_file(frames, Slab(), groups=groups), folder / "enhanced.dcm")
    return Truth((Volume(tuple(scenes), SAMPLES),))


def frames_in_moments(folder: Path, rng: np.random.Generator) -> Truth:
    """Frames of four moments, told by TemporalPositionIndex, lie in no order"""
    scenes = [SCENE.raised(80 * moment) for moment in range(4)]
    which = [(int(n) % 9, int(n) // 9) for n in rng.permutation(36)]

    def groups(number: int) -> "dict[str, Dataset]":
        content = make_item(TemporalPositionIndex=which[number][1] + 1)
        return {"FrameContentSequence": content}

    frames = [(z, scenes[moment]) for z, moment in which]
    write(make_file(frames, Slab(), MR, groups), folder / "enhanced.dcm")
    return Truth((Volume(tuple(scenes), SAMPLES),))


def frames_of_two_b_values(folder: Path, rng: np.random.Generator) -> Truth:
    """Frames of b 0 and b 1000 lie in one file, in no order"""
    scenes = (SCENE, SCENE.raised(-150))
    which = [(int(n) % 9, int(n) // 9) for n in rng.permutation(18)]

    def groups(number: int) -> "dict[str, Dataset]":
        return {"MRDiffusionSequence": make_item(DiffusionBValue=1000.0 * which[number][1])}

    frames = [(z, scenes[b]) for z, b in which]
    write(make_file(frames, Slab(), MR, groups), folder / "enhanced.dcm")
    return Truth((Volume(scenes, SAMPLES),), "pictures")


def frames_of_two_orientations(folder: Path, _: np.random.Generator) -> Truth:
    """Frames of an axial stack and a turned one lie in one file"""
    dataset = make_file([(z, SCENE) for z in range(9)], Slab())
    turn = [decimal(part) for part in (0, 1, 0, 0, 0, -1)]
    for item in dataset.PerFrameFunctionalGroupsSequence[5:]:
        item.PlaneOrientationSequence = [make_item(ImageOrientationPatient=turn)]
    _save(dataset, folder)
    return REFUSED


CASES: tuple[Case, ...] = collect(
    "enhanced files",
    *(enhanced_ct, enhanced_from_above, frames_shuffled, slopes_by_frame, frame_missing),
    *(frame_twice, frames_leaning, frames_in_phases, frames_in_moments, frames_of_two_b_values),
    frames_of_two_orientations,
)
