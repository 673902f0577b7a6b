"""Cases of what the stored numbers mean: slopes, padding, packing, which end is bright."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medclf.curate.phantom.hard.case import REFUSED, Case, Picture, Truth, Volume, collect, save
from medclf.curate.phantom.hard.order import SAMPLES, SCENE
from medclf.curate.phantom.hard.scene import Slab
from medclf.curate.phantom.hard.slices import SECONDARY_CAPTURE, blank, make_stack, pixels, store

if TYPE_CHECKING:
    from pydicom import Dataset

SHAPE = (20, 24)

Spoil = Callable[["Dataset", int], None]


def _volume(
    folder: Path, rng: np.random.Generator, spoil: Spoil, modality: str = "CT", off: float = 1.0
) -> Truth:
    """Save a stack whose slices were changed so that their values stay the same."""
    slices = make_stack(SCENE, Slab(), modality)
    for number, dataset in enumerate(slices):
        spoil(dataset, number)
    save(slices, folder, rng)
    return Truth((Volume((SCENE,), SAMPLES, off),))


def _truth(number: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return SCENE.at(Slab().places(Slab().corner(number)))


def slopes_by_slice(folder: Path, rng: np.random.Generator) -> Truth:
    """Each slice of a PET has its own slope"""

    def spoil(dataset: "Dataset", number: int) -> None:
        dataset.RescaleSlope, dataset.RescaleIntercept = f"{0.05 * (number + 1):.4f}", 0
        store(dataset, _truth(number))

    return _volume(folder, rng, spoil, "PT")


def intercepts_by_slice(folder: Path, rng: np.random.Generator) -> Truth:
    """Each slice of a CT has its own intercept"""

    def spoil(dataset: "Dataset", number: int) -> None:
        dataset.RescaleIntercept = -1000 - 100 * number
        store(dataset, _truth(number))

    return _volume(folder, rng, spoil)


def signed_pixels(folder: Path, rng: np.random.Generator) -> Truth:
    """Pixels are signed and need no intercept"""

    def spoil(dataset: "Dataset", number: int) -> None:
        dataset.RescaleIntercept = 0
        store(dataset, _truth(number), "<i2")

    return _volume(folder, rng, spoil)


def slices_signed_and_not(folder: Path, rng: np.random.Generator) -> Truth:
    """Some slices are signed, others not"""

    def spoil(dataset: "Dataset", number: int) -> None:
        store(dataset, _truth(number), "<i2" if number % 2 else "<u2")

    return _volume(folder, rng, spoil)


def slope_of_zero(folder: Path, rng: np.random.Generator) -> Truth:
    """One slice has a slope of 0"""
    slices = make_stack(SCENE, Slab())
    slices[3].RescaleSlope = 0
    save(slices, folder, rng)
    return REFUSED


def two_units(folder: Path, rng: np.random.Generator) -> Truth:
    """One slice has another unit than the others"""
    slices = make_stack(SCENE, Slab())
    slices[3].RescaleType = "OD"
    save(slices, folder, rng)
    return REFUSED


def window_is_no_transform(folder: Path, rng: np.random.Generator) -> Truth:
    """A narrow window is stated, which is for showing alone"""

    def spoil(dataset: "Dataset", _: int) -> None:
        dataset.WindowCenter, dataset.WindowWidth = 40, 80

    return _volume(folder, rng, spoil)


def twelve_bits_at_the_left(folder: Path, rng: np.random.Generator) -> Truth:
    """12 bits lie in the upper bits of 16: HighBit is 15"""

    def spoil(dataset: "Dataset", number: int) -> None:
        pixels(dataset, (np.rint(_truth(number) + 1024).astype(np.uint16)) << 4)
        dataset.BitsStored, dataset.HighBit = 12, 15

    return _volume(folder, rng, spoil)


def overlay_in_upper_bits(folder: Path, rng: np.random.Generator) -> Truth:
    """12 bits of pixels, and an overlay in bit 14"""

    def spoil(dataset: "Dataset", number: int) -> None:
        stored = np.rint(_truth(number) + 1024).astype(np.uint16)
        overlay = np.zeros(SHAPE, np.uint16)
        overlay[4:9, 3:20] = 1 << 14
        pixels(dataset, stored | overlay)
        dataset.BitsStored, dataset.HighBit = 12, 11

    return _volume(folder, rng, spoil)


def inverted(folder: Path, rng: np.random.Generator) -> Truth:
    """MONOCHROME1: small numbers are bright"""

    def spoil(dataset: "Dataset", number: int) -> None:
        stored = np.rint(_truth(number) + 1024).astype(np.uint16)
        pixels(dataset, 4095 - stored)
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PhotometricInterpretation = "MONOCHROME1"

    return _volume(folder, rng, spoil)


def padding(folder: Path, rng: np.random.Generator) -> Truth:
    """What lies outside of the scanned circle is marked as padding"""
    y, x = np.indices(SHAPE)
    outside = (y - 9.5) ** 2 + (x - 11.5) ** 2 > 100
    slices = make_stack(SCENE, Slab())
    for number, dataset in enumerate(slices):
        stored = np.rint(_truth(number) + 1024).astype(np.int16)
        pixels(dataset, np.where(outside, np.int16(-2000), stored))
        dataset.PixelPaddingValue = -2000
        dataset["PixelPaddingValue"].VR = "SS"
    save(slices, folder, rng)
    return Truth((Volume((SCENE,), SAMPLES, padded=True),))


def table_of_the_modality(folder: Path, rng: np.random.Generator) -> Truth:
    """Numbers become values by a table"""
    from pydicom.dataset import Dataset

    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [256, 0, 16], "US"
    table.LUTData = [int(5 * entry + 300) for entry in range(256)]
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"

    def spoil(dataset: "Dataset", number: int) -> None:
        pixels(dataset, np.rint((_truth(number) - 300) / 5).astype(np.uint8))
        dataset.ModalityLUTSequence = [table]

    return _volume(folder, rng, spoil, "MR", 3.0)


def _screen(shown: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]") -> "Dataset":
    dataset = blank(SECONDARY_CAPTURE, 0)
    dataset.Modality = "OT"
    pixels(dataset, shown)
    return dataset


def _rgb(rng: np.random.Generator) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return rng.integers(0, 256, (3, *SHAPE), np.uint8)


def colour_by_pixel(folder: Path, rng: np.random.Generator) -> Truth:
    """Red, green and blue stand side by side"""
    rgb = _rgb(rng)
    dataset = _screen(rgb[0])
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
    dataset.PlanarConfiguration = 0
    dataset.PixelData = np.moveaxis(rgb, 0, -1).tobytes()
    save([dataset], folder, rng)
    return Truth((Picture(rgb.astype(float)),))


def colour_by_plane(folder: Path, rng: np.random.Generator) -> Truth:
    """Red, green and blue stand one after the other"""
    rgb = _rgb(rng)
    dataset = _screen(rgb[0])
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
    dataset.PlanarConfiguration = 1
    dataset.PixelData = rgb.tobytes()
    save([dataset], folder, rng)
    return Truth((Picture(rgb.astype(float)),))


def palette(folder: Path, rng: np.random.Generator) -> Truth:
    """Numbers name the colours of a palette"""
    numbers, colours = rng.integers(0, 256, SHAPE, np.uint8), rng.integers(0, 256, (3, 256))
    dataset = _screen(numbers)
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for name, table in zip(("Red", "Green", "Blue"), colours, strict=True):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        data = (table * 257).astype("<u2").tobytes()
        setattr(dataset, f"{name}PaletteColorLookupTableData", data)
        dataset[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
    save([dataset], folder, rng)
    return Truth((Picture(colours[:, numbers].astype(float)),))


def one_bit(folder: Path, rng: np.random.Generator) -> Truth:
    """Eight pixels of one bit share a byte"""
    mask = rng.integers(0, 2, SHAPE, np.uint8)
    dataset = _screen(mask)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelData = np.packbits(mask, bitorder="little").tobytes()
    save([dataset], folder, rng)
    return Truth((Picture(mask[None].astype(float)),))


def inverted_radiograph(folder: Path, rng: np.random.Generator) -> Truth:
    """A radiograph of 12 bits is MONOCHROME1"""
    stored = rng.integers(0, 4096, SHAPE).astype(np.uint16)
    dataset = _screen(stored)
    dataset.Modality, dataset.PhotometricInterpretation = "DX", "MONOCHROME1"
    dataset.BitsStored, dataset.HighBit = 12, 11
    save([dataset], folder, rng)
    return Truth((Picture(4095 - stored[None].astype(np.float64)),))


CASES: tuple[Case, ...] = collect(
    "meaning of the numbers",
    *(slopes_by_slice, intercepts_by_slice, signed_pixels, slices_signed_and_not, slope_of_zero),
    *(two_units, window_is_no_transform, twelve_bits_at_the_left, overlay_in_upper_bits),
    *(inverted, padding, table_of_the_modality, colour_by_pixel, colour_by_plane, palette),
    *(one_bit, inverted_radiograph),
)
