"""What readers remarked is known of stores that no reader made again."""

import errno
import shutil
from dataclasses import replace

import pytest

from medclf.core.record import Point
from medclf.core.remark import Remark
from medclf.errors import SettingError
from medclf.prepare import making, shelf
from medclf.prepare.exam import Prepare
from medclf.prepare.notes import REMARKS, name_image
from medclf.prepare.store import open_store
from medclf.read.image import read_image

SETTINGS = Prepare((8, 8), 1)
CUT, PARTED = Remark("cut", "20 slices stated, 8 found", grave=True), Remark("parted", "of two")


@pytest.fixture
def read():
    """Read, and remark something of the second picture."""

    def reading(source):
        image = read_image(source)
        told = (CUT,) if source.path.name == "001.png" else ()
        return replace(image, remarks=(*image.remarks, *told))

    return reading


def test_remarks_are_kept_with_the_store(make_pictures, tmp_path, read):
    records = make_pictures(3)
    made = open_store(records, SETTINGS, tmp_path / "cache", read=read)
    assert made.remarks == {"001.png": (CUT,)}
    assert open_store(records, SETTINGS, tmp_path / "cache").remarks == made.remarks
    (kept,) = (tmp_path / "cache").rglob("*remarks*")
    shutil.rmtree(kept.parent)
    assert not open_store(records, SETTINGS, tmp_path / "cache").remarks


def test_they_are_of_what_an_image_is_made_of(make_pictures, tmp_path, read):
    first, second, _ = make_pictures(3)
    open_store([first, second], SETTINGS, tmp_path, read=read)
    (source,) = second.images.values()
    moved = source.path.rename(tmp_path / "moved.png")
    again = replace(source, path=moved, remarks=(PARTED,))
    store = open_store([first, replace(second, images={"image": again})], SETTINGS, tmp_path)
    assert store.remarks == {"001.png": (PARTED, CUT)}
    marked = replace(again, point=Point((1, 2), "samples"))
    assert name_image(marked, {}) == name_image(again, {})


def test_rows_copied_from_another_store_keep_theirs(make_pictures, tmp_path, read):
    records = make_pictures(3)
    open_store(records[:2], SETTINGS, tmp_path, read=read)
    assert open_store(records, SETTINGS, tmp_path).remarks == {"001.png": (CUT,)}
    assert not open_store(records[::2], SETTINGS, tmp_path).remarks


def test_a_making_that_goes_on_keeps_what_was_remarked_before(
    make_pictures, tmp_path, read, monkeypatch
):
    records = make_pictures(4)
    monkeypatch.setattr(making, "PART_ROWS", 2)
    monkeypatch.setattr(making, "SECONDS", 0)
    published = shelf._publish
    monkeypatch.setattr(shelf, "_publish", _stop)
    with pytest.raises(KeyboardInterrupt):
        open_store(records, SETTINGS, tmp_path, read=read)
    monkeypatch.setattr(shelf, "_publish", published)
    assert open_store(records, SETTINGS, tmp_path, read=_stop).remarks == {"001.png": (CUT,)}


def test_a_disk_too_full_for_them_is_told_as_that(make_pictures, tmp_path, read, monkeypatch):
    def write(path, text):
        if path.name == REMARKS:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shelf, "_write_text", write)
    with pytest.raises(SettingError, match="make room"):
        open_store(make_pictures(3), SETTINGS, tmp_path, skip_unreadable=True, read=read)


def _stop(*_):
    raise KeyboardInterrupt
