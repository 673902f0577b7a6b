"""What a crash, a full disk or a second process may do to a store: nothing."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from medclf.core.image import Image
from medclf.errors import ReadError, SettingError
from medclf.prepare import making, order, shelf
from medclf.prepare.exam import Prepare
from medclf.prepare.store import open_store
from medclf.read.image import read_image

SETTINGS = Prepare((8, 8), 1)
COUNT = 40


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(making, "PART_ROWS", 2)


@pytest.fixture
def records(make_pictures):
    return make_pictures(COUNT)


def _whole(store, records):
    wanted = [read_image(record.source).values for record in records]
    np.testing.assert_array_equal(store.values, wanted)


def _names(cache):
    return sorted(path.suffix or "store" for path in (cache / "stores").iterdir())


def _run(work):
    """Run in a process of its own; it ends with 0 if all went well."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def _die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def _no_reading(source):
    raise AssertionError(f"{source} was read although there is no room")


def _ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("images", [0, 1, 15, COUNT])
def test_killed_while_images_are_read(records, tmp_path, images):
    def progress(done, total):
        if done >= images:
            _die()

    read = read_image if images else _die
    child = _run(lambda: open_store(records, SETTINGS, tmp_path, progress, read=read))
    assert _ended(child) == -signal.SIGKILL
    assert _names(tmp_path) == [".lock", ".making"]
    _whole(open_store(records, SETTINGS, tmp_path), records)
    assert _names(tmp_path) == ["store"]


@pytest.mark.parametrize("images", [15, COUNT])
def test_what_was_killed_goes_on_where_it_ended(records, tmp_path, monkeypatch, images):
    monkeypatch.setattr(making, "SECONDS", 0)

    def progress(done, total):
        if done >= images:
            _die()

    child = _run(lambda: open_store(records, SETTINGS, tmp_path, progress))
    assert _ended(child) == -signal.SIGKILL
    done, seen = {record.source for record in records[:images]}, set()

    def look(source):
        seen.add(source)
        return read_image(source)

    _whole(open_store(records, SETTINGS, tmp_path, read=look), records)
    assert not seen & done
    assert _names(tmp_path) == ["store"]


@pytest.mark.parametrize("step", ["_write_text", "_sync_folder", "make_values", "_publish"])
def test_killed_while_it_is_finished(records, tmp_path, monkeypatch, step):
    def work():
        setattr(shelf, step, _die)
        open_store(records, SETTINGS, tmp_path)

    assert _ended(_run(work)) == -signal.SIGKILL
    _whole(open_store(records, SETTINGS, tmp_path), records)
    assert _names(tmp_path) == ["store"]


