"""Cases of transfer syntaxes: the same series in every form in which pixels may be stored.

Source: DICOM PS3.5, annex A.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.hard.case import Case, Truth, Volume, save
from medclf.curate.phantom.hard.order import SAMPLES, SCENE
from medclf.curate.phantom.hard.scene import Slab
from medclf.curate.phantom.hard.slices import make_stack, pixels

if TYPE_CHECKING:
    from pydicom import Dataset

Encode = Callable[[NDArray[Any]], bytes]

ROOT = "1.2.840.10008.1.2"
PLAIN = {
    "implicit": ROOT,
    "explicit": f"{ROOT}.1",
    "explicit, deflated": f"{ROOT}.1.99",
    "explicit, big endian": f"{ROOT}.2",
}
"""Syntaxes of plain pixels."""


def _jpeg(values: NDArray[Any]) -> bytes:
    from imagecodecs import jpeg8_encode

    return bytes(jpeg8_encode(values, level=100))


def _jpeg_12(values: NDArray[Any]) -> bytes:
    from imagecodecs import jpeg_encode

    return bytes(jpeg_encode(values, level=100, bitspersample=12))


def _lossless_jpeg(values: NDArray[Any]) -> bytes:
    from imagecodecs import ljpeg_encode

    return bytes(ljpeg_encode(values, bitspersample=16))


def _jpeg_ls(values: NDArray[Any]) -> bytes:
    from imagecodecs import jpegls_encode

    return bytes(jpegls_encode(values))


def _near_jpeg_ls(values: NDArray[Any]) -> bytes:
    from imagecodecs import jpegls_encode

    return bytes(jpegls_encode(values, level=2))


def _jpeg_2000(values: NDArray[Any]) -> bytes:
    from imagecodecs import jpeg2k_encode

    return bytes(jpeg2k_encode(values, reversible=True, codecformat="j2k", level=0))


def _lossy_jpeg_2000(values: NDArray[Any]) -> bytes:
    from imagecodecs import jpeg2k_encode

    return bytes(jpeg2k_encode(values, codecformat="j2k", level=90))


def _high_throughput(values: NDArray[Any]) -> bytes:
    from imagecodecs import htj2k_encode

    return bytes(htj2k_encode(values, reversible=True))


PACKED: dict[str, tuple[str, Encode, int, float]] = {
    "JPEG baseline, lossy": (f"{ROOT}.4.50", _jpeg, 8, 30.0),
    "JPEG extended, 12 bits, lossy": (f"{ROOT}.4.51", _jpeg_12, 12, 30.0),
    "JPEG lossless": (f"{ROOT}.4.57", _lossless_jpeg, 16, 1.0),
    "JPEG lossless, first order": (f"{ROOT}.4.70", _lossless_jpeg, 16, 1.0),
    "JPEG-LS lossless": (f"{ROOT}.4.80", _jpeg_ls, 16, 1.0),
    "JPEG-LS near lossless": (f"{ROOT}.4.81", _near_jpeg_ls, 16, 3.0),
    "JPEG 2000 lossless": (f"{ROOT}.4.90", _jpeg_2000, 16, 1.0),
    "JPEG 2000, lossy": (f"{ROOT}.4.91", _lossy_jpeg_2000, 16, 10.0),
    "High-throughput JPEG 2000, lossless": (f"{ROOT}.4.201", _high_throughput, 16, 1.0),
}
"""Syntax, encoder, bits of a sample, and how far a value may be off."""

RUN_LENGTHS = f"{ROOT}.5"


def _plain(uid: str) -> Callable[[Path, np.random.Generator], Truth]:
    def write(folder: Path, rng: np.random.Generator) -> Truth:
        slices = make_stack(SCENE, Slab())
        for dataset in slices:
            _state(dataset, uid)
            if uid == PLAIN["explicit, big endian"]:
                dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
        save(slices, folder, rng)
        return Truth((Volume((SCENE,), SAMPLES),))

    return write


def _packed(
    uid: str, encode: Encode, bits: int, off: float
) -> Callable[[Path, np.random.Generator], Truth]:
    def write(folder: Path, rng: np.random.Generator) -> Truth:
        from pydicom.encaps import encapsulate

        slices = make_stack(SCENE, Slab())
        for dataset in slices:
            stored = dataset.pixel_array
            if bits == 8:
                dataset.RescaleSlope, dataset.RescaleIntercept = 10, 0
                stored = np.rint((stored - 1024.0) / 10).astype(np.uint8)
                pixels(dataset, stored)
            elif bits == 12:
                dataset.BitsStored, dataset.HighBit = 12, 11
            _state(dataset, uid)
            dataset.PixelData = encapsulate([encode(stored)])
            dataset["PixelData"].VR = "OB"
        save(slices, folder, rng)
        return Truth((Volume((SCENE,), SAMPLES, off),))

    return write


def run_lengths(folder: Path, rng: np.random.Generator) -> Truth:
    """Pixels are stored as run lengths"""
    slices = make_stack(SCENE, Slab())
    for dataset in slices:
        dataset.compress(RUN_LENGTHS, generate_instance_uid=False)
    save(slices, folder, rng)
    return Truth((Volume((SCENE,), SAMPLES),))


def _state(dataset: "Dataset", uid: str) -> None:
    from pydicom.uid import UID

    dataset.file_meta.TransferSyntaxUID = UID(uid)


GROUP = "transfer syntaxes"

CASES: tuple[Case, ...] = (
    *(Case(name, f"Plain pixels, {name}", _plain(uid), GROUP) for name, uid in PLAIN.items()),
    Case("run lengths", "Pixels are stored as run lengths", run_lengths, GROUP),
    *(Case(name, f"Pixels packed by {name}", _packed(*how), GROUP) for name, how in PACKED.items()),
)
