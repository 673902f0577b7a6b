"""Cases of where files lie: zips, discs with a DICOMDIR, links; and of headers that lie."""

from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import numpy as np

from medclf.curate.phantom.hard.case import (
    REFUSED,
    Case,
    Picture,
    Truth,
    Volume,
    collect,
    save,
)
from medclf.curate.phantom.hard.order import SAMPLES, SCENE
from medclf.curate.phantom.hard.scene import Slab
from medclf.curate.phantom.hard.slices import make_stack
from medclf.read.quiet import PYDICOM

if TYPE_CHECKING:
    from pydicom import Dataset

DIRECTORY = "1.2.840.10008.1.3.10"
WHOLE = Volume((SCENE,), SAMPLES)


def _zip(folder: Path, rng: np.random.Generator, inside: str) -> None:
    """Write a zip of a series, its first file under a name of its own."""
    paths = save(make_stack(SCENE, Slab()), folder / "loose", rng)
    with ZipFile(folder / "export.zip", "w") as archive:
        for number, path in enumerate(paths):
            archive.write(path, inside if number == 0 else f"CT/{path.name}")


def zipped(folder: Path, rng: np.random.Generator) -> Truth:
    """The series lies in a zip, and is read there"""
    _zip(folder, rng, "CT/first.dcm")
    return Truth((WHOLE,), root="export.zip")


def zip_that_leaves_its_folder(folder: Path, rng: np.random.Generator) -> Truth:
    """A member of a zip bears a name that leaves the folder"""
    _zip(folder, rng, "../../first.dcm")
    return Truth(root="export.zip")


def _index(folder: Path, names: "list[list[str]]") -> None:
    """Write a DICOMDIR that names files."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    index = Dataset()
    index.file_meta = FileMetaDataset()
    index.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    index.file_meta.MediaStorageSOPClassUID = UID(DIRECTORY)
    index.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    index.FileSetID = "DISC"
    records = []
    with PYDICOM:
        for name in names:
            record = Dataset()
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", name
            records.append(record)
        index.DirectoryRecordSequence = records
        index.save_as(folder / "DICOMDIR", enforce_file_format=True)


def disc(folder: Path, rng: np.random.Generator) -> Truth:
    """A disc with a DICOMDIR, whose folders were copied in small letters"""
    paths = save(make_stack(SCENE, Slab()), folder / "images" / "ct1", rng, suffix="")
    _index(folder, [["IMAGES", "CT1", path.name] for path in paths])
    return Truth((WHOLE,), root="DICOMDIR")


def disc_that_leaves_its_folder(folder: Path, rng: np.random.Generator) -> Truth:
    """A DICOMDIR names a file outside of its folder"""
    paths = save(make_stack(SCENE, Slab()), folder / "images", rng, suffix="")
    disc = folder / "disc"
    disc.mkdir()
    _index(disc, [["..", "images", path.name] for path in paths])
    return Truth(root="disc/DICOMDIR")


def disc_with_a_file_missing(folder: Path, rng: np.random.Generator) -> Truth:
    """A DICOMDIR names a slice that is not there"""
    paths = save(make_stack(SCENE, Slab()), folder / "CT", rng, suffix="")
    _index(folder, [["CT", path.name] for path in paths])
    paths[4].unlink()
    return Truth(root="DICOMDIR")


def link_out_of_the_folder(folder: Path, rng: np.random.Generator) -> Truth:
    """A link among the slices leads to a slice outside of the folder"""
    inside = folder / "inside"
    save(make_stack(SCENE, Slab()), inside, rng)
    (other,) = save(make_stack(SCENE, Slab(shape=(1, 20, 24)), first=50), folder / "other", rng)
    (inside / "link.dcm").symlink_to(other)
    return Truth((WHOLE,), "left out", "inside")


def _spoilt(folder: Path, rng: np.random.Generator, **elements: object) -> None:
    slices = make_stack(SCENE, Slab())
    for keyword, value in elements.items():
        setattr(slices[5], keyword, value)
    save(slices, folder, rng)


def place_is_no_number(folder: Path, rng: np.random.Generator) -> Truth:
    """A slice states a place that is not a number"""
    slices = make_stack(SCENE, Slab())
    with PYDICOM:
        slices[5].add_new("ImagePositionPatient", "DS", ["-9", "-8", "nan"])
        save(slices, folder, rng)
    return REFUSED


def last_place_is_no_number(folder: Path, rng: np.random.Generator) -> Truth:
    """The last slice states no place that can be used: the others are even without it"""
    slices = make_stack(SCENE, Slab())
    slices[8].ImagePositionPatient = [1, 2]
    save(slices, folder, rng)
    return Truth((Volume((SCENE,), 8 * 20 * 24),), "damaged")


def crooked_axes(folder: Path, rng: np.random.Generator) -> Truth:
    """Rows and columns of a slice are not at right angles"""
    _spoilt(folder, rng, ImageOrientationPatient=[1, 0, 0, 0.7071, 0.7071, 0])
    return REFUSED


def place_of_two_numbers(folder: Path, rng: np.random.Generator) -> Truth:
    """A slice states a place of two numbers"""
    _spoilt(folder, rng, ImagePositionPatient=[1, 2])
    return REFUSED


def without_places(folder: Path, rng: np.random.Generator) -> Truth:
    """No slice states a place: there is no order, and each is a picture of its own"""
    slices = make_stack(SCENE, Slab(shape=(3, 20, 24)))
    for dataset in slices:
        del dataset.ImagePositionPatient
    save(slices, folder, rng)
    return Truth(tuple(_picture(dataset) for dataset in slices), "parted")


def one_slice_without_a_place(folder: Path, rng: np.random.Generator) -> Truth:
    """One slice states no place"""
    slices = make_stack(SCENE, Slab())
    del slices[8].ImagePositionPatient
    save(slices, folder, rng)
    return Truth((Volume((SCENE,), 8 * 20 * 24), _picture(slices[8])), "parted")


def _picture(dataset: "Dataset") -> Picture:
    return Picture((dataset.pixel_array - 1024.0)[None])


CASES: tuple[Case, ...] = collect(
    "containers and headers",
    *(zipped, zip_that_leaves_its_folder, disc, disc_that_leaves_its_folder),
    *(disc_with_a_file_missing, link_out_of_the_folder, place_is_no_number, crooked_axes),
    last_place_is_no_number,
    *(place_of_two_numbers, without_places, one_slice_without_a_place),
)
