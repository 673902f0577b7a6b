"""What lies in a tree: series by study, and everything else with its reason."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import SimpleITK
from pydicom import dcmread
from pydicom.data import get_testdata_file

from medclf.curate.phantom.hard.case import save, write
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import blank, make_stack
from medclf.errors import ReadError
from medclf.read.dicom.dicomdir import read_dicomdir
from medclf.read.dicom.find import find_series
from medclf.read.image import read_image

DISC = Path(get_testdata_file("DICOMDIR", download=False))
RNG = np.random.default_rng(0)


def test_every_file_of_a_disc_is_in_a_series_or_left_out():
    found = find_series(DISC.parent)
    inside = [part for one in found.series for part in (one.source.parts or (one.source,))]
    files = {path for path in DISC.parent.rglob("*") if path.is_file()}
    assert {source.path for source in inside} | {one.source.path for one in found.left_out} == files
    assert len(inside) + len(found.left_out) == len(files)


def test_the_series_of_a_disc_are_those_that_gdcm_finds():
    truth = set()
    for folder in {path.parent for path in DISC.parent.rglob("*") if path.is_file()}:
        truth |= set(SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)))
    found = {one.uid for one in find_series(DISC.parent).series}
    assert found == truth


def test_a_dicomdir_names_what_its_records_name():
    dataset = dcmread(DISC)
    names = [r.ReferencedFileID for r in dataset.DirectoryRecordSequence if "ReferencedFileID" in r]
    assert read_dicomdir(DISC) == ["/".join(name) for name in names]
    found = find_series(DISC)
    assert sum(one.files for one in found.series) == len(names)
    assert found.left_out == ()


def test_whose_a_series_is(tmp_path):
    stack = make_stack(Field(), Slab(), "MR", PatientID="P7", AccessionNumber="A1")
    save(stack, tmp_path, RNG)
    (one,) = find_series(tmp_path).series
    assert (one.patient, one.accession, one.modality, one.files) == ("P7", "A1", "MR", 9)
    assert (one.study, one.uid) == (stack[0].StudyInstanceUID, stack[0].SeriesInstanceUID)
    assert one.source.path == tmp_path


def test_an_exact_copy_of_an_image_without_a_place_is_left_out(tmp_path):
    (image,) = make_stack(Field(), Slab((1, 4, 5)), "MR", PatientID="P7")
    for name in ("ImagePositionPatient", "ImageOrientationPatient"):
        delattr(image, name)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(image, tmp_path / folder / "image")
    found = find_series(tmp_path)
    assert [one.source.path for one in found.series] == [tmp_path / "a" / "image"]
    assert [one.reason for one in found.left_out] == ["an exact copy of another file"]
    image.PixelData = bytes(len(image.PixelData))
    write(image, tmp_path / "b" / "image")
    assert len(find_series(tmp_path).series) == 2


def test_a_zip_holds_what_its_folder_holds(tmp_path):
    save(make_stack(Field(), Slab()), tmp_path / "a", RNG)
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in (tmp_path / "a").iterdir():
            archive.write(path, f"deep/{path.name}")
    (loose,), (zipped,) = (find_series(tmp_path / name).series for name in ("a", "a.zip"))
    one, other = read_image(loose.source), read_image(zipped.source)
    np.testing.assert_array_equal(one.values, other.values)
    assert one.grid.origin_mm == other.grid.origin_mm


def test_reasons(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").write_text("no picture")
    (tmp_path / "empty").touch()
    (tmp_path / "torn.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\2\0")
    write(blank("1.2.840.10008.5.1.4.1.1.88.33", 1), tmp_path / "report")
    (tmp_path / "loop").symlink_to(tmp_path)
    reasons = {one.source.path.name: one.reason for one in find_series(tmp_path).left_out}
    assert reasons.pop("torn.dcm").startswith(("holds no picture", "the DICOM header cannot"))
    assert reasons == {
        "notes.txt": "no DICOM file",
        ".hidden": "hidden",
        "empty": "the file is empty",
        "report": "holds no picture (Comprehensive SR Storage)",
        "loop": "a link to a folder, which is not followed",
    }


def test_a_link_within_the_folder_is_followed(tmp_path):
    (path,) = save(make_stack(Field(), Slab(shape=(1, 5, 5))), tmp_path / "a", RNG)
    (tmp_path / "b.dcm").symlink_to(path)
    (one,) = find_series(tmp_path).series
    assert one.files == 2
    assert [remark.kind for remark in read_image(one.source).remarks] == ["duplicate"]


def test_files_without_a_series_stand_by_their_folder(tmp_path):
    for name in "ab":
        save(make_stack(Field(), Slab(), SeriesInstanceUID=""), tmp_path / name, RNG)
    assert [one.files for one in find_series(tmp_path).series] == [9, 9]


@pytest.mark.parametrize("name", ["absent", "table.csv"])
def test_other_things_are_refused(name, tmp_path):
    (tmp_path / "table.csv").write_text("a,b")
    with pytest.raises(ReadError, match=f"{name}: a folder, a zip or a DICOMDIR"):
        find_series(tmp_path / name)


def test_a_damaged_dicomdir_is_refused(tmp_path):
    shutil.copy(DISC, tmp_path / "DICOMDIR")
    with (tmp_path / "DICOMDIR").open("r+b") as file:
        file.truncate(300)
    with pytest.raises(ReadError, match="DICOMDIR"):
        find_series(tmp_path / "DICOMDIR")
