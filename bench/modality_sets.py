"""The pictures that `bench/modality.py` tells apart: of every set in the data folder, its shots."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image as Pillow

from medclf.core.record import Source
from medclf.prepare.orient import orient
from medclf.read.image import read_image

Pixels = NDArray[np.uint8]
SMALL = 28
SLICES = 12  # of a volume, along each axis
VOLUMES = {
    "CT_AVM": "ct",
    "CT_pitch": "ct",
    "MR_Gd": "mr",
    "chris_MRA": "mr",
    "chris_PD": "mr",
    "mni_icbm152_t1_tal_nlin_sym_09a_converted": "mr",
}


@dataclass(frozen=True)
class Shot:
    """A picture that may be taken: whose it is, whether it is for the test, how it is loaded."""

    kind: str
    name: str
    patient: str
    test: bool
    load: Callable[[], Pixels]


Shots = Iterator[Shot]


def kermany(data: Path) -> Shots:
    file = data / "kermany_chest_xray" / "images.zip"
    pattern = re.compile(r"(?:train|test)/[A-Z]+/(?:person\d+|NORMAL2-IM-\d+|IM-\d+)")
    for member in members(file):
        patient = pattern.match(member)
        whose = patient[0] if patient else member
        load = partial(from_zip, file, member)
        yield Shot("xray", member, whose, member.startswith("test"), load)


def medmnist(name: str, kind: str, data: Path) -> Shots:
    arrays = np.load(data / "medmnist" / f"{name}.npz")
    for split in ("train", "val", "test"):
        for i, values in enumerate(arrays[f"{split}_images"]):
            shown = values if values.ndim == 2 else values[len(values) // 2]
            load = partial(np.asarray, shown)
            yield Shot(kind, f"{split}{i}", f"{split}{i}", split == "test", load)


def covid(data: Path) -> Shots:
    table = pd.read_csv(data / "covid_chestxray" / "metadata.csv", dtype={"patientid": str})
    table = table[table.kept_file.notna()].drop_duplicates("kept_file")
    scanned = set(table[table.modality == "CT"].patientid)
    file = data / "covid_chestxray" / "images.zip"
    for row in table.itertuples():
        kind = "ct" if row.modality == "CT" else "xray"
        if kind == "ct" or row.patientid not in scanned:
            load = partial(from_zip, file, f"images/{row.kept_file}")
            yield Shot(kind, row.kept_file, row.patientid, False, load)


def ham(data: Path) -> Shots:
    file = data / "ham10000" / "images.zip"
    for row in pd.read_csv(data / "ham10000" / "HAM10000_metadata.csv").itertuples():
        load = partial(from_zip, file, f"images/{row.image_id}.jpg")
        yield Shot("skin", row.image_id, row.lesion_id, False, load)


def photographs(folder: str, name: str, data: Path) -> Shots:
    file = data / folder / name
    for member in members(file):
        load = partial(grey_half, file, member)
        yield Shot("none", member, member, member.startswith("test"), load)


def mnist(data: Path) -> Shots:
    with gzip.open(data / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        digits = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    for i, digit in enumerate(digits):
        yield Shot("none", str(i), str(i), False, partial(np.asarray, digit))


def volumes(data: Path) -> Shots:
    for name, kind in VOLUMES.items():
        yield from cut(data / "volumes" / f"{name}.nii.gz", kind)


def ixi(data: Path) -> Shots:
    for path in sorted((data / "ixi10" / "nifti").glob("*.nii.gz")):
        yield from cut(path, "mr")


SETS: dict[str, Callable[[Path], Shots]] = {
    "kermany": kermany,
    "pneumonia": partial(medmnist, "pneumoniamnist", "xray"),
    "covid": covid,
    "breast": partial(medmnist, "breastmnist", "ultrasound"),
    "ixi": ixi,
    "volumes": volumes,
    "ham": ham,
    "cifar": partial(photographs, "cifar10_jpeg", "images_subset.zip"),
    "imagenet": partial(photographs, "imagenet_samples_250", "images.zip"),
    "mnist": mnist,
    "adrenal": partial(medmnist, "adrenalmnist3d", "none"),
}


@lru_cache(maxsize=8)
def opened(file: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(file)


def members(file: Path) -> list[str]:
    return [name for name in opened(file).namelist() if not name.endswith("/")]


def from_zip(file: Path, member: str) -> Pixels:
    return np.asarray(Pillow.open(io.BytesIO(opened(file).read(member))))


def grey_half(file: Path, member: str) -> Pixels:
    values = from_zip(file, member)
    if zlib.crc32(member.encode()) % 2:
        return values
    return np.asarray(Pillow.fromarray(values).convert("L"))


def cut(path: Path, kind: str) -> Shots:
    """Cut a volume along its three planes, in the middle half."""
    for axis in range(3):
        for number in range(SLICES):
            load = partial(one_slice, path, axis, 0.25 + 0.5 * number / SLICES)
            name = path.name.removesuffix(".nii.gz")
            yield Shot(kind, f"{name} {axis} {number}", name, False, load)


@lru_cache(maxsize=1)
def volume(path: Path) -> tuple[Pixels, tuple[float, ...]]:
    """Read a volume as the patient stands, 0 to 255, the brightest thousandth alike."""
    image, _ = orient(read_image(Source(path)), str(path))
    values = (image.values[0] * (255 / np.percentile(image.values, 99.9))).clip(0, 255)
    return values.astype(np.uint8), image.grid.spacing_mm or (1.0, 1.0, 1.0)


def one_slice(path: Path, axis: int, place: float) -> Pixels:
    """Cut a slice with the head up, and its pixels made square."""
    values, spacing_mm = volume(path)
    plane = values.take(int(place * values.shape[axis]), axis)
    plane = plane if axis == 0 else plane[::-1]
    mm = np.delete(spacing_mm, axis)
    rows, columns = np.round(np.array(plane.shape) * mm / mm.min()).astype(int)
    picture = Pillow.fromarray(plane)
    return np.asarray(picture.resize((columns, rows), Pillow.Resampling.BILINEAR))


def write(shot: Shot, folder: Path, name: str, small: bool) -> Path:
    """Write a picture once; of large ones that are learnt from a third is shrunk."""
    plain = re.sub(r"\W+", "_", shot.name)
    shrunk = small and zlib.crc32(f"{name} {shot.name}".encode()) % 3 == 0
    path = folder / f"{name}-{plain}{'-small' if shrunk else ''}.png"
    if not path.exists():
        picture = Pillow.fromarray(shot.load())
        if shrunk:
            picture.thumbnail((SMALL, SMALL), Pillow.Resampling.LANCZOS)
        picture.save(path)
    return path
