import hashlib
import os
from dataclasses import replace

import numpy as np
import pytest

from medclf.core.record import Record, Source
from medclf.errors import CohortError, ReadError
from medclf.prepare.exam import Prepare, prepare_image
from medclf.prepare.store import first_images, open_store
from medclf.read.image import read_image

SETTINGS = Prepare((8, 8), 1)


def _values(records, settings=SETTINGS):
    return np.stack([prepare_image(read_image(r.source), settings, r.name) for r in records])


def _no_reading(source):
    raise AssertionError(f"{source} was read again")


def test_rows_stand_in_the_order_of_the_records(make_pictures, tmp_path):
    records = make_pictures(9)[::-1]
    store = open_store(records, SETTINGS, tmp_path)
    np.testing.assert_array_equal(store.values, _values(records))
    assert store.values.dtype == np.uint8
    assert store.names == tuple(r.name for r in records)
    assert store.exam_index.tolist() == list(range(9))
    assert store.failures == ()


@pytest.mark.parametrize(
    "settings",
    [
        Prepare((5, 12), 3),
        Prepare((16, 16), 1, fit="letterbox", dtype="float16"),
        Prepare((8, 8), 1, intensity="percentile", dtype="float16"),
    ],
)
def test_any_settings(make_pictures, tmp_path, settings):
    records = make_pictures(3)
    store = open_store(records, settings, tmp_path)
    assert store.values.shape == (3, settings.channels, *settings.size)
    np.testing.assert_array_equal(store.values, _values(records, settings))


def test_it_is_made_once(make_pictures, tmp_path):
    records, told = make_pictures(9), []
    first = open_store(records, SETTINGS, tmp_path, lambda *count: told.append(count))
    assert told[-1] == (9, 9)
    again = open_store(records, SETTINGS, tmp_path, _no_reading, read=_no_reading)
    assert again.digest == first.digest
    np.testing.assert_array_equal(again.values, first.values)


def test_values_cannot_be_written(make_pictures, tmp_path):
    store = open_store(make_pictures(2), SETTINGS, tmp_path)
    assert isinstance(store.values, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        store.values[0] = 0


def test_default_cache_is_the_persons(make_pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "mine"))
    open_store(make_pictures(2), SETTINGS)
    assert len(list((tmp_path / "mine" / "stores").iterdir())) == 1


def test_digest_knows_what_matters_and_nothing_else(make_pictures, tmp_path):
    records = make_pictures(4)

    def digest(records, settings=SETTINGS):
        return open_store(records, settings, tmp_path / "cache").digest

    first = digest(records)
    os.utime(records[0].source.path, (1, 1))
    assert digest(records) == first
    assert digest([replace(r, name=f"x{r.name}", split="val", label=1) for r in records]) == first
    assert digest(make_pictures(4, folder="moved")) == first
    assert digest(records[::-1]) != first
    assert digest(records[:3]) != first
    assert digest(records, replace(SETTINGS, intensity="range")) != first
    before = open_store(records, SETTINGS, tmp_path / "cache").values.copy()
    make_pictures(4, seed=1)
    assert digest(records) != first
    after = open_store(records, SETTINGS, tmp_path / "cache").values
    assert (after != before).any()


def test_files_bear_their_digests(make_pictures, tmp_path):
    records = make_pictures(2)
    files = open_store(records, SETTINGS, tmp_path).files
    assert files == {
        str(r.source.path): hashlib.sha256(r.source.path.read_bytes()).hexdigest() for r in records
    }


def test_batches_come_in_the_order_asked_for(make_pictures, tmp_path):
    records = make_pictures(20)
    store = open_store(records, SETTINGS, tmp_path)
    chosen = np.array([17, 3, 3, 0, 19])
    batch = store.batch(chosen)
    np.testing.assert_array_equal(batch, _values(records)[chosen])
    assert type(batch) is np.ndarray
    assert batch.flags.owndata
    assert batch.flags.writeable
    assert store.batch(np.array([], np.int64)).shape == (0, 1, 8, 8)


def test_batches_of_large_rows(make_pictures, tmp_path):
    """Rows of some pages, which begin and end within pages, are asked for ahead."""
    records, settings = make_pictures(5), Prepare((150, 151), 1, dtype="float16")
    store = open_store(records, settings, tmp_path)
    chosen = np.array([4, 0, 4, 2])
    np.testing.assert_array_equal(store.batch(chosen), _values(records, settings)[chosen])
    assert store.batch(np.array([], np.int64)).shape == (0, 1, 150, 151)


@pytest.mark.parametrize("row", [-1, 20])
def test_there_is_no_other_row(make_pictures, tmp_path, row):
    store = open_store(make_pictures(20), SETTINGS, tmp_path)
    with pytest.raises(IndexError, match="rows 0 to 19"):
        store.batch(np.array([0, row]))


