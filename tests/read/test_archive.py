import gzip
import os
import stat
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, FileIO

import pytest

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read import archive
from medclf.read.archive import list_members, read_bytes, read_start


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


def test_a_packed_tar_of_many_files_is_refused(tmp_path, monkeypatch):
    """Reading each would unpack all before it."""
    monkeypatch.setattr("medclf.read.archive.MEMBERS", 3)
    raws = {f"{n}.dcm": b"" for n in range(4)}
    with pytest.raises(ReadError, match=r"many\.tar\.gz: 4 files; at most 3 .* make it a zip"):
        list_members(write_tar(tmp_path / "many.tar.gz", raws))
    assert len(list_members(write_zip(tmp_path / "many.zip", raws))) == 4


def test_reads_a_plain_file(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"abc")
    assert read_bytes(Source(tmp_path / "a.bin")) == b"abc"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_gives_back_what_was_written(tmp_path, members, method):
    path = write_zip(tmp_path / "a.zip", members, method)
    assert list_members(path) == sorted(members)
    for name, raw in members.items():
        assert read_bytes(Source(path, name)) == raw


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("count", [1, 132, 20_000, 10**6])
def test_the_start_of_a_member_is_read_without_the_rest(tmp_path, method, count, monkeypatch):
    raws = {"noise": os.urandom(50_000), "words": b"patient " * 9_000, "empty": b""}
    path = write_zip(tmp_path / "a.zip", raws, method)
    write_tar(tmp_path / "a.tar.gz", raws)
    for name, raw in raws.items():
        (tmp_path / name).write_bytes(raw)
        tarred = Source(tmp_path / "a.tar.gz", name)
        assert read_start(Source(tmp_path / name), count) == raw[:count]
        assert read_start(tarred, count) == raw[:count]
    monkeypatch.setattr(archive, "inflate_bare", None)
    for name, raw in raws.items():
        assert read_start(Source(path, name), count) == raw[:count]


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


def tar_of(names, end=tarfile.NUL * 2 * tarfile.BLOCKSIZE):
    """The bytes of a tar with a block of x for each member, and its end."""
    blocks = []
    for name in names:
        info = tarfile.TarInfo(name)
        info.size = tarfile.BLOCKSIZE
        blocks += [info.tobuf(), b"x" * tarfile.BLOCKSIZE]
    return b"".join(blocks) + end


def test_members_behind_a_damaged_header_of_a_tar_are_not_lost_in_silence(tmp_path):
    path, raw = tmp_path / "a.tar", bytearray(tar_of("abc"))
    path.write_bytes(raw)
    assert list_members(path) == ["a", "b", "c"]
    raw[2 * tarfile.BLOCKSIZE + 150] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ReadError, match=r"a\.tar: damaged or cut short: no end behind its last"):
        list_members(path)


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_a_tar_cut_between_its_members_is_refused(tmp_path, suffix):
    path, raw = tmp_path / f"a.{suffix}", tar_of("ab", end=b"")
    path.write_bytes(gzip.compress(raw) if suffix == "tar.gz" else raw)
    with pytest.raises(ReadError, match="damaged or cut short: no end behind its last member"):
        list_members(path)


def test_the_checksum_behind_a_packed_tar_is_looked_at(tmp_path):
    path, raw = tmp_path / "a.tar.gz", bytearray(gzip.compress(tar_of("ab")))
    raw[-8] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ReadError, match=r"a\.tar\.gz: damaged or cut short: CRC check failed"):
        list_members(path)


def test_what_is_packed_behind_the_end_of_a_tar_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LIMIT", 2**20)
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(tar_of("ab") + bytes(2**22)))
    with pytest.raises(ReadError, match=r"unpacks to .* bytes; at most 2,097,152 are read"):
        list_members(path)


def test_a_tar_that_claims_too_much_is_refused_before_it_is_unpacked(tmp_path):
    info = tarfile.TarInfo("a")
    info.size = 2**40
    (tmp_path / "a.tar").write_bytes(info.tobuf() + tarfile.NUL * 1024)
    with pytest.raises(ReadError, match=r"a\.tar: unpacks to 1,099,511,627,776 bytes"):
        list_members(tmp_path / "a.tar")


def test_links_in_archives_lead_nowhere(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            info = tarfile.TarInfo(f"link{kind[0]}")
            info.type, info.linkname = kind, str(tmp_path / "secret")
            packed.addfile(info)
    assert list_members(tmp_path / "a.tar") == []
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = write_zip(tmp_path / "a.zip", {link: str(tmp_path / "secret")})
    assert read_bytes(Source(path, "link")) == bytes(tmp_path / "secret")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_names_in_other_alphabets(tmp_path, kind):
    names = {"胸部/Ωμέγα.png": b"1", "снимок №1.png": b"2", "a/ﺻﺪﺭ.png": b"3"}
    path = (write_zip if kind == "zip" else write_tar)(tmp_path / f"παλιό.{kind}", names)
    assert list_members(path) == sorted(names)
    assert {name: read_bytes(Source(path, name)) for name in names} == names


def test_a_file_that_is_written_to_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    class Late(FileIO):
        def read(self, size=-1):
            os.utime(path, ns=(1, 1))
            return super().read(size)

    assert read_bytes(Source(path)) == b"old"
    monkeypatch.setattr(archive, "open_file", Late)
    with pytest.raises(ReadError, match=r"a\.bin: this file changed while it was read"):
        read_bytes(Source(path))
