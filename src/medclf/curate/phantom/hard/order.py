"""Cases of order and geometry: one series, whole and right, that only its places put in order."""

from pathlib import Path

import numpy as np

from medclf.curate.phantom.hard.case import Case, Truth, Volume, collect, save
from medclf.curate.phantom.hard.scene import Field, Slab, leaning, turned
from medclf.curate.phantom.hard.slices import make_slices, make_stack

SCENE = Field()
SAMPLES = 9 * 20 * 24


def _whole(slab: Slab, told: str = "", tolerance: float = 1.0) -> Truth:
    z, y, x = slab.shape
    return Truth((Volume((SCENE,), z * y * x, tolerance),), told)


def _plain(
    folder: Path, rng: np.random.Generator, slab: Slab, modality: str = "CT", **elements: float
) -> Truth:
    save(make_stack(SCENE, slab, modality, 0, **elements), folder, rng)
    return _whole(slab)


def shuffled_names(folder: Path, rng: np.random.Generator) -> Truth:
    """File names follow no order"""
    return _plain(folder, rng, Slab())


def instance_numbers_reversed(folder: Path, rng: np.random.Generator) -> Truth:
    """InstanceNumber counts from the head down"""
    slices = make_stack(SCENE, Slab())
    for number, dataset in enumerate(slices):
        dataset.InstanceNumber = len(slices) - number
    save(slices, folder, rng)
    return _whole(Slab())


def instance_numbers_shuffled(folder: Path, rng: np.random.Generator) -> Truth:
    """InstanceNumber follows no order"""
    slices = make_stack(SCENE, Slab())
    for number, dataset in zip(rng.permutation(len(slices)), slices, strict=True):
        dataset.InstanceNumber = int(number) + 1
    save(slices, folder, rng)
    return _whole(Slab())


def instance_numbers_all_one(folder: Path, rng: np.random.Generator) -> Truth:
    """InstanceNumber is 1 everywhere"""
    return _plain(folder, rng, Slab(), InstanceNumber=1)


def instance_numbers_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """InstanceNumber is absent"""
    slices = make_stack(SCENE, Slab())
    for dataset in slices:
        del dataset.InstanceNumber
    save(slices, folder, rng)
    return _whole(Slab())


def names_without_suffix(folder: Path, rng: np.random.Generator) -> Truth:
    """Files have no suffix, as scanners export them"""
    save(make_stack(SCENE, Slab()), folder, rng, suffix="")
    return _whole(Slab())


def names_in_other_alphabets(folder: Path, rng: np.random.Generator) -> Truth:
    """Files and folders bear Greek, Cyrillic and Chinese names"""
    save(make_stack(SCENE, Slab()), folder / "Ασθενής Иванов 患者", rng, prefix="切片 ")
    return _whole(Slab())


