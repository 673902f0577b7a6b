"""Slices decoded together are to the bit what each is alone, and only where they mean the same."""

import os

import numpy as np
import pytest
from pydicom import dcmread

from medclf.core.record import Source
from medclf.curate.phantom.hard.case import save
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import make_stack, store
from medclf.errors import ReadError
from medclf.read.dicom import batch
from medclf.read.dicom.batch import batches, join
from medclf.read.dicom.file import make_image, open_dicom, read_dicom
from medclf.read.dicom.find import find_series
from medclf.read.dicom.series import read_series

SCENE, SLAB = Field(), Slab()
LARGE = Slab(shape=(4, 200, 190))
"""Its pixels are read from the files only when they are asked for."""


def written(folder, spoil=None, modality="CT", slab=SLAB):
    """Save a stack, its slices in the order of their names, and parse it from its files."""
    slices = make_stack(SCENE, slab, modality)
    for number, dataset in enumerate(slices):
        if spoil:
            spoil(dataset, number)
    paths = save(slices, folder, np.random.default_rng(0))
    datasets = []
    for path in paths:
        with path.open("rb") as file:
            datasets.append(open_dicom(file, str(path)))
    return datasets, [Source(path) for path in paths]


def runs_of(datasets):
    return list(batches(datasets, range(len(datasets))))


@pytest.mark.parametrize("slab", [SLAB, LARGE], ids=["small", "large"])
def test_slices_of_one_meaning_are_one_run_of_the_same_values(slab, tmp_path):
    datasets, files = written(tmp_path, slab=slab)
    assert runs_of(datasets) == [list(range(slab.shape[0]))]
    together = make_image(join(datasets, files), "x")
    for number, file in enumerate(files):
        alone = read_dicom(file.path.read_bytes(), "x")
        np.testing.assert_array_equal(together.values[:, number], alone.values)
        assert (together.unit, together.bits) == (alone.unit, alone.bits)


def test_a_run_ends_where_enough_bytes_are_together(tmp_path, monkeypatch):
    datasets, _ = written(tmp_path)
    monkeypatch.setattr(batch, "BYTES", 2 * SLAB.shape[1] * SLAB.shape[2] * 4)
    assert [len(run) for run in runs_of(datasets)] == [4, 4, 1]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("RescaleSlope", 2),
        ("RescaleIntercept", -1000),
        ("RescaleType", "OD"),
        ("BitsStored", 12),
        ("PixelRepresentation", 1),
        ("PhotometricInterpretation", "MONOCHROME1"),
        ("Modality", "MR"),
    ],
)
def test_another_meaning_is_another_run(keyword, value, tmp_path):
    def spoil(dataset, number):
        if number == 4:
            setattr(dataset, keyword, value)

    datasets, _ = written(tmp_path, spoil)
    assert runs_of(datasets) == [[0, 1, 2, 3], [4], [5, 6, 7, 8]]


def test_windows_and_extremes_part_nothing(tmp_path):
    def spoil(dataset, number):
        dataset.WindowCenter, dataset.WindowWidth = 10 * number, 80 + number
        dataset.LargestImagePixelValue = 3000 + number
        dataset["LargestImagePixelValue"].VR = "US"

    assert len(runs_of(written(tmp_path, spoil)[0])) == 1


def test_padding_and_uptake_are_decoded_alone(tmp_path):
    def spoil(dataset, _):
        dataset.PixelPaddingValue = 0
        dataset["PixelPaddingValue"].VR = "US"

    assert len(runs_of(written(tmp_path / "a", spoil)[0])) == 9
    assert len(runs_of(written(tmp_path / "b", modality="PT")[0])) == 9


def test_bytes_behind_the_pixels_of_a_slice_are_none_of_the_next(tmp_path):
    def spoil(dataset, _):
        dataset.PixelData += b"\7" * 2 * dataset.Columns

    datasets, files = written(tmp_path, spoil)
    assert len(runs_of(datasets)) == 1
    image = read_series(Source(tmp_path, "s", parts=tuple(files)))
    for number, plane in enumerate(image.values[0]):
        np.testing.assert_allclose(plane, SCENE.at(SLAB.places(SLAB.corner(number))), atol=0.5)


def test_pixels_fewer_than_stated_are_refused(tmp_path):
    def spoil(dataset, _):
        dataset.PixelData = dataset.PixelData[:-8]

    datasets, files = written(tmp_path, spoil)
    with pytest.raises(ReadError, match="cut short: 960 bytes of pixels wanted, found 952"):
        join(datasets, files)


def keep_time(path, write):
    """Write to a file as if its time had not changed."""
    before = path.stat()
    write(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_slice_cut_short_after_its_header_was_read_is_refused(tmp_path):
    datasets, files = written(tmp_path, slab=LARGE)
    path = files[2].path
    keep_time(path, lambda path: path.write_bytes(path.read_bytes()[:-10]))
    with pytest.raises(ReadError, match=f"{path.name}: cut short: 76000 bytes of pixels wanted"):
        join(datasets, files)


@pytest.mark.parametrize("number", [slice(None), slice(2, 3)], ids=["together", "alone"])
def test_a_slice_that_was_written_to_after_its_header_was_read_is_refused(number, tmp_path):
    datasets, files = written(tmp_path, slab=LARGE)
    path = files[2].path
    path.write_bytes(path.read_bytes())
    with pytest.raises(ReadError, match=f"{path.name}: this file changed while it was read"):
        join(datasets[number], files[number])
    path.unlink()
    with pytest.raises(ReadError, match=f"{path.name}: cannot be read: No such file"):
        join(datasets[number], files[number])


def test_slopes_of_a_series_reach_each_slice(tmp_path):
    def spoil(dataset, number):
        dataset.RescaleSlope = 1 if number < 5 else 0.5
        store(dataset, SCENE.at(SLAB.places(SLAB.corner(number))))

    _, files = written(tmp_path, spoil)
    image = read_series(Source(tmp_path, "s", parts=tuple(files)))
    for plane, file in zip(image.values[0], files, strict=True):
        dataset = dcmread(file.path)
        truth = dataset.pixel_array * float(dataset.RescaleSlope) - 1024
        np.testing.assert_array_equal(plane, truth)


def test_a_volume_of_two_runs_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "BYTES", 2000)
    written(tmp_path)
    (series,) = find_series(tmp_path).series
    small = read_series(series.source)
    monkeypatch.undo()
    np.testing.assert_array_equal(small.values, read_series(series.source).values)
