import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.archive import list_members
from medclf.read.image import IMAGE_SUFFIXES, is_image, looks_like_image, read_image

GREY = (np.add.outer(np.arange(12), np.arange(9)) * 9).astype(np.uint8)


def saved(form, picture=GREY):
    stream = BytesIO()
    Pillow.fromarray(picture).save(stream, form)
    return stream.getvalue()


@pytest.fixture
def files(make_dicom):
    """The same picture in every form, by suffix."""
    tiff, array, arrays = BytesIO(), BytesIO(), BytesIO()
    meta = b"NDims = 2\nDimSize = 9 12\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n"
    nrrd = b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 9 12\nencoding: raw\n\n"
    tifffile.imwrite(tiff, GREY)
    np.save(array, GREY)
    np.savez(arrays, GREY)
    volume = nibabel.Nifti1Image(GREY.T[..., None], np.eye(4))
    return {
        ".png": saved("PNG"),
        ".bmp": saved("BMP"),
        ".tif": tiff.getvalue(),
        ".dcm": make_dicom(GREY),
        ".nii": volume.to_bytes(),
        ".mha": meta + GREY.tobytes(),
        ".nrrd": nrrd + GREY.tobytes(),
        ".npy": array.getvalue(),
        ".npz": arrays.getvalue(),
    }


def test_every_form_gives_the_same_picture(tmp_path, files):
    for suffix, raw in files.items():
        for name in (f"right{suffix}", "no suffix", "wrong.jpg"):
            (tmp_path / name).write_bytes(raw)
            values = read_image(Source(tmp_path / name)).values
            np.testing.assert_array_equal(values, GREY[None])
            assert values.flags.c_contiguous
            assert values.flags.writeable
            assert values.flags.owndata or values.base is not None
            assert values.dtype == np.uint8


def test_members_of_a_zip_are_read_in_place(tmp_path, files):
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for suffix, raw in files.items():
            archive.writestr(f"a/b{suffix}", raw)
    for member in list_members(path):
        np.testing.assert_array_equal(read_image(Source(path, member)).values, GREY[None])


def test_dicom_without_its_signature_is_known_by_name(tmp_path, files):
    for name in ("bare.dcm", "bare.IMA"):
        (tmp_path / name).write_bytes(files[".dcm"][132:])
        np.testing.assert_array_equal(read_image(Source(tmp_path / name)).values[0], GREY)
    (tmp_path / "bare").write_bytes(files[".dcm"][132:])
    with pytest.raises(ReadError, match="an image wanted"):
        read_image(Source(tmp_path / "bare"))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("form", ["npy", "tif", "nii"])
def test_values_that_are_no_numbers_are_refused(tmp_path, bad, form):
    values = GREY.astype(np.float32)
    values[3, 4] = bad
    path = tmp_path / f"scan.{form}"
    if form == "npy":
        np.save(path, values)
    elif form == "tif":
        tifffile.imwrite(path, values)
    else:
        nibabel.save(nibabel.Nifti1Image(values[..., None], np.eye(4)), path)
    with pytest.raises(ReadError, match=rf"scan\.{form}: holds pixels that are no numbers"):
        read_image(Source(path))


def test_values_beyond_float32_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[1e300, 0]]))
    with pytest.raises(ReadError, match="no numbers"):
        read_image(Source(tmp_path / "a.npy"))


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_empty_and_foreign_files_are_refused(tmp_path, suffix):
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(b"")
    with pytest.raises(ReadError, match=rf"scan{suffix}: the file is empty"):
        read_image(Source(path))
    path.write_bytes(b"GIF89a and so on")
    with pytest.raises(ReadError, match=rf"scan{suffix}: .*(found GIF, which may move|DICOM)"):
        read_image(Source(path))


def test_absent_file_and_index_without_a_pack(tmp_path):
    with pytest.raises(ReadError, match=r"a\.png: cannot be read: No such file"):
        read_image(Source(tmp_path / "a.png"))
    with pytest.raises(ReadError, match=r"a\.png\[3\]: no known file that packs images"):
        read_image(Source(tmp_path / "a.png", index=3))


@pytest.mark.parametrize("name", ["a.png", "a.dcm", "a"])
def test_pipes_and_devices_are_not_waited_for(tmp_path, name):
    pipe, device = tmp_path / name, tmp_path / f"device-{name}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(ReadError, match=rf"{name}: cannot be read: a file wanted, found a pi"):
            read_image(Source(path))
    if name == "a":
        with pytest.raises(ReadError, match="found a pipe or a device"):
            is_image(Source(pipe))


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("a.PNG", True),
        ("b/c.nii.gz", True),
        ("b/c.gz", False),
        ("b/.hidden.png", False),
        ("b\\c.jpeg", True),
        ("labels.csv", False),
        ("png", False),
    ],
)
def test_names_of_images(name, image):
    assert looks_like_image(name) == image


def test_dicom_without_a_suffix_is_found_by_its_signature(tmp_path, make_dicom):
    for name in ("IM000001", "1.2.840.113619.2.5"):
        (tmp_path / name).write_bytes(make_dicom(GREY))
        assert is_image(Source(tmp_path / name))
    for name, raw in (("README", b"text"), ("DICOMDIR", make_dicom(GREY))):
        (tmp_path / name).write_bytes(raw)
        assert not is_image(Source(tmp_path / name))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "IM000001", "disc/IM000001")
        archive.writestr("disc/LICENSE", b"text")
    assert is_image(Source(tmp_path / "a.zip", "disc/IM000001"))
    assert not is_image(Source(tmp_path / "a.zip", "disc/LICENSE"))
    with pytest.raises(ReadError, match="absent: cannot be read"):
        is_image(Source(tmp_path / "absent"))
    assert not is_image(Source(tmp_path / "absent.csv"))
    assert is_image(Source(tmp_path / "absent.png"))


def test_real_photographs_are_what_pillow_decodes(real_data):
    path = real_data / "ham10000" / "images.zip"
    names = list_members(path)[::400]
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda name: read_image(Source(path, name)), names))
    with zipfile.ZipFile(path) as archive:
        for name, image in zip(names, images, strict=True):
            truth = np.asarray(Pillow.open(BytesIO(archive.read(name))))
            np.testing.assert_array_equal(image.values, truth.transpose(2, 0, 1))


def test_the_room_needs_no_torch_and_no_heavy_library_to_start():
    code = "import medclf.read.image, medclf.read.fetch, sys; print(*sys.modules)"
    source = Path(__file__).parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source)}
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "pydicom", "nibabel", "tifffile", "pandas", "imagecodecs"} & set(loaded)
