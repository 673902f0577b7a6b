"""Comments, notes and tails leave compressed streams; the pixels that come out stay the same."""

import gzip
from io import BytesIO
from struct import pack

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from medclf.core.record import Source
from medclf.curate.deidentify.others import deidentify_other, is_other, strip_nifti, strip_png
from medclf.curate.deidentify.strip import strip_jpeg, strip_jpeg_2000
from medclf.errors import ReadError
from medclf.read.image import read_image

SECRET = b"Quastenflosser"


@pytest.fixture
def colours():
    return np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)


def saved(values: np.ndarray, form: str, **options: object) -> bytes:
    stream = BytesIO()
    Image.fromarray(values).save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_loses_its_notes_alone(colours, progressive):
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = SECRET.decode()
    raw = saved(colours, "JPEG", comment=SECRET, exif=exif, progressive=progressive)
    raw += b"tail of " + SECRET
    assert raw.count(SECRET) >= 3
    clean = strip_jpeg(raw, "x")
    assert SECRET not in clean
    before, after = Image.open(BytesIO(raw)), Image.open(BytesIO(clean))
    np.testing.assert_array_equal(np.asarray(after), np.asarray(before))
    assert "exif" not in after.info
    assert after.info["jfif_density"] == before.info["jfif_density"]


def test_a_jpeg_that_is_cut_short_is_refused(colours):
    raw = saved(colours, "JPEG")
    for cut in (2, 3, 10, 100, len(raw) // 2, len(raw) - 2):
        with pytest.raises(ReadError, match=r"^x: "):
            strip_jpeg(raw[:cut], "x")


def test_comments_of_jpeg_2000_go(colours):
    raw = saved(colours, "JPEG2000", irreversible=False, comment=SECRET.decode())
    assert SECRET in raw
    clean = strip_jpeg_2000(raw, "x")
    assert SECRET not in clean
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(clean))), colours)


def test_a_png_keeps_what_makes_its_pixels(colours):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", SECRET.decode())
    notes.add_itxt("Comment", SECRET.decode(), zip=True)
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET.decode(), 6
    raw = saved(colours, "PNG", pnginfo=notes, exif=exif) + SECRET
    clean = strip_png(raw, "x")
    assert SECRET not in clean
    after = Image.open(BytesIO(clean))
    np.testing.assert_array_equal(np.asarray(after), colours)
    assert dict(after.getexif()) == {0x0112: 6}
    with pytest.raises(ReadError, match="cut short"):
        strip_png(raw[:200], "x")


def test_how_a_photograph_was_held_stays(colours, key, tmp_path):
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = SECRET.decode(), 8
    raw = saved(colours, "JPEG", exif=exif)
    kind, path, clean = deidentify_other(raw, f"{SECRET.decode()}/one.jpg", key, "x")
    assert (kind, SECRET in clean, SECRET.decode() in path) == ("JPEG", False, False)
    for name, data in (("a.jpg", raw), ("b.jpg", clean)):
        (tmp_path / name).write_bytes(data)
    one, two = (read_image(Source(tmp_path / name)) for name in ("a.jpg", "b.jpg"))
    np.testing.assert_array_equal(one.values, two.values)


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("packed", [False, True])
def test_nifti_loses_its_texts_and_extensions(key, tmp_path, kind, packed):
    import nibabel

    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    form = nibabel.Nifti1Image if kind == 1 else nibabel.Nifti2Image
    image = form(values, np.diag([2.0, 3.0, 4.0, 1.0]))
    image.header["descrip"] = image.header["aux_file"] = SECRET
    image.header["intent_name"] = SECRET
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", SECRET))
    path = tmp_path / "x.nii"
    nibabel.save(image, path)
    raw = path.read_bytes() + SECRET
    if kind == 1:
        raw = raw[:14] + SECRET + raw[28:]
    assert raw.count(SECRET) >= 5
    _, name, clean = deidentify_other(gzip.compress(raw) if packed else raw, "x", key, "x")
    plain = gzip.decompress(clean) if packed else clean
    assert SECRET not in plain
    (tmp_path / name.rpartition("/")[2]).write_bytes(clean)
    after = nibabel.load(tmp_path / name.rpartition("/")[2])
    np.testing.assert_array_equal(np.asarray(after.dataobj), values)
    np.testing.assert_array_equal(after.affine, image.affine)
    assert not after.header.extensions
    with pytest.raises(ReadError, match="cut short"):
        strip_nifti(raw[: 400 + 60], "x")


def test_other_kinds_are_not_taken(key):
    assert not is_other(b"%PDF-1.7")
    assert is_other(pack("<i", 348) + bytes(340) + b"n+1\0")
    with pytest.raises(ReadError, match="x: no DICOM, PNG"):
        deidentify_other(b"%PDF-1.7", "x", key, "x")
