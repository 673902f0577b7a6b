import os
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from medclf.errors import ReadError
from medclf.read.once import once


def test_loads_once_for_many_threads_and_anew_when_the_file_changes(tmp_path):
    calls = []

    @once(keep=2)
    def load(path, member):
        calls.append(member)
        sleep(0.02)
        return path.read_text() + member

    path = tmp_path / "a"
    path.write_text("old ")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: load(path, "x"), range(50))) == {"old x"}
    assert calls == ["x"]
    path.write_text("newer ")
    assert load(path, "x") == "newer x"
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    load(path, "x")
    assert calls == ["x"] * 3


def test_keeps_only_so_many(tmp_path):
    calls = []

    @once(keep=2)
    def load(path, member):
        calls.append(member)
        return member

    for member in "abcab":
        load(tmp_path, member)
    assert calls == list("abcab")


def test_absent_file(tmp_path):
    with pytest.raises(ReadError, match=r"none: cannot be read: No such file"):
        once(keep=1)(lambda path, member: None)(tmp_path / "none", "")