@pytest.fixture
def damaged(make_pictures):
    """Ten pictures: two cut short, one of colour, one gone, one empty."""
    from PIL import Image as Pillow

    records = make_pictures(10)
    for number in (1, 4):
        path = records[number].source.path
        path.write_bytes(path.read_bytes()[:50])
    colour = np.zeros((8, 8, 3), np.uint8)
    colour[..., 0] = 200
    Pillow.fromarray(colour).save(records[5].source.path)
    records[7].source.path.unlink()
    records[8].source.path.write_bytes(b"")
    return records


def test_all_that_cannot_be_read_is_told_in_one_line(damaged, tmp_path):
    with pytest.raises(ReadError) as caught:
        open_store(damaged, SETTINGS, tmp_path)
    message = str(caught.value)
    place = damaged[1].source.path
    assert message.startswith(f"5 of 10 images cannot be read: {place}: ")
    assert message.count("001.png") == 1
    assert "004.png: " in message
    assert "005.png: 1 channel wanted, found 3 of colour" in message
    assert "008.png" not in message
    assert message.endswith(
        "; …; mend them or take them out of the data, or leave them out by --skip-unreadable"
    )
    assert "\n" not in message


def test_what_could_be_read_is_not_lost_where_others_could_not(damaged, tmp_path):
    """The next time, what was prepared is taken as it is, and only the rest is tried."""
    with pytest.raises(ReadError, match="5 of 10 images cannot be read"):
        open_store(damaged, SETTINGS, tmp_path)
    kept = {damaged[i].source for i in (0, 2, 3, 6, 9)}

    def look(source):
        assert source not in kept
        return read_image(source)

    store = open_store(damaged, SETTINGS, tmp_path, skip_unreadable=True, read=look)
    assert len(store.names) == 5


def test_what_cannot_be_read_is_left_out_and_listed(damaged, tmp_path):
    store = open_store(damaged, SETTINGS, tmp_path, skip_unreadable=True)
    kept = [damaged[i] for i in (0, 2, 3, 6, 9)]
    assert store.names == tuple(r.name for r in kept)
    assert store.exam_index.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(store.values, _values(kept))
    assert [name for name, _ in store.failures] == [f"{n:03d}.png" for n in (1, 4, 5, 7, 8)]
    assert all(name in reason for name, reason in store.failures)


def test_the_rest_is_the_store_of_the_rest(damaged, tmp_path):
    """A run that goes on knows only the exams that were kept, and must find the same store."""
    first = open_store(damaged, SETTINGS, tmp_path, skip_unreadable=True)
    kept = [r for r in damaged if r.name in first.names]
    again = open_store(kept, SETTINGS, tmp_path, read=_no_reading)
    assert again.digest == first.digest
    assert again.failures == ()


def test_a_store_with_gaps_is_found_again_and_never_passes_for_a_whole_one(damaged, tmp_path):
    first = open_store(damaged, SETTINGS, tmp_path, skip_unreadable=True)
    reads = []

    def count(source):
        reads.append(source)
        return read_image(source)

    second = open_store(damaged, SETTINGS, tmp_path, skip_unreadable=True, read=count)
    assert len(reads) == 4
    assert second.failures == first.failures
    with pytest.raises(ReadError, match="5 of 10 images cannot be read"):
        open_store(damaged, SETTINGS, tmp_path)


def test_a_file_that_is_gone_is_told_though_there_is_a_store_of_the_rest(make_pictures, tmp_path):
    records = make_pictures(3)
    open_store(records[:2], SETTINGS, tmp_path)
    records[2].source.path.unlink()
    with pytest.raises(
        ReadError, match=r"^1 of 3 images cannot be read: \S+002\.png: .*No such file"
    ):
        open_store(records, SETTINGS, tmp_path)


def test_an_image_that_can_be_read_now_is_taken_in(make_pictures, tmp_path):
    """As after installing a decoder that was missing."""
    records = make_pictures(5)

    def lacking(source):
        if source == records[2].source:
            raise ReadError(f"{source}: no decoder")
        return read_image(source)

    first = open_store(records, SETTINGS, tmp_path, skip_unreadable=True, read=lacking)
    assert first.failures == (("002.png", f"{records[2].source}: no decoder"),)
    second = open_store(records, SETTINGS, tmp_path, skip_unreadable=True)
    assert second.failures == ()
    np.testing.assert_array_equal(second.values, _values(records))


def test_nothing_that_can_be_read_is_told_even_when_skipping(damaged, tmp_path):
    none = [damaged[i] for i in (1, 4, 7)]
    for records in (none, none[2:]):
        with pytest.raises(ReadError, match=f"^{len(records)} of {len(records)} images cannot"):
            open_store(records, SETTINGS, tmp_path, skip_unreadable=True)
    assert list((tmp_path / "stores").iterdir()) == []


