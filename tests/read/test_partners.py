from pathlib import Path

import nibabel
import numpy as np
import pytest

from medclf.core.record import Source
from medclf.read.image import IMAGE_SUFFIXES, looks_like_image
from medclf.read.partners import PARTNER_SUFFIXES, files_of

META = b"NDims = 3\nDimSize = 2 2 2\nElementType = MET_CHAR\nElementDataFile = "
NRRD = b"NRRD0004\ntype: int8\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n"


@pytest.mark.parametrize(
    ("name", "head", "data"),
    [
        ("a.mhd", META + b"in/b.raw\n", ["in/b.raw"]),
        ("a.mha", META + b"LOCAL\n12345678", []),
        ("a.mhd", META + b"b%d.raw 1 2 1\n", ["b1.raw", "b2.raw"]),
        ("a.mhd", META + b"LIST\nb.raw\nc.raw\n", ["b.raw", "c.raw"]),
        ("a.mhd", META + b"../b.raw\n", []),
        ("a.mhd", b"NDims = 3\n", []),
        ("a.nhdr", NRRD + b"data file: b.raw\n", ["b.raw"]),
        ("a.nhdr", NRRD + b"datafile: LIST\nb.raw\nc.raw", ["b.raw", "c.raw"]),
        ("a.nrrd", NRRD + b"\n12345678", []),
        ("a.hdr", b"#?RADIANCE\n", []),
        ("a.png", META + b"b.raw\n", []),
    ],
)
def test_a_header_tells_the_files_of_its_data(tmp_path, name, head, data):
    (tmp_path / name).write_bytes(head)
    assert files_of(Source(tmp_path / name)) == (tmp_path / name, *(tmp_path / n for n in data))


def test_pairs_parts_and_members(tmp_path):
    nibabel.save(nibabel.Nifti1Pair(np.zeros((2, 2, 2)), np.eye(4)), tmp_path / "a.hdr")
    assert files_of(Source(tmp_path / "a.hdr")) == (tmp_path / "a.hdr", tmp_path / "a.img")
    (tmp_path / "a.img").unlink()
    assert files_of(Source(tmp_path / "a.hdr")) == (tmp_path / "a.hdr",)
    parts = (Source(Path("s/1")), Source(Path("s/2")), Source(Path("s/1")))
    assert files_of(Source(Path("s"), parts=parts)) == (Path("s/1"), Path("s/2"))
    assert files_of(Source(Path("a.zip"), "a.mhd")) == (Path("a.zip"),)
    assert files_of(Source(Path("absent.mhd"))) == (Path("absent.mhd"),)


def test_pixels_alone_are_no_images():
    assert not set(PARTNER_SUFFIXES) & set(IMAGE_SUFFIXES)
    assert not any(looks_like_image(f"scan{suffix}") for suffix in PARTNER_SUFFIXES)
