import zipfile
from pathlib import Path

import pytest

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.beside import beside, find_beside, number_names, read_beside


def test_a_partner_lies_in_the_folder_or_below_or_in_the_archive(tmp_path):
    source = Source(tmp_path / "a.mhd")
    assert beside(source, "in/b.raw") == Source(tmp_path / "in" / "b.raw")
    assert beside(source, "in\\b.raw") == Source(tmp_path / "in" / "b.raw")
    archive = Source(Path("a.zip"), "x/a.mhd")
    assert beside(archive, "b.raw") == Source(Path("a.zip"), "x/b.raw")
    nested = Source(Path("a.zip"), "x/in.zip!y/a.mhd")
    assert beside(nested, "./b.raw") == Source(Path("a.zip"), "x/in.zip!y/b.raw")


@pytest.mark.parametrize(
    "name", ["", " ", "../b", "/b", "\\b", "C:b", "a/../../b", "..", "~", "a\0b"]
)
def test_outside_of_the_folder_nothing_is_opened(tmp_path, name):
    for source in (Source(tmp_path / "a.mhd"), Source(Path("a.zip"), "x/a.mhd")):
        with pytest.raises(ReadError, match="refused, since its data"):
            beside(source, name)


def test_a_folder_that_is_a_link_is_the_folder(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "b.raw").write_bytes(b"12")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read_beside(Source(tmp_path / "link" / "a.mhd"), "b.raw") == b"12"


def test_names_by_number():
    assert number_names("s%03d.raw 9 11 2", 9) == ["s009.raw", "s011.raw"]
    assert number_names("%d 1 2 1 2", 9) == ["1", "2"]
    assert len(number_names("s%d 0 999999999 1", 5)) == 5
    for pattern in ("s.raw", "s%d.raw", "s%s.raw 1 2 1", "s%099999999d 1 2", "s%d%d 1 2", "s%d 1"):
        assert number_names(pattern, 9) == []


def test_the_other_half_of_a_pair(tmp_path):
    for name in ("a.hdr", "A.HDR", "A.IMG", "b.img.gz", "c.d.img"):
        (tmp_path / name).write_bytes(b"")
    assert find_beside(Source(tmp_path / "A.HDR"), ".img").path.name == "A.IMG"
    assert find_beside(Source(tmp_path / "b.hdr.gz"), ".img", ".img.gz").path.name == "b.img.gz"
    assert find_beside(Source(tmp_path / "c.d.hdr"), ".img").path.name == "c.d.img"
    with pytest.raises(ReadError, match=r"a\.hdr: a header alone: a\.img or a\.img\.gz with"):
        find_beside(Source(tmp_path / "a.hdr"), ".img", ".img.gz")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/a.img", b"")
    assert find_beside(Source(tmp_path / "a.zip", "in/a.hdr"), ".img").member == "in/a.img"
    with pytest.raises(ReadError, match="a header alone"):
        find_beside(Source(tmp_path / "a.zip", "a.hdr"), ".img")
