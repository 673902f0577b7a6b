"""Cases of timed and gated series: several moments of the same places."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medclf.curate.phantom.hard.case import REFUSED, Case, Truth, Volume, collect, save
from medclf.curate.phantom.hard.order import SCENE
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import make_stack

if TYPE_CHECKING:
    from pydicom import Dataset

PHASES = 4
SLAB = Slab(shape=(6, 12, 14))
SAMPLES = 6 * 12 * 14

Mark = Callable[["Dataset", int, int], None]
"""Marks a slice, by the number of its phase and of its place."""


def _scenes(phases: int) -> tuple[Field, ...]:
    return tuple(SCENE.raised(90 * number) for number in range(phases))


def _timed(mark: Mark, modality: str, phases: int = PHASES, slab: Slab = SLAB) -> "list[Dataset]":
    slices = []
    for phase, scene in enumerate(_scenes(phases)):
        stack = make_stack(scene, slab, modality, first=100 * phase)
        for number, dataset in enumerate(stack):
            mark(dataset, phase, number)
        slices += stack
    return slices


def _whole(phases: int = PHASES, samples: int = SAMPLES, told: str = "") -> Truth:
    return Truth((Volume(_scenes(phases), samples),), told)


def _clock(seconds: float) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{int(hours):02d}{int(minutes):02d}{rest:09.6f}"


def temporal_position(folder: Path, rng: np.random.Generator) -> Truth:
    """Moments are numbered by TemporalPositionIdentifier"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        dataset.TemporalPositionIdentifier = phase + 1

    save(_timed(mark, "MR"), folder, rng)
    return _whole()


def cardiac_percentage(folder: Path, rng: np.random.Generator) -> Truth:
    """Phases of the heart beat are told in percent"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        dataset.NominalPercentageOfCardiacPhase = 25.0 * phase

    save(_timed(mark, "CT"), folder, rng)
    return _whole()


def trigger_times(folder: Path, rng: np.random.Generator) -> Truth:
    """A gated cine: each slice has trigger times of its own"""

    def mark(dataset: "Dataset", phase: int, number: int) -> None:
        dataset.TriggerTime = phase * (30.0 + number)
        dataset.CardiacNumberOfImages = PHASES

    save(_timed(mark, "MR"), folder, rng)
    return _whole(told="gated")


def frame_reference_times(folder: Path, rng: np.random.Generator) -> Truth:
    """A dynamic PET, timed by FrameReferenceTime"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        dataset.FrameReferenceTime = 30000.0 * 2**phase

    save(_timed(mark, "PT"), folder, rng)
    return _whole()


def acquisition_times(folder: Path, rng: np.random.Generator) -> Truth:
    """A perfusion series that only AcquisitionTime orders, each slice at its own"""

    def mark(dataset: "Dataset", phase: int, number: int) -> None:
        dataset.AcquisitionTime = _clock(36000 + 3.0 * phase + 0.25 * number)
        del dataset.AcquisitionNumber

    save(_timed(mark, "MR"), folder, rng)
    return _whole()


def across_midnight(folder: Path, rng: np.random.Generator) -> Truth:
    """A perfusion series that runs across midnight"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        seconds = 86400 - 4.0 + 3.0 * phase
        dataset.AcquisitionDate = "20240301" if seconds >= 86400 else "20240229"
        dataset.AcquisitionTime = _clock(seconds % 86400)

    save(_timed(mark, "MR"), folder, rng)
    return _whole()


def many_acquisitions(folder: Path, rng: np.random.Generator) -> Truth:
    """A functional MR whose twelve volumes are numbered as acquisitions"""

    def mark(dataset: "Dataset", phase: int, number: int) -> None:
        dataset.AcquisitionNumber = phase + 1
        dataset.AcquisitionTime = _clock(36000 + 2.0 * phase + 0.3 * number)

    save(_timed(mark, "MR", 12), folder, rng)
    return _whole(12)


def one_slice_in_time(folder: Path, rng: np.random.Generator) -> Truth:
    """A cine of a single slice"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        dataset.TriggerTime = 40.0 * phase

    save(_timed(mark, "MR", slab=Slab(shape=(1, 12, 14))), folder, rng)
    return _whole(samples=12 * 14)


def a_moment_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """At one place one moment is missing"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        dataset.TemporalPositionIdentifier = phase + 1

    slices = _timed(mark, "MR")
    del slices[9]
    save(slices, folder, rng)
    return REFUSED


def other_moments_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """At each place another moment is missing, so that counts agree and moments do not"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        dataset.TemporalPositionIdentifier = phase + 1

    slices = _timed(mark, "MR")
    places = SLAB.shape[0]
    gone = {(place % PHASES) * places + place for place in range(places)}
    save([s for i, s in enumerate(slices) if i not in gone], folder, rng)
    return REFUSED


def a_place_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """One place is missing at all moments"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        dataset.TemporalPositionIdentifier = phase + 1

    slices = _timed(mark, "MR")
    save([s for i, s in enumerate(slices) if i % SLAB.shape[0] != 2], folder, rng)
    return REFUSED


def overlapping_trigger_times(folder: Path, rng: np.random.Generator) -> Truth:
    """Trigger times of phases overlap, and their number is not stated"""

    def mark(dataset: "Dataset", phase: int, number: int) -> None:
        dataset.TriggerTime = phase * (30.0 + 10 * number)

    save(_timed(mark, "MR"), folder, rng)
    return REFUSED


def echoes_in_time(folder: Path, rng: np.random.Generator) -> Truth:
    """Two echoes of a timed series share it"""

    def mark(dataset: "Dataset", phase: int, _: int) -> None:
        dataset.EchoTime = 5 + phase % 2
        dataset.TemporalPositionIdentifier = 1 + phase // 2

    save(_timed(mark, "MR"), folder, rng)
    scenes = _scenes(PHASES)
    return Truth((Volume(scenes[0::2], SAMPLES), Volume(scenes[1::2], SAMPLES)), "parted")


CASES: tuple[Case, ...] = collect(
    "moments and phases",
    *(temporal_position, cardiac_percentage, trigger_times, frame_reference_times),
    *(acquisition_times, across_midnight, many_acquisitions, one_slice_in_time),
    *(a_moment_missing, other_moments_missing, a_place_missing, overlapping_trigger_times),
    echoes_in_time,
)
