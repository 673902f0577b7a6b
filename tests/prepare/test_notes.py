"""What readers remarked is known of stores that no reader made again."""

from dataclasses import replace

import pytest

from medclf.core.record import Point
from medclf.core.remark import Remark
from medclf.prepare.exam import Prepare
from medclf.prepare.store import NOTES, open_store
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


def test_remarks_are_kept_beside_the_stores(make_pictures, tmp_path, read):
    records = make_pictures(3)
    made = open_store(records, SETTINGS, tmp_path, read=read)
    assert made.remarks == {"001.png": (CUT,)}
    assert open_store(records, SETTINGS, tmp_path).remarks == made.remarks
    open_store(records, replace(SETTINGS, size=(4, 4)), tmp_path, read=read)
    assert len((tmp_path / NOTES).read_text().splitlines()) == 1


def test_they_are_of_what_an_image_is_made_of(make_pictures, tmp_path, read):
    first, second, _ = make_pictures(3)
    open_store([first, second], SETTINGS, tmp_path, read=read)
    (source,) = second.images.values()
    moved = source.path.rename(tmp_path / "moved.png")
    again = replace(source, path=moved, point=Point((1, 2), "samples"), remarks=(PARTED,))
    with (tmp_path / NOTES).open("a") as file:
        file.write('["cut short')
    store = open_store([replace(second, images={"image": again})], SETTINGS, tmp_path)
    assert store.remarks == {"001.png": (PARTED, CUT)}
