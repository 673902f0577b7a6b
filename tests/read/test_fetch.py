import hashlib
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from medclf.errors import FetchError, SettingError
from medclf.read import fetch as module
from medclf.read.fetch import REMOTES, Remote, download, fetch

RAW = np.random.default_rng(0).integers(0, 256, 1_000_000, np.uint8).tobytes()
MD5 = hashlib.md5(RAW, usedforsecurity=False).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serve RAW with ranges; break off after so many bytes as the test says, once for each."""

    def do_GET(self):
        server = self.server
        server.asked.append(self.headers.get("Range"))
        if self.path.startswith("/status/"):
            self.send_error(int(self.path.split("/")[2]))
            return
        start, found = 0, re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if found and server.ranges:
            start = int(found[1])
        if start >= len(server.raw):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(server.raw) - start))
        self.end_headers()
        left = server.breaks.pop(0) if server.breaks else len(server.raw)
        self.wfile.write(server.raw[start : start + left])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.raw, made.ranges, made.breaks, made.asked = RAW, True, [], []
        made.base = f"http://127.0.0.1:{made.server_port}"
        thread = Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def remote(server):
    return Remote(f"{server.base}/set.npz", MD5)


def test_a_whole_file(server, remote, tmp_path):
    seen = []
    path = download(remote, tmp_path / "new", lambda *told: seen.append(told))
    assert path.read_bytes() == RAW
    assert seen[-1] == ("set.npz", len(RAW), len(RAW))
    assert [told[1] for told in seen] == sorted(told[1] for told in seen)
    assert [p.name for p in path.parent.iterdir()] == ["set.npz"]


def test_what_is_there_is_not_asked_for_again(server, remote, tmp_path):
    download(remote, tmp_path)
    assert download(remote, tmp_path).read_bytes() == RAW
    assert server.asked == [None]


def test_a_broken_connection_is_continued(server, remote, tmp_path):
    server.breaks = [300_000, 100_000]
    assert download(remote, tmp_path).read_bytes() == RAW
    assert server.asked == [None, "bytes=300000-", "bytes=400000-"]


def test_a_part_of_an_earlier_call_is_continued(server, remote, tmp_path):
    (tmp_path / "set.npz.part").write_bytes(RAW[:123_456])
    assert download(remote, tmp_path).read_bytes() == RAW
    assert server.asked == ["bytes=123456-"]


def test_a_connection_that_keeps_breaking_leaves_its_part(server, remote, tmp_path, monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    server.breaks = [1000] * module.TRIES
    with pytest.raises(FetchError, match="broke off"):
        download(remote, tmp_path)
    part = tmp_path / "set.npz.part"
    assert part.read_bytes() == RAW[: 1000 * module.TRIES]
    assert not (tmp_path / "set.npz").exists()
    assert download(remote, tmp_path).read_bytes() == RAW
    assert not part.exists()


def test_a_server_without_ranges_starts_anew(server, remote, tmp_path):
    server.ranges = False
    (tmp_path / "set.npz.part").write_bytes(RAW[:5000])
    assert download(remote, tmp_path).read_bytes() == RAW


def test_a_whole_part_is_only_renamed(server, remote, tmp_path):
    (tmp_path / "set.npz.part").write_bytes(RAW)
    assert download(remote, tmp_path).read_bytes() == RAW


@pytest.mark.parametrize("part", [b"", b"rubbish", RAW + b"x"])
def test_a_tampered_file_is_refused_and_removed(server, remote, tmp_path, part):
    if part:
        (tmp_path / "set.npz.part").write_bytes(part)
    else:
        server.raw = RAW[:-1] + b"?"
    with pytest.raises(FetchError, match=r"set\.npz: the file is not the published one"):
        download(remote, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_file_of_that_name_is_kept(server, remote, tmp_path):
    (tmp_path / "set.npz").write_bytes(b"mine")
    with pytest.raises(FetchError, match="move it away first"):
        download(remote, tmp_path)
    assert (tmp_path / "set.npz").read_bytes() == b"mine"
    assert server.asked == []


def test_no_network_is_one_clear_line(tmp_path):
    remote = Remote("http://127.0.0.1:1/set.npz", MD5)
    with pytest.raises(FetchError) as problem:
        download(remote, tmp_path / "new" / "data")
    said = str(problem.value)
    assert said.startswith("http://127.0.0.1:1/set.npz: cannot be downloaded: ")
    assert said.endswith(f"if you have the file, put it at {tmp_path / 'new/data/set.npz'}")
    assert "refused" in said
    assert "\n" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("status", "times"), [(404, 1), (503, 4)])
def test_an_error_of_the_server(server, tmp_path, monkeypatch, status, times):
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    with pytest.raises(FetchError, match=f"the server answered {status}"):
        download(Remote(f"{server.base}/status/{status}/a.npz", MD5), tmp_path)
    assert len(server.asked) == times


def test_a_folder_that_cannot_be_written(server, remote, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        FetchError, match=r"part: cannot be written: (File exists|Not a directory)$"
    ):
        download(remote, tmp_path / "file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk(server, remote, tmp_path):
    (tmp_path / "set.npz.part").symlink_to("/dev/full")
    with pytest.raises(FetchError, match=r"cannot be written: .*No space left"):
        download(remote, tmp_path)
    assert not (tmp_path / "set.npz").exists()


def test_fetch_returns_a_file_or_a_folder(server, tmp_path, monkeypatch):
    one = {"one": (Remote(f"{server.base}/one.npz", MD5),)}
    two = {"two": (Remote(f"{server.base}/a.gz", MD5), Remote(f"{server.base}/b.gz", MD5))}
    monkeypatch.setattr(module, "REMOTES", one | two)
    assert fetch("one", tmp_path) == tmp_path / "one.npz"
    assert fetch("two", tmp_path) == tmp_path / "two"
    assert sorted(p.name for p in (tmp_path / "two").iterdir()) == ["a.gz", "b.gz"]


def test_the_first_digits_of_a_longer_checksum_do(server, tmp_path):
    digits = hashlib.sha256(RAW).hexdigest()[:8]
    there = download(Remote(f"{server.base}/a.pth", sha256=digits), tmp_path)
    assert there.read_bytes() == RAW
    other = Remote(f"{server.base}/b.pth", sha256=digits[::-1])
    with pytest.raises(FetchError, match=rf"checksum {digits[::-1]} wanted\); it was removed"):
        download(other, tmp_path)
    with pytest.raises(FetchError, match="not the published one"):
        download(Remote(f"{server.base}/c.pth"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]


def test_offline_asks_for_nothing(server, remote, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCLF_OFFLINE", "1")
    with pytest.raises(FetchError, match=r"set\.npz: not there, and MEDCLF_OFFLINE forbids"):
        download(remote, tmp_path)
    (tmp_path / "set.npz").write_bytes(RAW)
    assert download(remote, tmp_path).read_bytes() == RAW
    assert server.asked == []
    monkeypatch.setenv("MEDCLF_OFFLINE", "0")
    assert download(remote, tmp_path / "new").read_bytes() == RAW


def test_an_unknown_name_names_the_nearest(tmp_path):
    with pytest.raises(SettingError, match="did you mean breastmnist"):
        fetch("brestmnist", tmp_path)
    with pytest.raises(SettingError, match=r"known are .*cifar10, cifar100.*mnist"):
        fetch("zzz", tmp_path)


def test_the_table():
    assert len(REMOTES) == 21
    assert REMOTES["breastmnist"][0].url == (
        "https://zenodo.org/records/10519652/files/breastmnist.npz"
    )
    for remotes in REMOTES.values():
        for remote in remotes:
            assert remote.url.startswith("https://")
            assert re.fullmatch("[0-9a-f]{32}", remote.md5)


def test_checksums_are_those_of_torchvision():
    found = find_spec("torchvision")
    if found is None:
        pytest.skip("torchvision is not installed")
    folder = Path(found.origin).parent / "datasets"
    said = (folder / "mnist.py").read_text() + (folder / "cifar.py").read_text()
    for name in ("mnist", "cifar10", "cifar100"):
        for remote in REMOTES[name]:
            assert f'"{remote.md5}"' in said
            assert remote.url.rpartition("/")[0] in said
            assert remote.name in said