def test_killed_at_any_moment(records, tmp_path):
    """The moment is left to chance: each time either nothing or a whole store is there."""

    def slow(source):
        time.sleep(0.0005)
        return read_image(source)

    for attempt in range(10):
        settings = Prepare((8, 8 + attempt), 1)
        child = _run(lambda s=settings: open_store(records, s, tmp_path, read=slow))
        time.sleep(0.004 * (attempt + 1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert open_store(records, settings, tmp_path).values.shape == (COUNT, 1, 8, 8 + attempt)
    # A process killed when its store was there already leaves a lock, which the next one sweeps.
    open_store(records, Prepare((8, 30), 1), tmp_path)
    assert set(_names(tmp_path)) == {"store"}


def test_a_store_that_nobody_opened_for_long_goes_when_another_is_made(records, tmp_path):
    names = {}
    for edge in (8, 9):
        before = set((tmp_path / "stores").glob("*"))
        open_store(records, Prepare((8, edge), 1), tmp_path)
        (names[edge],) = set((tmp_path / "stores").glob("*")) - before
    long_ago = time.time() - 86_400 * (shelf.UNUSED_DAYS + 1)
    for place in names.values():
        os.utime(place / "store.json", (long_ago, long_ago))
    used = open_store(records, SETTINGS, tmp_path)  # Which is one that is there.
    assert all(place.is_dir() for place in names.values())
    open_store(records, Prepare((8, 10), 1), tmp_path)
    assert names[8].is_dir()
    assert not names[9].exists()
    _whole(used, records)


def test_what_others_left_is_swept_and_what_is_at_work_is_not(records, tmp_path):
    folder = tmp_path / "stores"
    folder.mkdir()
    for name in ("dead.making", "alive.making"):
        (folder / name).mkdir()
        (folder / name / "values.bin").write_bytes(b"half")
        for path in (folder / name / "values.bin", folder / name):
            os.utime(path, (1, 1))
    (folder / "fresh.making").mkdir()
    (folder / "done.lock").touch()
    with shelf.hold(folder / "alive.lock"):
        child = _run(lambda: open_store(records, SETTINGS, tmp_path))
        assert _ended(child) == 0
        assert (folder / "alive.making").exists()
    assert not (folder / "dead.making").exists()
    assert (folder / "fresh.making").exists()
    assert not (folder / "dead.lock").exists()
    assert not (folder / "done.lock").exists()


def test_two_at_once_make_one(records, tmp_path):
    reads = tmp_path / "reads"

    def slow(source):
        with reads.open("ab", buffering=0) as file:
            file.write(b".")
        time.sleep(0.002)
        return read_image(source)

    def work():
        _whole(open_store(records, SETTINGS, tmp_path / "cache", read=slow), records)

    children = [_run(work) for _ in range(3)]
    assert [_ended(child) for child in children] == [0, 0, 0]
    assert reads.stat().st_size == COUNT
    assert _names(tmp_path / "cache") == ["store"]


def test_a_store_that_came_first_stays(records, tmp_path, monkeypatch):
    """Whoever is late, for lack of a lock that works, loses without harm."""
    first = open_store(records, SETTINGS, tmp_path)
    monkeypatch.setattr(shelf, "_find", lambda *_: None)
    _whole(open_store(records, SETTINGS, tmp_path), records)
    _whole(first, records)
    assert _names(tmp_path) == ["store"]


def test_a_store_of_the_wrong_length_is_made_anew(records, tmp_path):
    store = open_store(records, SETTINGS, tmp_path)
    path = Path(store.values.filename)
    os.truncate(path, 100)
    _whole(open_store(records, SETTINGS, tmp_path), records)


def test_no_disk_space_is_told_before(records, tmp_path, monkeypatch):
    usage = shelf.shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shelf.shutil, "disk_usage", lambda _: usage)
    large = Prepare((1000, 1000), 1)
    with pytest.raises(SettingError, match=r"40\.0 MB wanted .* 1\.0 MB free: .*MEDCLF_CACHE$"):
        open_store(records, large, tmp_path, read=_no_reading)
    assert _names(tmp_path) == []


def test_a_disk_that_fills_up_is_told_and_nothing_is_left(records, tmp_path, monkeypatch):
    true = making.write_rows

    def to_full_disk(file, *others):
        with Path("/dev/full").open("wb", buffering=0) as full:
            yield from true(full, *others)

    monkeypatch.setattr(making, "write_rows", to_full_disk)
    with pytest.raises(SettingError, match="MB wanted for prepared images"):
        open_store(records, SETTINGS, tmp_path)
    assert _names(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_told(records, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match=r"cannot be kept here: .* by MEDCLF_CACHE$"):
        open_store(records, SETTINGS, tmp_path / "file")


def test_interrupt_leaves_what_was_done(records, tmp_path):
    def interrupt(done, total):
        if done > COUNT / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_store(records, SETTINGS, tmp_path, interrupt)
    assert _names(tmp_path) == [".making"]
    _whole(open_store(records, SETTINGS, tmp_path), records)


def test_a_file_that_changes_while_it_is_read_is_told_and_loses_no_other(records, tmp_path):
    """What is read then is not what the digest of the store says."""
    changed = records[25].source

    def meddle(source):
        if source == changed:
            source.path.write_bytes(source.path.read_bytes() + b"\0")
        return Image(np.zeros((1, 8, 8), np.uint8))

    told = r"^1 of 40 images .*025\.png: this file changed while it was prepared"
    with pytest.raises(ReadError, match=told):
        open_store(records, SETTINGS, tmp_path, read=meddle)
    store = open_store(records, SETTINGS, tmp_path, skip_unreadable=True, read=meddle)
    assert [name for name, _ in store.failures] == ["025.png"]
    assert len(store.values) == COUNT - 1


def test_a_file_that_changes_after_it_was_read_is_what_it_was(records, tmp_path):
    early = records[0].source.path
    kept = read_image(records[0].source).values

    def meddle(source):
        if source == records[-1].source:
            early.write_bytes(records[1].source.path.read_bytes())
        return read_image(source)

    store = open_store(records, SETTINGS, tmp_path, read=meddle)
    np.testing.assert_array_equal(store.values[0], kept)
    after = open_store(records, SETTINGS, tmp_path)
    assert after.digest != store.digest
    _whole(after, records)


def test_another_version_makes_its_own(records, tmp_path, monkeypatch):
    first = open_store(records, SETTINGS, tmp_path)
    monkeypatch.setattr(order, "__version__", "99.0")
    second = open_store(records, SETTINGS, tmp_path)
    assert first.digest == second.digest
    assert _names(tmp_path) == ["store", "store"]
