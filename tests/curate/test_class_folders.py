"""Folders on disk and inside a zip tell classes and splits."""

import zipfile

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from medclf.curate.class_folders import read_class_folders
from medclf.curate.cohort import Columns, read_cohort
from medclf.curate.folder import list_files
from medclf.errors import CohortError


def classes(found):
    return {
        record.name: (word, record.split)
        for record, word in zip(found.records, found.words, strict=True)
    }


def test_folders_are_classes_at_any_depth(lay):
    found = read_class_folders(list_files(lay("A/1.png", "A/p7/d/2.png", "B/3.png", "above.png")))
    assert classes(found) == {
        "A/1.png": ("A", ""), "A/p7/d/2.png": ("A", ""), "B/3.png": ("B", "")
    }  # fmt: skip
    assert not any(record.patient for record in found.records)
    assert "Left out: 1 image above the folders of the classes." in found.notes


def test_folders_of_splits_in_any_case(lay):
    found = read_class_folders(
        list_files(lay("Train/A/1.png", "Validation/A/1.png", "TEST/B/p/1.png", "TEST/new.png"))
    )
    assert classes(found) == {
        "TEST/B/p/1.png": ("B", "test"),
        "Train/A/1.png": ("A", "train"),
        "Validation/A/1.png": ("A", "val"),
    }


def test_a_folder_that_holds_all(lay):
    root = lay("set/train/A/1.png", "set/test/B/2.png")
    assert classes(read_class_folders(list_files(root))) == {
        "set/train/A/1.png": ("A", "train"), "set/test/B/2.png": ("B", "test")
    }  # fmt: skip


def test_a_zip_often_holds_one_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for name in ("set/A/1.png", "set/B/2.png"):
            archive.writestr(name, b"")
    found = read_class_folders(list_files(tmp_path / "data.zip"))
    assert found.words == ("A", "B")
    assert "Everything lies in set/." in found.notes


def test_a_folder_is_taken_at_its_word(tmp_path):
    for name in ("set/A/1.png", "set/B/2.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert read_class_folders(list_files(tmp_path)).words == ("set", "set")


def test_one_split_alone_is_a_split(lay):
    found = read_class_folders(list_files(lay("test/A/1.png", "test/B/2.png")))
    assert set(classes(found).values()) == {("A", "test"), ("B", "test")}


def test_what_makes_no_sense_is_refused(lay):
    with pytest.raises(CohortError, match="a folder per class wanted, found 1 images in no folder"):
        read_class_folders(list_files(lay("1.png")))


def test_folders_beside_splits_are_refused(lay):
    with pytest.raises(CohortError, match=r"beside test, train only .* found extra"):
        read_class_folders(list_files(lay("train/A/1.png", "test/A/1.png", "extra/A/1.png")))


def test_two_folders_for_one_split_are_refused(lay):
    with pytest.raises(CohortError, match="one folder for val wanted, found val, valid"):
        read_class_folders(list_files(lay("train/A/1.png", "val/A/1.png", "valid/A/1.png")))


def test_ten_thousand_files_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for n in range(10_000):
            archive.writestr(f"set/{'train' if n % 5 else 'test'}/{n % 7}/{n:05d}.png", b"")
    cohort = read_cohort(tmp_path / "many.zip")
    assert len(cohort.records) == 10_000
    assert cohort.records[0].split == "test"


def write_series(*paths):
    """Write slices of one volume."""
    dataset, series = pydicom.dcmread(get_testdata_file("CT_small.dcm")), generate_uid()
    dataset.SeriesInstanceUID, dataset.SeriesDescription = series, "chest/thin"
    for z, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        dataset.ImagePositionPatient, dataset.SOPInstanceUID = [0, 0, 5 * z], generate_uid()
        dataset.save_as(path)


def test_a_volume_whose_slices_have_several_classes_is_refused(tmp_path):
    for patient in "01":
        at = [tmp_path / name / f"{patient}{name}.dcm" for name in ("bleed", "normal")]
        write_series(tmp_path / f"normal/{patient}.dcm", *at)
    with pytest.raises(CohortError, match=r"slices of .* in bleed/ and normal/: say --slices"):
        read_cohort(tmp_path)
    cohort = read_cohort(tmp_path, Columns(slices=True))
    assert len(cohort.records) == 6
    assert cohort.task.classes == ("normal", "bleed")


@pytest.mark.parametrize("inside", ["", "train/"])
def test_a_volume_above_the_classes_is_left_out(tmp_path, inside):
    for name in ("a/1.dcm", "b/2.dcm"):
        write_series(tmp_path / inside / name)
    write_series(*(tmp_path / inside / f"{n}.dcm" for n in range(2)))
    cohort = read_cohort(tmp_path)
    assert [record.name for record in cohort.records] == [f"{inside}a/1.dcm", f"{inside}b/2.dcm"]
    assert "Left out: 1 image above the folders of the classes." in cohort.notes
