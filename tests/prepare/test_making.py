import io
import os
from pathlib import Path

import numpy as np
import pytest

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.prepare import making
from medclf.prepare import order as order_module
from medclf.prepare.exam import Prepare, prepare_image
from medclf.prepare.making import JOURNAL, VALUES, Done, make_values, recall, write_rows
from medclf.prepare.order import Order, Row

ROWS = tuple(Row(Source(Path("many.npy"), index=number)) for number in range(200))
SETTINGS = Prepare((4, 4), 1)


def read(source):
    if source.index % 50 == 7:
        raise ReadError(f"{source}: damaged:\n  bad")
    return Image(np.full((1, 4, 4), source.index, np.uint8))


def order(rows=ROWS, read=read, settings=SETTINGS):
    return Order(rows, {}, settings, read)


def values_of(raw):
    return np.frombuffer(raw, np.uint8).reshape(-1, 16)


def test_rows_stand_in_order_without_those_that_fail(tmp_path):
    told = []
    failures = make_values(tmp_path, order(), lambda *count: told.append(count))
    assert list(failures) == [7, 57, 107, 157]
    assert failures[57] == "many.npy[57]: damaged: bad"
    kept = [n for n in range(200) if n not in failures]
    rows = values_of((tmp_path / VALUES).read_bytes())
    np.testing.assert_array_equal(rows, np.repeat(kept, 16).reshape(-1, 16))
    assert told[-1] == (200, 200)
    assert sorted(told) == told


def test_a_whole_part_may_fail(monkeypatch):
    monkeypatch.setattr(making, "PART_ROWS", 1)
    file, done = io.BytesIO(), Done()
    assert [len(failures) for failures in write_rows(file, order(ROWS[5:9]), done)] == [0, 0, 1, 0]
    assert len(file.getvalue()) == done.rows() * 16 == 3 * 16


def test_parts_hold_few_megabytes():
    volume = order(settings=Prepare((64, 128, 128), 1, dtype="float16"))
    assert volume.row_bytes == 2 * 2**20
    assert [len(part) for part in making._parts(ROWS[:3], volume.row_bytes)] == [1, 1, 1]
    assert [len(part) for part in making._parts(ROWS, 16)] == [64, 64, 64, 8]


def test_one_row_is_values_or_a_reason():
    (values,) = order().prepare(ROWS[3:4])
    assert values.tolist() == [[[3] * 4] * 4]
    (reason,) = order(settings=Prepare((4, 4, 4), 1)).prepare(ROWS[3:4])
    assert reason.startswith("many.npy[3]: a volume (3D) wanted, found a picture")

    def broken(source):
        raise PermissionError(13, "Permission denied")

    (reason,) = order(read=broken).prepare(ROWS[3:4])
    assert reason.endswith("cannot be read: Permission denied")


def test_images_of_one_form_are_resampled_together_and_stay_what_they_are(monkeypatch):
    rng = np.random.default_rng(0)
    shapes = [(1, 9, 7), (1, 9, 7), (3, 8, 8), (1, 8, 8), (1, 8, 8), (1, 8, 8), (1, 9, 7)]
    images = [Image(rng.integers(0, 255, shape, dtype=np.uint8)) for shape in shapes]
    settings, groups = Prepare((4, 5), 3, dtype="float16"), []
    sampled = order_module.sample_images

    def count(some, settings):
        groups.append(len(some))
        return sampled(some, settings)

    monkeypatch.setattr(order_module, "sample_images", count)
    monkeypatch.setattr(order_module, "TOGETHER", 2 * 120)
    rows = [Row(Source(Path("many.npy"), index=i)) for i in range(len(images))]
    found = list(order(rows, lambda s: images[s.index], settings).prepare(rows))
    assert groups == [2, 1, 2, 1, 1]
    for image, values in zip(images, found, strict=True):
        np.testing.assert_array_equal(values, prepare_image(image, settings, "many.npy"))


def test_mistakes_of_ours_are_not_taken_for_bad_images(tmp_path):
    def wrong(source):
        raise TypeError("a mistake of ours")

    with pytest.raises(TypeError, match="a mistake of ours"):
        make_values(tmp_path, order(read=wrong))


@pytest.fixture
def half(tmp_path, monkeypatch):
    """A making that was stopped after 120 of 200 rows, and noted each part of 10."""
    monkeypatch.setattr(making, "PART_ROWS", 10)
    monkeypatch.setattr(making, "SECONDS", 0)

    def stop(done, total):
        if done >= 120:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_values(tmp_path, order(), stop)
    return tmp_path


def finish(folder):
    """Go on, and tell which rows were read."""
    seen = set()

    def look(source):
        seen.add(source.index)
        return read(source)

    failures = make_values(folder, order(read=look))
    assert list(failures) == [7, 57, 107, 157]
    rows = values_of((folder / VALUES).read_bytes())
    assert rows[:, 0].tolist() == [n for n in range(200) if n not in failures]
    return seen


def test_it_goes_on_where_it_ended(half):
    assert finish(half) == set(range(120, 200))
    assert recall(half, 16).count == 200


def test_what_was_written_after_the_last_note_is_written_anew(half):
    with (half / VALUES).open("ab") as file:
        file.write(b"half a row that nobody noted")
    assert finish(half) == set(range(120, 200))


@pytest.mark.parametrize("length", [-1, -16, -500])
def test_values_shorter_than_noted_are_made_anew(half, length):
    """As after a loss of power, if the disk lied about what it had written."""
    os.truncate(half / VALUES, (half / VALUES).stat().st_size + length)
    assert finish(half) == set(range(200))


def test_a_journal_that_is_not_believed_is_begun_anew(half, monkeypatch):
    """Else its lines would be joined to the next ones, and tell of other rows."""
    os.truncate(half / VALUES, 100)

    def stop(done, total):
        if done >= 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_values(half, order(), stop)
    assert recall(half, 16).count == 60
    assert list(recall(half, 16).failures) == [7, 57]
    assert finish(half) == set(range(60, 200))


@pytest.mark.parametrize("text", ["", "[130, [[", "[130]\n", "nonsense\n", "{}\n", "[null, []]\n"])
def test_a_damaged_journal_is_not_believed(half, text):
    with (half / JOURNAL).open("a") as file:
        file.write(text)
    assert finish(half) == (set(range(120, 200)) if not text else set(range(200)))
