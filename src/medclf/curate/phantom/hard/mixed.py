"""Cases of several images in one tree or one series, and of files that are no images."""

from pathlib import Path

import numpy as np

from medclf.curate.phantom.hard.case import Case, Picture, Truth, Volume, collect, save, write
from medclf.curate.phantom.hard.order import SAMPLES, SCENE
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import (
    ROOT,
    SECONDARY_CAPTURE,
    blank,
    make_slices,
    make_stack,
    pixels,
)

OTHER = Field(1700)
UPRIGHT = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])


def _two(told: str = "parted") -> Truth:
    return Truth((Volume((SCENE,), SAMPLES), Volume((OTHER,), SAMPLES)), told)


def _pair(
    folder: Path, rng: np.random.Generator, modality: str, **elements: tuple[object, object]
) -> Truth:
    """Save two stacks of the same places in one series, which differ in some elements."""
    for number, scene in enumerate((SCENE, OTHER)):
        stack = make_stack(scene, Slab(), modality, first=20 * number)
        for dataset in stack:
            for keyword, values in elements.items():
                setattr(dataset, keyword, values[number])
        save(stack, folder, rng, prefix="ab"[number])
    return _two()


def localizer_among_the_slices(folder: Path, rng: np.random.Generator) -> Truth:
    """A coronal localizer lies in the series of an axial CT"""
    slab = Slab(shape=(1, 30, 24), axes=UPRIGHT)
    localizer = make_stack(SCENE, slab, first=90, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    save([*make_stack(SCENE, Slab()), *localizer], folder, rng)
    return Truth((Volume((SCENE,), SAMPLES), Volume((SCENE,), 30 * 24)), "parted")


def axial_localizer(folder: Path, rng: np.random.Generator) -> Truth:
    """A localizer lies at a slice's place, with its matrix, in the same series"""
    slab = Slab(shape=(1, 20, 24))
    localizer = make_stack(OTHER, slab, first=90, ImageType=["DERIVED", "SECONDARY", "LOCALIZER"])
    save([*make_stack(SCENE, Slab()), *localizer], folder, rng)
    return Truth((Volume((SCENE,), SAMPLES), Volume((OTHER,), 20 * 24)), "parted")


def two_series(folder: Path, rng: np.random.Generator) -> Truth:
    """Two series of the same places lie in one folder"""
    _pair(folder, rng, "CT", SeriesInstanceUID=(f"{ROOT}.21", f"{ROOT}.22"))
    return _two("")


def two_studies(folder: Path, rng: np.random.Generator) -> Truth:
    """Two studies that by mistake share a series UID lie in one folder"""
    _pair(folder, rng, "CT", StudyInstanceUID=(f"{ROOT}.11", f"{ROOT}.12"))
    return _two("")


def two_patients(folder: Path, rng: np.random.Generator) -> Truth:
    """Two patients share study and series UID, as badly pseudonymised exports do"""
    _pair(folder, rng, "CT", PatientID=("P1", "P2"))
    return _two("")


def two_frames_of_reference(folder: Path, rng: np.random.Generator) -> Truth:
    """The patient was moved: the halves of a series have frames of reference of their own"""
    slices = make_stack(SCENE, Slab(shape=(12, 20, 24)))
    for dataset in slices[6:]:
        dataset.FrameOfReferenceUID = f"{ROOT}.31"
    save(slices, folder, rng)
    half = Volume((SCENE,), 6 * 20 * 24)
    return Truth((half, half), "parted")


def two_orientations(folder: Path, rng: np.random.Generator) -> Truth:
    """Axial and coronal slices share a series"""
    axial, upright = make_stack(SCENE, Slab()), make_stack(OTHER, Slab(axes=UPRIGHT), first=30)
    save([*axial, *upright], folder, rng)
    return _two()


def two_matrices(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices of two sizes share a series"""
    small = make_stack(SCENE, Slab(shape=(5, 10, 12)), first=30)
    save([*make_stack(SCENE, Slab()), *small], folder, rng)
    return Truth((Volume((SCENE,), SAMPLES), Volume((SCENE,), 5 * 10 * 12)), "parted")


def two_pixel_spacings(folder: Path, rng: np.random.Generator) -> Truth:
    """Two reconstructions with other fields of view share a series"""
    other = make_stack(OTHER, Slab(spacing_mm=(2.5, 0.4, 0.35)), first=30)
    save([*make_stack(SCENE, Slab()), *other], folder, rng)
    return _two()


def two_acquisitions(folder: Path, rng: np.random.Generator) -> Truth:
    """A series holds two acquisitions of the same places, before and after contrast"""
    return _pair(folder, rng, "CT", AcquisitionNumber=(1, 2))


def two_acquisitions_between_each_other(folder: Path, rng: np.random.Generator) -> Truth:
    """The second acquisition lies half a step above the first, so that all together are even"""
    slab = Slab()
    above = [slab.corner(z + 0.5) for z in range(9)]
    second = make_slices(OTHER, slab, above, "CT", 30, AcquisitionNumber=2)
    save([*make_stack(SCENE, slab), *second], folder, rng)
    return _two()


def two_acquisitions_apart(folder: Path, rng: np.random.Generator) -> Truth:
    """The second acquisition begins 33 mm above the first"""
    higher = Slab(origin_mm=(43.0, -8.0, -9.0))
    second = make_stack(SCENE, higher, first=30, AcquisitionNumber=2)
    save([*make_stack(SCENE, Slab()), *second], folder, rng)
    return Truth((Volume((SCENE,), SAMPLES), Volume((SCENE,), SAMPLES)), "parted")


def acquisitions_of_one_stack(folder: Path, rng: np.random.Generator) -> Truth:
    """Each slice of an axial CT counts as an acquisition: still one stack"""
    slices = make_stack(SCENE, Slab())
    for number, dataset in enumerate(slices):
        dataset.AcquisitionNumber = number + 1
    save(slices, folder, rng)
    return Truth((Volume((SCENE,), SAMPLES),))


def two_echoes(folder: Path, rng: np.random.Generator) -> Truth:
    """Two echoes share a series"""
    return _pair(folder, rng, "MR", EchoTime=(4.6, 9.2), EchoNumbers=(1, 2))


def two_b_values(folder: Path, rng: np.random.Generator) -> Truth:
    """Diffusion of b 0 and b 1000 share a series"""
    return _pair(folder, rng, "MR", DiffusionBValue=(0.0, 1000.0))


def magnitude_and_phase(folder: Path, rng: np.random.Generator) -> Truth:
    """Magnitude and phase images share a series"""
    kinds = (["ORIGINAL", "PRIMARY", "M", "ND"], ["ORIGINAL", "PRIMARY", "P", "ND"])
    return _pair(folder, rng, "MR", ImageType=kinds)


def two_kernels(folder: Path, rng: np.random.Generator) -> Truth:
    """Soft and sharp reconstructions share a series"""
    return _pair(folder, rng, "CT", ConvolutionKernel=("B30f", "B70f"))


def two_kernels_between_each_other(folder: Path, rng: np.random.Generator) -> Truth:
    """Sharp reconstructions lie half a step above the soft ones, so that all together are even"""
    slab = Slab()
    above = [slab.corner(z + 0.5) for z in range(9)]
    sharp = make_slices(OTHER, slab, above, "CT", 30, ConvolutionKernel="B70f")
    save([*make_stack(SCENE, slab, ConvolutionKernel="B30f"), *sharp], folder, rng)
    return _two()


def two_energies(folder: Path, rng: np.random.Generator) -> Truth:
    """Images at 80 and 140 kV share a series"""
    return _pair(folder, rng, "CT", KVP=(80, 140))


def echoes_of_two_acquisitions(folder: Path, rng: np.random.Generator) -> Truth:
    """Two echoes of two acquisitions share a series: four images at each place"""
    scenes = [Field(1000 + 300 * number) for number in range(4)]
    for number, scene in enumerate(scenes):
        stack = make_stack(scene, Slab(), "MR", first=20 * number)
        for dataset in stack:
            dataset.EchoTime, dataset.AcquisitionNumber = 5 + number % 2, 1 + number // 2
        save(stack, folder, rng, prefix="abcd"[number])
    return Truth(tuple(Volume((scene,), SAMPLES) for scene in scenes), "parted")


def dose_report_among_the_slices(folder: Path, rng: np.random.Generator) -> Truth:
    """A screen with the dose lies in the series as a secondary capture"""
    screen = blank(SECONDARY_CAPTURE, 70)
    screen.Modality = "CT"
    pixels(screen, np.full((40, 50), 7, np.uint8))
    save(make_stack(SCENE, Slab()), folder, rng)
    write(screen, folder / "report.dcm")
    return Truth((Volume((SCENE,), SAMPLES), Picture(np.full((1, 40, 50), 7.0))), "parted")


def junk_among_the_slices(folder: Path, rng: np.random.Generator) -> Truth:
    """Reports, presentation states, plans, hidden files and notes lie in the folder"""
    save(make_stack(SCENE, Slab()), folder, rng)
    kinds = ("88.33", "11.1", "481.5", "88.59", "104.1", "9.1.1", "66.4")
    for number, kind in enumerate(kinds):
        junk = blank(f"1.2.840.10008.5.1.4.1.1.{kind}", 80 + number)
        junk.Modality = "OT"
        write(junk, folder / f"junk{number}.dcm")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (folder / "readme.txt").write_text("not a picture")
    return Truth((Volume((SCENE,), SAMPLES),), "left out")


CASES: tuple[Case, ...] = collect(
    "several images in one",
    *(localizer_among_the_slices, axial_localizer, two_series, two_studies, two_patients),
    *(two_frames_of_reference, two_orientations, two_matrices, two_pixel_spacings),
    *(two_acquisitions, two_acquisitions_between_each_other, two_acquisitions_apart),
    *(acquisitions_of_one_stack, two_echoes, two_b_values, magnitude_and_phase, two_kernels),
    *(two_kernels_between_each_other, two_energies, echoes_of_two_acquisitions),
    *(dose_report_among_the_slices, junk_among_the_slices),
)
