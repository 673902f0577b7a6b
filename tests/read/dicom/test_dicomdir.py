from io import BytesIO

import pytest
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from medclf.errors import ReadError
from medclf.read.dicom.dicomdir import read_dicomdir, resolve
from medclf.read.dicom.find import find_series
from medclf.read.quiet import PYDICOM


@pytest.fixture
def index(tmp_path):
    """Write a DICOMDIR whose records name files, or none."""

    def write(*names, folder=tmp_path):
        dataset, records = Dataset(), []
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
        stream = BytesIO()
        with PYDICOM:
            for name in names:
                record = Dataset()
                record.DirectoryRecordType = "IMAGE" if name else "PATIENT"
                if name is not None:
                    record.ReferencedFileID = name
                records.append(record)
            dataset.DirectoryRecordSequence = records
            dcmwrite(stream, dataset, enforce_file_format=True)
        path = folder / "DICOMDIR"
        path.write_bytes(stream.getvalue())
        return path

    return write


def test_records_name_files_by_their_folders(index):
    assert read_dicomdir(index(None, ["A", "B", "IM1"], "IM2", "")) == ["A/B/IM1", "IM2"]


@pytest.mark.parametrize(
    "name",
    [["..", "IM1"], ["A", ".", "IM1"], ["/etc", "passwd"], ["A/../B"], ["C:", "IM1"], ["A", ""]],
)
def test_names_that_leave_the_folder_are_refused(index, name):
    path = index(["A", "IM1"], name)
    with pytest.raises(ReadError, match=r"DICOMDIR: refused, since the entry '.*' leaves its fol"):
        read_dicomdir(path)


def test_an_index_that_names_nothing_is_refused(index):
    with pytest.raises(ReadError, match="DICOMDIR: a DICOMDIR that names files wanted, found none"):
        read_dicomdir(index(None, None))


def test_files_beside_those_that_are_named_are_told_of(index, tmp_path):
    (tmp_path / "A").mkdir()
    for name in ("IM1", "IM2"):
        (tmp_path / "A" / name).touch()
    (tmp_path / "README").touch()
    told = {one.source.path.name: one.reason for one in find_series(index(["A", "IM1"])).left_out}
    assert told == {"IM1": "the file is empty", "IM2": "not named by the DICOMDIR"}


@pytest.mark.parametrize("raw", [b"", b"no DICOM", b"\0" * 128 + b"DICM"])
def test_what_is_no_index_is_refused(tmp_path, raw):
    (tmp_path / "DICOMDIR").write_bytes(raw)
    with pytest.raises(ReadError, match="DICOMDIR: a DICOMDIR wanted, its index cannot be read"):
        read_dicomdir(tmp_path / "DICOMDIR")


def test_the_exact_name_goes_before_other_cases_of_letters(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "im1").touch()
    assert resolve(tmp_path, "A/IM1") == tmp_path / "a" / "im1"
    (tmp_path / "A").mkdir(exist_ok=True)
    (tmp_path / "A" / "IM1").touch()
    assert resolve(tmp_path, "A/IM1").read_bytes() == b""
    assert resolve(tmp_path, "A/IM1") == tmp_path / "A" / "IM1"


@pytest.mark.parametrize("name", ["B/IM1", "A/IM2", "A", "A/IM1/X", 300 * "A"])
def test_what_is_absent_or_no_file(tmp_path, name):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "im1").touch()
    assert resolve(tmp_path, name) is None


@pytest.mark.parametrize("link", ["DISC/OUT", "DISC/IN/1"])
def test_links_out_of_the_disc_are_left_out(index, tmp_path, link):
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "1").write_bytes(b"secret")
    (tmp_path / "DISC" / "IN").mkdir(parents=True)
    place = tmp_path / link
    place.symlink_to(tmp_path / "away" / ("1" if link.endswith("1") else ""))
    names = link.split("/")[1:] + ([] if link.endswith("1") else ["1"])
    found = find_series(index(names, folder=tmp_path / "DISC"))
    assert [one.reason for one in found.left_out] == ["a link that leaves the folder"]
