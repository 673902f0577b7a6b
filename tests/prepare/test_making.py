import io
from pathlib import Path

import numpy as np
import pytest

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.prepare import making
from medclf.prepare.exam import Prepare
from medclf.prepare.making import prepare_row, row_bytes, write_rows

SOURCES = [Source(Path("many.npy"), index=number) for number in range(200)]
SETTINGS = Prepare((4, 4), 1)


def read(source):
    if source.index % 50 == 7:
        raise ReadError(f"{source}: damaged:\n  bad")
    return Image(np.full((1, 4, 4), source.index, np.uint8))


def test_rows_stand_in_order_without_those_that_fail():
    file, told = io.BytesIO(), []
    failures = write_rows(file, SOURCES, SETTINGS, read, lambda *count: told.append(count))
    assert list(failures) == [7, 57, 107, 157]
    assert failures[57] == "many.npy[57]: damaged: bad"
    rows = np.frombuffer(file.getvalue(), np.uint8).reshape(-1, 16)
    kept = [n for n in range(200) if n not in failures]
    np.testing.assert_array_equal(rows, np.repeat(kept, 16).reshape(-1, 16))
    assert told[-1] == (200, 200)
    assert sorted(told) == told


def test_a_whole_part_may_fail(monkeypatch):
    monkeypatch.setattr(making, "PART_ROWS", 1)
    file = io.BytesIO()
    assert len(write_rows(file, SOURCES[5:9], SETTINGS, read)) == 1
    assert len(file.getvalue()) == 3 * 16


def test_parts_hold_few_megabytes():
    volume = Prepare((64, 128, 128), 1, dtype="float16")
    assert row_bytes(volume) == 2 * 2**20
    assert [len(part) for part in making._parts(SOURCES[:3], row_bytes(volume))] == [1, 1, 1]
    assert [len(part) for part in making._parts(SOURCES, 16)] == [64, 64, 64, 8]


def test_one_row_is_values_or_a_reason():
    assert prepare_row(SOURCES[3], SETTINGS, read).tolist() == [[[3] * 4] * 4]
    reason = prepare_row(SOURCES[3], Prepare((4, 4, 4), 1), read)
    assert reason.startswith("many.npy[3]: a volume (3D) wanted, found a picture")

    def broken(source):
        raise PermissionError(13, "Permission denied")

    assert prepare_row(SOURCES[3], SETTINGS, broken).endswith("cannot be read: Permission denied")


def test_mistakes_of_ours_are_not_taken_for_bad_images():
    def wrong(source):
        raise TypeError("a mistake of ours")

    with pytest.raises(TypeError, match="a mistake of ours"):
        write_rows(io.BytesIO(), SOURCES, SETTINGS, wrong)
