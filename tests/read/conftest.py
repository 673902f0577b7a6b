"""What the readers' tests share: a file cut short must be refused, or still hold every pixel."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from medclf.core.image import Image
from medclf.errors import ReadError

Read = Callable[[bytes, str], Image]


def attempt(read: Read, raw: bytes) -> tuple[Image | None, str]:
    """Read, and return the image or else the message."""
    try:
        return read(raw, "hurt.file"), ""
    except ReadError as problem:
        return None, str(problem)


@pytest.fixture
def check_cuts() -> Callable[[Read, bytes], int]:
    """Cut a file at many lengths. Return how many of them were refused."""

    def check(read: Read, raw: bytes) -> int:
        whole, refused = read(raw, "whole").values, 0
        ends = {len(raw) - left for left in (1, 2, 3, 4, 8, 9, 16, 17, 64) if left < len(raw)}
        cuts = sorted({len(raw) * k // 40 for k in range(40)} | ends)
        for cut in cuts:
            image, problem = attempt(read, raw[:cut])
            refused += image is None
            if image is not None:
                assert cut > len(raw) // 2
                np.testing.assert_array_equal(image.values, whole)
            assert problem.startswith("hurt.file: ") == (image is None)
        return refused

    return check


@pytest.fixture
def check_damage() -> Callable[[Read, bytes], None]:
    """Overwrite bytes at random: an image or a ReadError of one line must come, nothing else."""

    def check(read: Read, raw: bytes) -> None:
        rng = np.random.default_rng(0)
        for _ in range(60):
            hurt = bytearray(raw)
            for place in rng.integers(0, len(raw), rng.integers(1, 8)):
                hurt[place] = rng.integers(256)
            image, problem = attempt(read, bytes(hurt))
            assert (image is None) == problem.startswith("hurt.file: ")
            assert "\n" not in problem

    return check


@pytest.fixture
def make_dicom() -> Callable[..., bytes]:
    """Write an array as the bytes of an uncompressed DICOM file, with further elements by name."""

    def make(values: np.ndarray, **elements: object) -> bytes:
        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, "1.2.3"
        dataset.SamplesPerPixel = 3 if elements.get("PhotometricInterpretation") == "RGB" else 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        space = values.shape[:-1] if dataset.SamplesPerPixel == 3 else values.shape
        dataset.Rows, dataset.Columns = space[-2:]
        if len(space) == 3:
            dataset.NumberOfFrames = space[0]
        dataset.BitsAllocated = dataset.BitsStored = 8 * values.dtype.itemsize
        dataset.PixelRepresentation = int(values.dtype.kind == "i")
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        dataset.HighBit = elements.get("HighBit", dataset.BitsStored - 1)
        dataset.PlanarConfiguration = 0
        dataset.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
        dataset["PixelData"].VR = "OB" if values.dtype.itemsize == 1 else "OW"
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        stream = BytesIO()
        dcmwrite(stream, dataset, enforce_file_format=True)
        return stream.getvalue()

    return make


@pytest.fixture
def as_simpleitk() -> Callable[[Image, Path], None]:
    """Compare values and place with what SimpleITK reads from a file."""

    def check(image: Image, path: Path) -> None:
        truth = SimpleITK.ReadImage(path)
        values = SimpleITK.GetArrayFromImage(truth)
        several = truth.GetNumberOfComponentsPerPixel() > 1
        values = np.moveaxis(values, -1, 0) if several else values[None]
        same = image.values.dtype == values.dtype and np.array_equal(image.values, values)
        assert same or np.allclose(image.values, values, rtol=1e-6, atol=1e-4)
        grid, size = image.grid, np.array(truth.GetSize())
        assert grid.spacing_mm == pytest.approx(truth.GetSpacing()[::-1], rel=1e-5)
        assert grid.origin_mm == pytest.approx(truth.GetOrigin()[::-1], abs=1e-3)
        columns = np.array(truth.GetDirection()).reshape(len(size), len(size))
        np.testing.assert_allclose(grid.axes, columns.T[::-1, ::-1], atol=1e-5)
        reached = ((size - 1)[::-1] * grid.spacing_mm) @ grid.axes + grid.origin_mm
        corner = truth.TransformIndexToPhysicalPoint((size - 1).tolist())
        assert reached == pytest.approx(corner[::-1], abs=0.01)

    return check
