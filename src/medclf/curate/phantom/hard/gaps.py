"""Cases of slices that are missing, doubled, cut short or uneven."""

from copy import deepcopy
from pathlib import Path

import numpy as np

from medclf.curate.phantom.hard.case import REFUSED, Case, Truth, Volume, collect, save, write
from medclf.curate.phantom.hard.order import SAMPLES, SCENE
from medclf.curate.phantom.hard.scene import Slab
from medclf.curate.phantom.hard.slices import ROOT, make_slices, make_stack, store

WHOLE = Volume((SCENE,), SAMPLES)


def missing_slice(folder: Path, rng: np.random.Generator) -> Truth:
    """One slice of nine is missing"""
    slices = make_stack(SCENE, Slab())
    save(slices[:4] + slices[5:], folder, rng)
    return REFUSED


def missing_slices(folder: Path, rng: np.random.Generator) -> Truth:
    """Three slices are missing in two places"""
    slices = make_stack(SCENE, Slab(shape=(14, 20, 24)))
    save([s for z, s in enumerate(slices) if z not in (3, 4, 9)], folder, rng)
    return REFUSED


def missing_slice_of_unknown_thickness(folder: Path, rng: np.random.Generator) -> Truth:
    """A slice is missing and no thickness is stated"""
    slices = make_stack(SCENE, Slab())
    for dataset in slices:
        del dataset.SliceThickness
    save(slices[:7] + slices[8:], folder, rng)
    return REFUSED


def missing_slice_of_a_tilted_stack(folder: Path, rng: np.random.Generator) -> Truth:
    """A slice of a tilted and turned stack is missing"""
    slab = Slab(axes=np.array([[0.9, 0.3, 0.316228], [0, 1, 0], [0, 0, 1]]))
    slices = make_stack(SCENE, slab)
    save(slices[:2] + slices[3:], folder, rng)
    return REFUSED


def cut_slice(folder: Path, rng: np.random.Generator) -> Truth:
    """One file was cut short within its pixels"""
    paths = save(make_stack(SCENE, Slab()), folder, rng)
    paths[4].write_bytes(paths[4].read_bytes()[:-200])
    return REFUSED


def empty_file(folder: Path, rng: np.random.Generator) -> Truth:
    """One file is empty"""
    paths = save(make_stack(SCENE, Slab()), folder, rng)
    paths[5].write_bytes(b"")
    return REFUSED


def copy_of_a_file(folder: Path, rng: np.random.Generator) -> Truth:
    """One slice is there twice, as a copy of its file"""
    paths = save(make_stack(SCENE, Slab()), folder, rng)
    (folder / "copy of a slice.dcm").write_bytes(paths[3].read_bytes())
    return Truth((WHOLE,), "duplicate")


def copy_of_the_series(folder: Path, rng: np.random.Generator) -> Truth:
    """The whole series was exported twice, to two folders"""
    slices = make_stack(SCENE, Slab())
    save(slices, folder / "first", rng)
    save(slices, folder / "second", rng)
    return Truth((WHOLE,), "duplicate")


def slice_sent_twice(folder: Path, rng: np.random.Generator) -> Truth:
    """One slice is there twice, the second time under a UID of its own"""
    slices = make_stack(SCENE, Slab())
    again = deepcopy(slices[6])
    again.SOPInstanceUID += ".1"
    save([*slices, again], folder, rng)
    return Truth((WHOLE,), "duplicate")


def two_images_at_one_place(folder: Path, rng: np.random.Generator) -> Truth:
    """At one place lie two images that differ, and nothing tells them apart"""
    slices = make_stack(SCENE, Slab())
    other = make_stack(SCENE.raised(300), Slab(), first=50)[4]
    save([*slices, other], folder, rng)
    return REFUSED


def one_uid_for_two_images(folder: Path, rng: np.random.Generator) -> Truth:
    """Two images that differ bear one SOPInstanceUID"""
    slices = make_stack(SCENE, Slab())
    other = make_stack(SCENE.raised(300), Slab(), first=50)[4]
    other.SOPInstanceUID = slices[4].SOPInstanceUID
    save([*slices, other], folder, rng)
    return REFUSED


def uneven_but_touching(folder: Path, rng: np.random.Generator) -> Truth:
    """Thin slices below and thick ones above, which touch, as in CT of the head"""
    slab = Slab()
    numbers = [0, 1, 2, 3, 4.5, 6.5, 8.5, 10.5]
    slices = make_slices(SCENE, slab, [slab.corner(z) for z in numbers])
    for dataset in slices[4:]:
        dataset.SliceThickness = 5
    save(slices, folder, rng)
    return Truth((Volume((SCENE,), None, 1.5),), "uneven")


def uneven_and_apart(folder: Path, rng: np.random.Generator) -> Truth:
    """Steps differ, and the slices do not touch"""
    slab = Slab()
    numbers = [0, 1, 2, 3, 4, 6.2, 7.9, 9.4, 12]
    save(make_slices(SCENE, slab, [slab.corner(z) for z in numbers]), folder, rng)
    return REFUSED


def beside_its_place(folder: Path, rng: np.random.Generator) -> Truth:
    """One slice lies half a step above its place"""
    slab = Slab()
    numbers = [0, 1, 2, 3, 4.5, 5, 6, 7, 8]
    slices = make_slices(SCENE, slab, [slab.corner(z) for z in numbers])
    save(slices, folder, rng)
    return REFUSED


def one_place_twice_other_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """A slice bears the place of its neighbour: one place is doubled, one missing"""
    slices = make_stack(SCENE, Slab())
    slices[5].ImagePositionPatient = slices[4].ImagePositionPatient
    save(slices, folder, rng)
    return REFUSED


def copy_with_other_pixels(folder: Path, rng: np.random.Generator) -> Truth:
    """One slice was sent again with a pixel changed"""
    slices = make_stack(SCENE, Slab())
    again = deepcopy(slices[2])
    again.SOPInstanceUID = f"{ROOT}.9.99"
    values = again.pixel_array.astype(float)
    values[3, 3] += 400
    again.RescaleIntercept = 0
    store(again, values)
    again.RescaleIntercept = -1024
    write(again, folder / "again.dcm")
    save(slices, folder, rng)
    return REFUSED


CASES: tuple[Case, ...] = collect(
    "missing and doubled slices",
    *(missing_slice, missing_slices, missing_slice_of_unknown_thickness),
    *(missing_slice_of_a_tilted_stack, cut_slice, empty_file, copy_of_a_file, copy_of_the_series),
    *(slice_sent_twice, two_images_at_one_place, one_uid_for_two_images, uneven_but_touching),
    *(uneven_and_apart, beside_its_place, one_place_twice_other_missing, copy_with_other_pixels),
)
