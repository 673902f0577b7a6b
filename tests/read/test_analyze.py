import gzip
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.spm99analyze import Spm99AnalyzeHeader

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.analyze import read_analyze
from medclf.read.image import read_image

VALUES = np.random.default_rng(0).integers(-500, 500, (7, 6, 5)).astype(np.int16)
WHEEL = Path(nibabel.__file__).parent / "tests" / "data"


def write(folder, values=VALUES, kind=nibabel.AnalyzeImage, endian="<", **fields):
    """Save a pair as nibabel does, then set fields of its header."""
    header = kind.header_class(endianness=endian)
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape)
    header.set_zooms([2.0, 1.5, 3.0, 1.0][: values.ndim])
    nibabel.save(kind(values, None, header), folder / "scan.img")
    raw = (folder / "scan.hdr").read_bytes()
    header = Spm99AnalyzeHeader(raw, check=False)
    for name, value in fields.items():
        header[name] = value
    (folder / "scan.hdr").write_bytes(header.binaryblock)
    return Source(folder / "scan.hdr")


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8"])
def test_values_and_spacing_as_nibabel_reads_them(tmp_path, endian, dtype):
    image = read_image(write(tmp_path, VALUES.astype(dtype), endian=endian))
    truth = nibabel.AnalyzeImage.load(tmp_path / "scan.hdr")
    np.testing.assert_array_equal(image.values[0], np.asanyarray(truth.dataobj).T)
    assert image.values.dtype == ("f4" if dtype == "f8" else dtype)
    assert image.grid.spacing_mm == (3.0, 1.5, 2.0)
    assert (image.grid.origin_mm, image.grid.axes) == (None, None)


def test_moments_are_numbered_and_one_slice_is_a_picture(tmp_path):
    four = np.arange(120, dtype=np.int16).reshape(2, 3, 4, 5)
    image = read_image(write(tmp_path, four))
    assert image.phases == ("1", "2", "3", "4", "5")
    np.testing.assert_array_equal(image.values[:, 0], four.T)
    flat = read_image(write(tmp_path, VALUES[:, :, :1]))
    np.testing.assert_array_equal(flat.values[0], VALUES[:, :, 0].T)
    assert flat.grid.spacing_mm == (1.5, 2.0)


@pytest.mark.parametrize(("slope", "factor"), [(0.5, 0.5), (0, 1), (np.nan, 1), (1, 1)])
def test_the_factor_of_spm_is_applied(tmp_path, slope, factor):
    image = read_image(write(tmp_path, scl_slope=slope))
    np.testing.assert_array_equal(image.values[0], VALUES.T * np.float32(factor))
    if factor != 1:
        truth = nibabel.load(tmp_path / "scan.hdr")
        np.testing.assert_allclose(image.values[0], truth.get_fdata().T)


def test_pixels_that_begin_later_or_are_packed_or_lie_in_a_zip(tmp_path):
    source = write(tmp_path, vox_offset=16)
    pixels = (tmp_path / "scan.img").read_bytes()
    (tmp_path / "scan.img").unlink()
    (tmp_path / "scan.img.gz").write_bytes(gzip.compress(bytes(16) + pixels))
    np.testing.assert_array_equal(read_image(source).values[0], VALUES.T)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("scan.hdr", "scan.img.gz"):
            archive.write(tmp_path / name, f"deep/{name}")
    packed = read_image(Source(tmp_path / "a.zip", "deep/scan.hdr"))
    np.testing.assert_array_equal(packed.values[0], VALUES.T)


def test_capital_endings_belong_together(tmp_path):
    source = write(tmp_path)
    source.path.rename(tmp_path / "SCAN.HDR")
    (tmp_path / "scan.img").rename(tmp_path / "SCAN.IMG")
    np.testing.assert_array_equal(read_image(Source(tmp_path / "SCAN.HDR")).values[0], VALUES.T)


def test_what_cannot_be_read_is_said(tmp_path):
    for fields, message in [
        ({"datatype": 128, "bitpix": 24}, "colours whose order is not known"),
        ({"datatype": 32, "bitpix": 64}, "a kind that is not read: complex64"),
        ({"datatype": 1, "bitpix": 1}, r"of a kind that is not read: \|V0"),
        ({"dim": [3, 7, 6, 0, 1, 0, 0, 0]}, "without pixels"),
        ({"dim": [3, 30000, 30000, 30000, 1, 0, 0, 0]}, "at most"),
        ({"dim": [3, 7, 6, 6, 1, 0, 0, 0]}, "cut short: 504 bytes of pixels wanted, found 420"),
        ({"dim": [3, 7, 6, 4, 1, 0, 0, 0]}, "header and data differ: 336 bytes"),
    ]:
        with pytest.raises(ReadError, match=rf"scan\.hdr: .*{message}"):
            read_image(write(tmp_path, **fields))
    source = write(tmp_path)
    whole = source.path.read_bytes()
    for cut in (4, 100, 347):
        source.path.write_bytes(whole[:cut])
        with pytest.raises(ReadError, match=r"scan\.hdr: "):
            read_image(source)
    with pytest.raises(ReadError, match=r"analyze\.hdr: a header alone: analyze\.img"):
        read_image(Source(WHEEL / "analyze.hdr"))


def test_damage_is_read_or_refused(tmp_path, monkeypatch, check_damage):
    source = write(tmp_path)
    (tmp_path / "scan.img").rename(tmp_path / "hurt.img")
    monkeypatch.chdir(tmp_path)
    check_damage(lambda raw, name: read_analyze(raw, Source(Path(name))), source.path.read_bytes())