def scattered_over_folders(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices of one series lie in several folders"""
    slices = make_stack(SCENE, Slab())
    for number in range(3):
        save(slices[number::3], folder / f"part{number}" / "IMAGES", rng)
    return _whole(Slab())


def slice_locations_wrong(folder: Path, rng: np.random.Generator) -> Truth:
    """SliceLocation contradicts the position of each slice"""
    slices = make_stack(SCENE, Slab())
    for number, dataset in zip(rng.permutation(len(slices)), slices, strict=True):
        dataset.SliceLocation = float(number)
    save(slices, folder, rng)
    return _whole(Slab())


def oblique(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices are turned about all three axes"""
    return _plain(folder, rng, Slab(axes=turned(20, -15, 30)))


def coronal(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices are coronal"""
    return _plain(folder, rng, Slab(axes=np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])))


def sagittal(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices are sagittal"""
    return _plain(folder, rng, Slab(axes=np.array([[0.0, 0, 1], [-1, 0, 0], [0, 1, 0]])))


def prone(folder: Path, rng: np.random.Generator) -> Truth:
    """The patient lies prone: x and y run against the LPS frame"""
    return _plain(folder, rng, Slab(axes=np.diag([1.0, -1, -1])))


def feet_first(folder: Path, rng: np.random.Generator) -> Truth:
    """The normal points to the feet: x runs against the LPS frame"""
    return _plain(folder, rng, Slab(axes=np.diag([-1.0, 1, -1])))


def against_the_normal(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices were made from the head down, against their normal"""
    return _plain(folder, rng, Slab(axes=np.diag([-1.0, 1, 1])))


def rounded_positions(folder: Path, rng: np.random.Generator) -> Truth:
    """Positions are written with one decimal where the step is 0.625 mm"""
    slices = make_stack(SCENE, Slab(spacing_mm=(0.625, 0.8, 0.7)))
    for dataset in slices:
        z = float(dataset.ImagePositionPatient[2])
        dataset.ImagePositionPatient[2] = f"{z:.1f}"
    save(slices, folder, rng)
    return Truth((Volume((SCENE,), SAMPLES, tolerance=0.06 * SCENE.slopes[0] + 1),), "rounded")


def unequal_pixel_sides(folder: Path, rng: np.random.Generator) -> Truth:
    """Pixels are 3 times as high as wide"""
    return _plain(folder, rng, Slab(spacing_mm=(2.5, 1.5, 0.5)))


def one_slice(folder: Path, rng: np.random.Generator) -> Truth:
    """The series is a single slice"""
    return _plain(folder, rng, Slab(shape=(1, 20, 24)))


def two_slices(folder: Path, rng: np.random.Generator) -> Truth:
    """The series has two slices"""
    return _plain(folder, rng, Slab(shape=(2, 20, 24)))


def overlapping_slices(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices of 5 mm lie 2.5 mm apart: thickness is not spacing"""
    return _plain(folder, rng, Slab(), SliceThickness=5)


def slices_with_even_gaps(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices of 2 mm lie 2.5 mm apart, evenly"""
    return _plain(folder, rng, Slab(), SliceThickness=2)


def stated_spacing_wrong(folder: Path, rng: np.random.Generator) -> Truth:
    """SpacingBetweenSlices states a gap of 0.5 mm, not the step of 2.5"""
    return _plain(folder, rng, Slab(), modality="MR", SpacingBetweenSlices=0.5)


def every_second_slice(folder: Path, rng: np.random.Generator) -> Truth:
    """Every second slice is missing, so that steps are even, but thrice the thickness"""
    save(make_stack(SCENE, Slab(), SliceThickness=1)[::2], folder, rng)
    return Truth((Volume((SCENE,), 5 * 20 * 24),), "apart")


def fewer_than_stated(folder: Path, rng: np.random.Generator) -> Truth:
    """The last slices are missing, which only the stated count tells"""
    slices = make_stack(SCENE, Slab(), modality="PT", NumberOfSlices=9)
    save(slices[:6], folder, rng)
    return Truth((Volume((SCENE,), 6 * 20 * 24),), "cut")


def _leaning(folder: Path, rng: np.random.Generator, slab: Slab, told: str) -> Truth:
    save(make_stack(SCENE, slab), folder, rng)
    return Truth((Volume((SCENE,), None, 1.5, filled=True),), told)


def gantry_tilt(folder: Path, rng: np.random.Generator) -> Truth:
    """The gantry is tilted by 15 degrees: slices lean over each other"""
    return _leaning(folder, rng, Slab(axes=leaning(15)), "tilt")


def gantry_tilt_back(folder: Path, rng: np.random.Generator) -> Truth:
    """The gantry is tilted by -22 degrees"""
    return _leaning(folder, rng, Slab(axes=leaning(-22)), "tilt")


def slight_tilt(folder: Path, rng: np.random.Generator) -> Truth:
    """The gantry is tilted by 2 degrees, less than a pixel over the whole stack"""
    return _leaning(folder, rng, Slab(axes=leaning(2)), "tilt")


def sideways_lean(folder: Path, rng: np.random.Generator) -> Truth:
    """Slices lean sideways by 10 degrees"""
    return _leaning(folder, rng, Slab(axes=leaning(10, axis=2)), "tilt")


def slices_beside_each_other(folder: Path, rng: np.random.Generator) -> Truth:
    """The upper slices were made 5 mm further left"""
    slab = Slab()
    corners = [slab.corner(z) + (np.array([0, 0, 5.0]) if z > 4 else 0) for z in range(9)]
    save(make_slices(SCENE, slab, corners), folder, rng)
    return Truth((Volume((SCENE,), None, 1.5, filled=True),), "beside")


CASES: tuple[Case, ...] = collect(
    "order and geometry",
    *(shuffled_names, instance_numbers_reversed, instance_numbers_shuffled),
    *(instance_numbers_all_one, instance_numbers_missing, names_without_suffix),
    *(names_in_other_alphabets, scattered_over_folders, slice_locations_wrong, oblique, coronal),
    *(sagittal, prone, feet_first, against_the_normal, rounded_positions, unequal_pixel_sides),
    *(one_slice, two_slices, overlapping_slices, slices_with_even_gaps, stated_spacing_wrong),
    *(every_second_slice, fewer_than_stated, gantry_tilt, gantry_tilt_back, slight_tilt),
    *(sideways_lean, slices_beside_each_other),
)
