import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.archive import list_members, read_bytes


@pytest.fixture
def members():
    return {f"train/{n % 3}/{n:03d}.bin": bytes([n % 256]) * (100 + n) for n in range(300)}


def write_zip(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return path


def write_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, raw in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, BytesIO(raw))
    return path


def test_reads_a_plain_file(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"abc")
    assert read_bytes(Source(tmp_path / "a.bin")) == b"abc"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_gives_back_what_was_written(tmp_path, members, method):
    path = write_zip(tmp_path / "a.zip", members, method)
    assert list_members(path) == sorted(members)
    for name, raw in members.items():
        assert read_bytes(Source(path, name)) == raw


def test_tar_gives_back_what_was_written(tmp_path, members):
    few = dict(list(members.items())[:9])
    path = write_tar(tmp_path / "a.tar.gz", few)
    assert list_members(path) == sorted(few)
    assert {name: read_bytes(Source(path, name)) for name in few} == few


def test_many_threads_read_one_zip(tmp_path, members):
    path = write_zip(tmp_path / "a.zip", members)
    names = list(members) * 5
    with ThreadPoolExecutor(8) as pool:
        for name, raw in zip(
            names, pool.map(lambda n: read_bytes(Source(path, n)), names), strict=True
        ):
            assert raw == members[name]


def test_zip_within_a_zip(tmp_path):
    inner = write_zip(tmp_path / "inner.npz", {"x.npy": b"values"})
    outer = write_zip(tmp_path / "outer.zip", {"sub/inner.npz": inner.read_bytes()})
    assert list_members(outer, "sub/inner.npz") == ["x.npy"]
    assert read_bytes(Source(outer, "sub/inner.npz!x.npy")) == b"values"


def test_folders_and_hidden_members_are_left_out(tmp_path):
    names = ["a/", "a/1.png", "__MACOSX/a/._1.png", "a/.DS_Store", ".git/x.png"]
    path = write_zip(tmp_path / "a.zip", dict.fromkeys(names, b""))
    assert list_members(path) == ["a/1.png"]


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/x.png", "C:/x.png", "..\\x"])
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_names_that_leave_the_folder_are_refused(tmp_path, name, kind):
    write = write_zip if kind == "zip" else write_tar
    path = write(tmp_path / f"a.{kind}", {name: b"x"})
    with pytest.raises(ReadError, match="leaves its folder"):
        list_members(path)
    with pytest.raises(ReadError, match="leaves its folder"):
        read_bytes(Source(path, name))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused_unless_they_are_copies(tmp_path):
    for second, fine in ((b"one", True), (b"two", False)):
        path = tmp_path / f"{fine}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.bin", b"one")
            archive.writestr("a.bin", second)
        if fine:
            assert read_bytes(Source(path, "a.bin")) == b"one"
        else:
            with pytest.raises(ReadError, match=r"two different members are called 'a\.bin'"):
                list_members(path)
    path = tmp_path / "twice.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("a.bin"))
        archive.addfile(tarfile.TarInfo("a.bin"))
    with pytest.raises(ReadError, match=r"two members are called 'a\.bin'"):
        list_members(path)


def test_dots_within_a_name_are_no_escape(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a..b/c..png": b"x"})
    assert list_members(path) == ["a..b/c..png"]


def test_a_bomb_by_ratio_is_refused(tmp_path):
    path = write_zip(tmp_path / "bomb.zip", {"zeros.bin": bytes(70 * 2**20)})
    with pytest.raises(ReadError, match="bomb"):
        read_bytes(Source(path, "zeros.bin"))


def test_a_bomb_by_size_is_refused_before_it_is_unpacked(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.bin": bytes(2000)})
    with pytest.raises(ReadError, match=r"a.zip!a.bin: unpacks to 2,000 bytes; at most 1,999"):
        read_bytes(Source(path, "a.bin"), limit=1999)


def test_a_member_longer_than_it_claims_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.bin": bytes(5000)})
    raw = path.read_bytes()
    path.write_bytes(raw.replace((5000).to_bytes(4, "little"), (40).to_bytes(4, "little")))
    with pytest.raises(ReadError, match="damaged: it does not unpack to 40 bytes"):
        read_bytes(Source(path, "a.bin"))


def test_a_damaged_member_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.bin": b"hello hello"}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"hello hello", b"hello hellO"))
    with pytest.raises(ReadError, match=r"a.zip!a.bin: damaged"):
        read_bytes(Source(path, "a.bin"))


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_cut_short_is_refused(tmp_path, members, kind):
    write = write_zip if kind == "zip" else write_tar
    few = dict(list(members.items())[:9])
    raw = write(tmp_path / f"a.{kind}", few).read_bytes()
    path = tmp_path / f"cut.{kind}"
    for cut in range(0, len(raw) - 30, len(raw) // 40):
        path.write_bytes(raw[:cut])
        with pytest.raises(ReadError, match="cut"):
            read_bytes(Source(path, list(few)[-1]))


def test_an_encrypted_member_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.bin": b"x"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(ReadError, match="encrypted"):
        read_bytes(Source(path, "a.bin"))


def test_what_is_absent_is_named(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.bin": b"x"})
    with pytest.raises(ReadError, match=r"a.zip!b.bin: the archive has no such member"):
        read_bytes(Source(path, "b.bin"))
    with pytest.raises(ReadError, match=r"none.zip.*: No such file"):
        read_bytes(Source(tmp_path / "none.zip", "b.bin"))
    with pytest.raises(ReadError, match=r"none.png: cannot be read: No such file"):
        read_bytes(Source(tmp_path / "none.png"))
    with pytest.raises(ReadError, match="Is a directory"):
        read_bytes(Source(tmp_path))


def test_a_replaced_archive_is_read_anew(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.bin": b"old"})
    assert read_bytes(Source(path, "a.bin")) == b"old"
    write_zip(path, {"a.bin": b"new and longer"})
    assert read_bytes(Source(path, "a.bin")) == b"new and longer"


def test_real_archive(real_data):
    path = real_data / "kermany_chest_xray" / "images.zip"
    names = list_members(path)
    assert len(names) == 5840
    with zipfile.ZipFile(path) as archive:
        for name in names[::500]:
            assert read_bytes(Source(path, name)) == archive.read(name)
