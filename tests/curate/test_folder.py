"""Folders on disk and inside a zip: listing, and finding what a table names."""

import pytest

from medclf.core.record import Source
from medclf.curate.folder import find_beside, list_files, locate
from medclf.errors import CohortError, ReadError


def test_listing_sets_apart_what_is_there(lay):
    root = lay("b/2.PNG", "a/1.nii.gz", "list.csv", "a/Thumbs.db", "read.me.txt", "more.zip",
               "a/scan.dcm", "notes.txt")  # fmt: skip
    listing = list_files(root)
    assert list(listing.images) == ["a/1.nii.gz", "a/scan.dcm", "b/2.PNG"]
    assert list(listing.tables) == ["list.csv"]
    assert list(listing.archives) == ["more.zip"]
    assert listing.skipped == {".db": 1, ".txt": 2}
    assert listing.tell_skipped() == ["Files that are no images were left out: 1 .db, 2 .txt."]
    packed = root.is_file()
    wanted = Source(root, "b/2.PNG") if packed else Source(root / "b/2.PNG")
    assert listing.images["b/2.PNG"] == wanted


def test_pixels_that_belong_to_a_header_are_not_told_as_left_out(lay):
    names = ["a/1.mhd", "a/1.raw", "b/2.hdr", "b/2.img", "b/3.nhdr", "b/3.raw"]
    listing = list_files(lay(*names, "notes.txt"))
    assert list(listing.images) == ["a/1.mhd", "b/2.hdr", "b/3.nhdr"]
    assert listing.skipped == {".txt": 1}


def test_pixels_without_a_header_are_told_as_left_out(lay):
    assert list_files(lay("a/1.png", "a/1.raw")).skipped == {".raw": 1}


def test_hidden_files_are_no_images(lay):
    listing = list_files(lay("a/1.png", ".git/2.png", "__MACOSX/a/._1.png", "a/._1.png"))
    assert list(listing.images) == ["a/1.png"]


def test_links_are_followed_but_not_in_circles(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "1.png").touch()
    data = tmp_path / "data"
    data.mkdir()
    (data / "a").symlink_to(tmp_path / "store")
    (data / "again").symlink_to(data)
    listing = list_files(data)
    assert list(listing.images) == ["a/1.png"]
    assert listing.tell_skipped() == ["Links lead to 1 file outside of the folder."]
    (data / "b").mkdir()
    (data / "b" / "2.png").touch()
    (data / "b" / "3.png").symlink_to(data / "b" / "2.png")
    (data / "b" / "4.png").symlink_to(tmp_path / "store" / "1.png")
    assert list_files(data).outside == 2


def test_dicom_without_a_suffix_is_known_by_its_signature(tmp_path):
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "1.2.840.17").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "LICENCE").write_bytes(b"words " * 100)
    assert list(list_files(tmp_path).images) == ["1.2.840.17", "IM0001"]


def test_nothing_there(tmp_path):
    with pytest.raises(ReadError, match="nothing found"):
        list_files(tmp_path / "none")


def test_find_by_path_by_name_and_without_suffix(lay):
    listing = list_files(
        lay("x/p1/view.png", "x/p2/view.png", "x/p2/ISIC_1.jpg", "x/3-a.png.jpg", "brain.nii.gz")
    )
    names = {source: name for name, source in listing.images.items()}
    for text, name in {
        "x/p1/view.png": "x/p1/view.png",
        "./x/p1/view.png": "x/p1/view.png",
        "x\\p2\\view.png": "x/p2/view.png",
        "other/p2/view.png": "x/p2/view.png",
        "ISIC_1.jpg": "x/p2/ISIC_1.jpg",
        "ISIC_1": "x/p2/ISIC_1.jpg",
        "3-a.png": "x/3-a.png.jpg",
        "brain": "brain.nii.gz",
    }.items():
        assert names[listing.find(text)] == name
    assert [listing.find(text) for text in ("ISIC_2", "ISIC_1.png", "", "p1")] == [None] * 4
    for text in ("view.png", "view", "y/view.png"):
        with pytest.raises(CohortError, match=r"2 images: x/p1/view\.png, x/p2/view\.png"):
            listing.find(text)


def test_a_file_in_another_folder_than_was_named_is_none_where_folders_are_a_choice(lay):
    """Else a missing image of one patient would be that of another, whose file is called alike."""
    listing = list_files(lay("a/p1/img.png", "a/p2/img.png", "b/p3/img.png", "b/p4/scan.png"))
    for text in ("a/p3/img.png", "c/p4/scan.png", "/mnt/a/p4/scan.png"):
        assert listing.find(text) is None
    for text in ("p3/img.png", "/mnt/b/p3/img.png", "old/b/p3/img.png", "scan.png"):
        assert listing.find(text) is not None


def test_find_beside(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a.png").touch()
    wanted = Source(tmp_path / "img" / "a.png")
    for text in ("img/a.png", "img\\a.png", "./img/a.png", str(tmp_path / "img" / "a.png")):
        assert find_beside(tmp_path, text) == wanted
    for text in ("img", "a.png", "x" * 5000, "img/\0"):
        assert find_beside(tmp_path, text) is None


def test_locate_refuses_missing_and_repeated_files(lay):
    listing = list_files(lay("a.png", "b.png"))
    found = locate([{"image": "a"}, {"image": "b.png"}], listing.find, "t.csv")
    assert [here["image"] for here in found] == list(listing.images.values())
    with pytest.raises(CohortError, match=r"t.csv: 4 of 5 files missing: c, d, e, …; .*--images"):
        locate([{"image": text} for text in "cdeaf"], listing.find, "t.csv")
    with pytest.raises(CohortError, match=r"t.csv: one row per image wanted, 1 .* several rows: a"):
        locate([{"image": "a"}, {"image": "b"}, {"image": "a.png"}], listing.find, "t.csv")