def test_no_exam_is_refused(tmp_path):
    with pytest.raises(CohortError, match="found none"):
        open_store((), SETTINGS, tmp_path)


def test_an_exam_without_an_image_is_refused(tmp_path):
    with pytest.raises(CohortError, match=r"^knee-7: at least 1 image wanted, found none"):
        open_store([Record("knee-7", {}, "p1")], SETTINGS, tmp_path)


def test_an_exam_has_a_row_for_each_of_its_images(make_pictures, tmp_path):
    one, two, three = (record.source for record in make_pictures(3))
    exams = [Record("a", {"left": one, "right": two}, "p"), Record("b", {"left": three}, "q")]
    store = open_store(exams, SETTINGS, tmp_path)
    assert store.images.tolist() == [[0, 1], [2, -1]]
    assert store.names == ("a", "b")
    np.testing.assert_array_equal(first_images(store, np.array([1]))[0], store.values[2])


def test_volumes_of_several_spacings_become_one_shape(tmp_path):
    import nibabel

    rng = np.random.default_rng(0)
    records = []
    for number, spacing in enumerate([(1.0, 1.0, 1.0), (0.5, 1.0, 2.0)]):
        path = tmp_path / f"{number}.nii.gz"
        values = rng.integers(0, 1000, (12, 10, 8)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([*spacing, 1.0])), path)
        records.append(Record(path.name, {"image": Source(path)}, path.name))
    settings = Prepare((6, 6, 6), 1, (2.0, 2.0, 2.0), intensity="percentile", dtype="float16")
    store = open_store(records, settings, tmp_path / "cache")
    assert store.values.shape == (2, 1, 6, 6, 6)
    np.testing.assert_array_equal(store.values, _values(records, settings))


def test_mnist_unchanged_is_exact(real_data, tmp_path):
    from medclf.read.datasets import idx

    cohort = idx.read_dataset(real_data / "mnist")
    store = open_store(cohort.records, Prepare((28, 28), 1), tmp_path)
    assert store.values.shape == (70_000, 1, 28, 28)
    for row in (0, 59_999, 69_999):
        np.testing.assert_array_equal(
            store.values[row], read_image(cohort.records[row].source).values
        )


def test_pixels_in_another_file_than_their_header_are_part_of_the_store(tmp_path):
    """Two headers may be equal to the letter, and their pixels differ or change."""
    header = "NDims = 2\nDimSize = 8 8\nElementType = MET_UCHAR\nElementDataFile = a.raw\n"
    records = []
    for place, value in (("one", 1), ("two", 2)):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.mhd").write_text(header)
        (tmp_path / place / "a.raw").write_bytes(bytes([value]) * 64)
        records.append(Record(place, {"image": Source(tmp_path / place / "a.mhd")}, place))
    stores = [open_store([record], SETTINGS, tmp_path / "cache") for record in records]
    assert [store.values[0, 0, 0, 0] for store in stores] == [1, 2]
    assert set(stores[0].files) == {str(tmp_path / "one" / name) for name in ("a.mhd", "a.raw")}
    (tmp_path / "one" / "a.raw").write_bytes(bytes([7]) * 64)
    assert open_store(records[:1], SETTINGS, tmp_path / "cache").values[0, 0, 0, 0] == 7
    (tmp_path / "one" / "a.raw").unlink()
    left = open_store(records, SETTINGS, tmp_path / "cache", skip_unreadable=True)
    assert left.failures[0][0] == "one"
    assert "a.raw: cannot be read: No such file" in left.failures[0][1]


@pytest.mark.parametrize(
    "name",
    [
        "Größe Ärztin.png",
        "снимок.png",
        "胸部X線.png",
        "صورة.png",
        "🫁.png",
        "a\nb.png",
        "'$(x)'.png",
    ],
)
def test_names_in_any_alphabet(make_pictures, tmp_path, name):
    (record,) = make_pictures(1)
    place = record.source.path.parent / "Каталог 資料"
    place.mkdir()
    path = record.source.path.rename(place / name)
    moved = Record(name, {"image": Source(path)}, name)
    for _ in range(2):  # The second time from what is remembered.
        store = open_store([moved], SETTINGS, tmp_path)
        np.testing.assert_array_equal(store.values[0], read_image(moved.source).values)
    path.write_bytes(b"")
    with pytest.raises(ReadError) as caught:
        open_store([moved], SETTINGS, tmp_path)
    assert "\n" not in str(caught.value)


def test_names_that_are_no_utf_8(make_pictures, tmp_path):
    (record,) = make_pictures(1)
    path = record.source.path.rename(record.source.path.parent / os.fsdecode(b"\xff.p\xfe"))
    moved = Record("odd", {"image": Source(path)}, "odd")
    store = open_store([moved], SETTINGS, tmp_path)
    np.testing.assert_array_equal(store.values[0], read_image(moved.source).values)
