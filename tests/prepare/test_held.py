"""No image is prepared twice: what a store of the same settings holds is taken from there."""

import os
from dataclasses import replace

import numpy as np
import pytest

from medclf.errors import ReadError
from medclf.prepare import making
from medclf.prepare.exam import Prepare
from medclf.prepare.held import ROWS
from medclf.prepare.store import open_store
from medclf.read.image import read_image

SETTINGS = Prepare((8, 8), 1)


def opened(records, tmp_path, settings=SETTINGS):
    """Open a store whose rows must be right, and tell which images were read for it."""
    seen = []

    def look(source):
        seen.append(source.path.name)
        return read_image(source)

    store = open_store(records, settings, tmp_path / "cache", read=look)
    wanted = [read_image(record.source).values for record in records]
    np.testing.assert_array_equal(store.values, np.resize(wanted, store.values.shape))
    return sorted(seen)


def test_an_exam_more_an_exam_less_and_another_order(make_pictures, tmp_path):
    records = make_pictures(7)
    assert len(opened(records[:5], tmp_path)) == 5
    assert opened(records, tmp_path) == ["005.png", "006.png"]
    assert opened(records[2:4], tmp_path) == []
    assert opened(records[::-1], tmp_path) == []
    assert opened([records[3], *records], tmp_path) == []


def test_rows_of_several_stores_are_joined(make_pictures, tmp_path):
    records = make_pictures(9)
    opened(records[:3], tmp_path)
    opened(records[6:], tmp_path)
    assert opened(records, tmp_path) == ["003.png", "004.png", "005.png"]


def test_a_mended_file_is_the_only_one_that_is_read(make_pictures, tmp_path):
    records = make_pictures(6)
    path = records[2].source.path
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    with pytest.raises(ReadError, match="1 of 6 images cannot be read"):
        open_store(records, SETTINGS, tmp_path / "cache")
    path.write_bytes(whole)
    assert opened(records, tmp_path) == ["002.png"]


def test_other_contents_and_other_settings_are_read(make_pictures, tmp_path):
    records = make_pictures(4)
    opened(records, tmp_path)
    changed = records[1].source.path
    changed.write_bytes(records[0].source.path.read_bytes())
    assert opened(records, tmp_path) == []  # Its contents are those of another image now.
    make_pictures(4, seed=1)
    assert len(opened(records, tmp_path)) == 4
    store = open_store(records, replace(SETTINGS, intensity="range"), tmp_path / "cache")
    assert (store.values.max((1, 2, 3)) == 255).all()


@pytest.mark.parametrize("name", [making.VALUES, ROWS, "store.json"])
@pytest.mark.parametrize("length", [0, 7])
def test_what_is_damaged_is_not_taken(make_pictures, tmp_path, name, length):
    records = make_pictures(4)
    opened(records[:3], tmp_path)
    (damaged,) = (tmp_path / "cache" / "stores").glob(f"*/{name}")
    os.truncate(damaged, length)
    assert len(opened(records, tmp_path)) == 4
