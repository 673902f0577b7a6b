import hashlib
import json
import os
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest

from medclf.core.record import Source
from medclf.prepare import digest
from medclf.prepare.digest import digest_files, digest_rows, take_stamp
from medclf.prepare.exam import Prepare

SETTINGS = Prepare((8, 8), 1)


@pytest.fixture
def settled(monkeypatch):
    """Trust the times of files that were written just now."""
    monkeypatch.setattr(digest, "SETTLED_NS", 0)


@pytest.fixture
def read_files(monkeypatch):
    """Name the files whose contents are read."""
    names = []
    true = digest.open_file

    def spy(path):
        names.append(path.name)
        return true(path)

    monkeypatch.setattr(digest, "open_file", spy)
    return names


def _write(path, text):
    path.write_text(text)
    return path


def test_digest_is_sha256_of_the_contents(tmp_path):
    path = _write(tmp_path / "a", "abc")
    found, failures = digest_files([path], tmp_path / "known")
    assert found[path].digest == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert found[path].stamp == take_stamp(path)
    assert failures == {}


def test_a_file_of_several_pieces_is_digested_whole(tmp_path):
    path = _write(tmp_path / "a", "x" * (2 * digest.PIECE) + "the rest")
    found, _ = digest_files([path], tmp_path / "known")
    assert found[path].digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_files_are_read_once(tmp_path, settled, read_files):
    paths = [_write(tmp_path / name, name) for name in "abc"]
    time.sleep(0.02)
    first, _ = digest_files(paths, tmp_path / "known")
    assert sorted(read_files) == ["a", "b", "c"]
    _write(paths[1], "changed")
    time.sleep(0.02)
    second, _ = digest_files(paths, tmp_path / "known")
    assert sorted(read_files) == ["a", "b", "b", "c"]
    assert first[paths[0]] == second[paths[0]]
    assert first[paths[1]].digest != second[paths[1]].digest


def test_same_size_and_time_do_not_hide_a_change(tmp_path, settled):
    path = _write(tmp_path / "a", "one")
    time.sleep(0.02)
    first, _ = digest_files([path], tmp_path / "known")
    times = path.stat()
    _write(path, "two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    second, _ = digest_files([path], tmp_path / "known")
    assert first[path].digest != second[path].digest


def test_fresh_files_are_not_remembered(tmp_path, read_files):
    path = _write(tmp_path / "a", "abc")
    for _ in range(2):
        digest_files([path], tmp_path / "known")
    assert read_files == ["a", "a"]
    assert not (tmp_path / "known").exists()


def test_damaged_memory_is_passed_over(tmp_path, settled, read_files):
    paths = [_write(tmp_path / name, name) for name in "ab"]
    time.sleep(0.02)
    digest_files(paths, tmp_path / "known")
    first, second = (tmp_path / "known").read_text().splitlines()
    (tmp_path / "known").write_bytes(
        b"\xff\n{}\n[1]\n" + first.encode() + b"\n" + second[:20].encode()
    )
    found, _ = digest_files(paths, tmp_path / "known")
    assert read_files.count("a") == 1
    assert read_files.count("b") == 2
    assert found[paths[1]].digest == json.loads(second)[-1]


def test_absent_files_and_folders_are_told(tmp_path):
    here, gone = _write(tmp_path / "here", ""), tmp_path / "gone.png"
    found, failures = digest_files([here, gone, tmp_path], tmp_path / "known")
    assert list(found) == [here]
    assert failures[gone] == f"{gone}: cannot be read: No such file or directory"
    assert failures[tmp_path] == f"{tmp_path}: cannot be read: Is a directory"


def test_pipes_are_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    _, failures = digest_files([pipe], tmp_path / "known")
    assert failures[pipe] == f"{pipe}: cannot be read: a file wanted, found a pipe or a device"


def test_rows_digest_knows_contents_order_and_place():
    rows = [(Source(Path("a.png")), "11"), (Source(Path("b.npz"), "x", 0), "22")]
    same = [(Source(Path("moved/c.PNG")), "11"), (Source(Path("d.npz"), "x", 0), "22")]
    assert digest_rows(rows, SETTINGS) == digest_rows(same, SETTINGS)
    others = [
        rows[::-1],
        rows[:1],
        [rows[0], (rows[1][0], "23")],
        [rows[0], (Source(Path("b.npz"), "y", 0), "22")],
        [rows[0], (Source(Path("b.npz"), "x", 1), "22")],
        [(Source(Path("a.dcm")), "11"), rows[1]],
    ]
    digests = {digest_rows(other, SETTINGS) for other in [rows, *others]}
    assert len(digests) == 1 + len(others)


def test_rows_digest_knows_every_setting():
    changes = {
        "size": (8, 9),
        "channels": 3,
        "spacing_mm": (1.0, 1.0, 1.0),
        "fit": "letterbox",
        "intensity": "window",
        "percentiles": (1.0, 99.0),
        "window": (-160.0, 240.0),
        "unit": "SUV",
        "orientation": "patient",
        "crop": "body",
        "bias": "n4",
        "landmarks": (0.0, 1.0),
        "site": "scanner",
        "sites": ("north",),
        "site_landmarks": (0.0, 1.0),
        "order": 3,
        "antialias": False,
        "dtype": "float16",
    }
    assert set(changes) == {field.name for field in fields(Prepare)}
    rows = [(Source(Path("a.png")), "11")]
    plain = Prepare((8, 8, 8), 1)
    digests = {digest_rows(rows, replace(plain, **{k: v})) for k, v in changes.items()}
    assert len(digests | {digest_rows(rows, plain)}) == 1 + len(changes)
