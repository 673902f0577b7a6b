"""How other readers of DICOM do on a folder: each gives images with places, or says what is wrong.

Each peer is a function from a folder to outputs. Its packages are imported when it is asked, so
that those that are not installed are left out.
"""

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medclf.curate.phantom.hard.judge import Output, affine_places

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""RAS to LPS and back."""


def _dicom_files(folder: Path) -> list[Path]:
    """All files that bear the signature of DICOM."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in found if path.read_bytes()[128:132] == b"DICM"]


def _from_nifti(values: np.ndarray, affine: np.ndarray) -> Output:
    """Turn (X, Y, Z[, T]) in RAS into an output."""
    values = np.asarray(values)
    if values.dtype.names:
        values = np.stack([values[name] for name in values.dtype.names])
        values = np.moveaxis(values, (1, 2, 3), (3, 2, 1))[None]
    else:
        values = values[..., None] if values.ndim == 2 else values
        values = values[..., None] if values.ndim == 3 else values
        values = np.transpose(values.reshape(*values.shape[:3], -1), (3, 2, 1, 0))[:, None]
    affine = LPS @ affine
    steps = affine[:3, :3].T[::-1, ::-1]
    return Output(values, affine_places(values.shape[2:], affine[2::-1, 3], steps))


def simpleitk(folder: Path) -> list[Output]:
    import SimpleITK

    outputs = []
    for place in sorted({path.parent for path in _dicom_files(folder)}):
        for uid in SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(place)):
            names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(place), uid)
            image = SimpleITK.ReadImage(names if len(names) > 1 else names[0])
            outputs.append(_from_itk(image))
    return outputs


def _from_itk(image: Any) -> Output:
    import SimpleITK

    values = SimpleITK.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        values = np.moveaxis(values, -1, 0)
    else:
        values = values[None]
    dims = image.GetDimension()
    axes = np.array(image.GetDirection()).reshape(dims, dims).T[::-1, ::-1]
    steps = axes * np.array(image.GetSpacing()[::-1])[:, None]
    if dims == 2:
        return Output(values[None, :, None], None)
    return Output(values[None], affine_places(values.shape[-3:], image.GetOrigin()[::-1], steps))


def highdicom(folder: Path) -> list[Output]:
    import highdicom
    import pydicom

    groups: dict[str, list[Any]] = {}
    for path in _dicom_files(folder):
        dataset = pydicom.dcmread(path)
        if "PixelData" in dataset:
            groups.setdefault(dataset.SeriesInstanceUID, []).append(dataset)
    outputs = []
    for datasets in groups.values():
        if len(datasets) == 1:
            image = highdicom.Image.from_dataset(datasets[0])
            try:
                outputs.append(_from_highdicom(image.get_volume()))
            except (RuntimeError, ValueError):
                if image.number_of_frames > 1:
                    raise
                frame = image.get_frames()[0]
                values = frame[None] if frame.ndim == 2 else np.moveaxis(frame, -1, 0)
                outputs.append(Output(values[None, :, None], None))
        else:
            outputs.append(_from_highdicom(highdicom.get_volume_from_series(datasets)))
    return outputs


def _from_highdicom(volume: Any) -> Output:
    values, affine = volume.array, volume.affine
    values = values[None, None] if values.ndim == 3 else np.moveaxis(values, -1, 0)[None]
    steps = affine[:3, :3].T[:, ::-1]
    return Output(values, affine_places(values.shape[2:], affine[2::-1, 3], steps))


def torchio(folder: Path) -> list[Output]:
    import torchio

    files = _dicom_files(folder)
    outputs = []
    for place in sorted({path.parent for path in files}):
        here = [path for path in files if path.parent == place]
        image = torchio.ScalarImage(place if len(here) > 1 else here[0])
        values = np.moveaxis(image.data.numpy(), 0, -1)
        outputs.append(_from_nifti(values, np.asarray(image.affine)))
    return outputs


def monai(folder: Path) -> list[Output]:
    from monai.transforms import LoadImage

    files = _dicom_files(folder)
    outputs = []
    for place in sorted({path.parent for path in files}):
        here = [path for path in files if path.parent == place]
        image = LoadImage(reader="PydicomReader", image_only=True)(
            place if len(here) > 1 else here[0]
        )
        outputs.append(_from_nifti(np.asarray(image), np.asarray(image.affine)))
    return outputs


def dicom2nifti(folder: Path) -> list[Output]:
    import dicom2nifti as package

    with tempfile.TemporaryDirectory() as out:
        package.convert_directory(str(folder), out, compression=False, reorient=False)
        return _niftis(Path(out))


def dcm2niix(folder: Path) -> list[Output]:
    import dcm2niix as package

    with tempfile.TemporaryDirectory() as out:
        command = [str(package.bin), "-z", "n", "-b", "n", "-f", "%s_%r_%t", "-o", out, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr)
        if done.returncode and not list(Path(out).glob("*.nii")):
            raise RuntimeError(f"dcm2niix ended with {done.returncode}")
        return _niftis(Path(out))


def _niftis(folder: Path) -> list[Output]:
    import nibabel

    outputs = []
    for path in sorted(folder.rglob("*.nii")):
        image = nibabel.load(path)
        values = np.asanyarray(image.dataobj)
        outputs.append(_from_nifti(np.array(values), image.affine))
    return outputs


Peer = Callable[[Path], Sequence[Output]]

PEERS: dict[str, tuple[str, Peer]] = {
    "highdicom": ("highdicom", highdicom),
    "dcm2niix": ("dcm2niix", dcm2niix),
    "dicom2nifti": ("dicom2nifti", dicom2nifti),
    "TorchIO": ("torchio", torchio),
    "SimpleITK": ("SimpleITK", simpleitk),
    "MONAI": ("monai", monai),
}
"""What each peer is called, its package, and how it reads a folder."""
