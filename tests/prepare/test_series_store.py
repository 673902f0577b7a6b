"""A store of series: known by what the files hold, not by their names."""

import shutil
from zipfile import ZipFile

import numpy as np
import pytest

from medclf.core.record import Record
from medclf.curate.phantom.hard.case import save
from medclf.curate.phantom.hard.scene import Field, Slab
from medclf.curate.phantom.hard.slices import make_stack
from medclf.prepare.exam import Prepare
from medclf.prepare.store import open_store
from medclf.read.dicom.find import find_series

SETTINGS = Prepare((8, 8, 8), 1, intensity="range")


def records_of(root):
    found = find_series(root).series
    return [Record(f"{n}", {"image": one.source}, f"{n}") for n, one in enumerate(found)]


@pytest.fixture
def folder(tmp_path):
    save(make_stack(Field(), Slab()), tmp_path / "a", np.random.default_rng(0))
    return tmp_path / "a"


def test_the_digest_does_not_hang_on_names(folder, tmp_path):
    first = open_store(records_of(folder), SETTINGS, tmp_path / "cache")
    other = tmp_path / "other.folder"
    shutil.copytree(folder, other)
    for number, path in enumerate(sorted(other.iterdir(), reverse=True)):
        path.rename(other / f"x{number:03d}")
    again = open_store(records_of(other), SETTINGS, tmp_path / "cache")
    assert again.digest == first.digest
    assert len(first.files) == 9


def test_another_slice_is_another_store(folder, tmp_path):
    first = open_store(records_of(folder), SETTINGS, tmp_path / "cache")
    path = sorted(folder.iterdir())[4]
    raw = bytearray(path.read_bytes())
    raw[-2] ^= 1
    path.write_bytes(raw)
    again = open_store(records_of(folder), SETTINGS, tmp_path / "cache")
    assert again.digest != first.digest


def test_series_of_two_patients_in_one_zip_are_told_apart(tmp_path):
    for number, patient in enumerate(("P1", "P2")):
        stack = make_stack(Field(1000 + 400 * number), Slab(), PatientID=patient)
        save(stack, tmp_path / patient, np.random.default_rng(0))
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        for path in sorted(tmp_path.glob("P*/*.dcm")):
            archive.write(path, path.relative_to(tmp_path))
    records = records_of(tmp_path / "export.zip")
    first = open_store(records, SETTINGS, tmp_path / "cache")
    again = open_store(records[::-1], SETTINGS, tmp_path / "cache")
    assert len(records) == 2
    assert first.digest != again.digest
