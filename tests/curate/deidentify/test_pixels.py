"""Text drawn into pictures is masked in all frames; every pixel beside the masks stays."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    SecondaryCaptureImageStorage,
    UltrasoundMultiFrameImageStorage,
)
from scipy.ndimage import gaussian_filter

from medclf.curate.deidentify.burnt_text import find_text
from medclf.curate.deidentify.dicom import deidentify_dicom
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.pixels import expects_text
from medclf.errors import ReadError

US = UltrasoundMultiFrameImageStorage
SC = SecondaryCaptureImageStorage


def tissue(seed: int, shape: tuple[int, int] = (240, 320)) -> np.ndarray:
    """Make smooth tissue without anything sharp in it."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 6)
    return (90 + 300 * noise).clip(20, 180).astype(np.uint8)


def capture(seed: int = 0) -> np.ndarray:
    """Make a black screen with a picture in its middle."""
    screen = np.zeros((240, 320), np.uint8)
    screen[60:200, 60:260] = tissue(seed, (140, 200))
    return screen


def compare(raw: bytes, done, ink: np.ndarray, read) -> np.ndarray:
    """Check that all ink is gone and all else as it was; return what was masked."""
    before, after = pixel_array(read(raw)), pixel_array(read(done.raw))
    assert before.shape == after.shape
    differs = before != after
    painted = differs.any(-1) if before.shape[-1] == 3 else differs
    painted = painted.any(0) if painted.ndim == 3 else painted
    frames = after if after.ndim > 3 or (after.ndim == 3 and after.shape[-1] != 3) else after[None]
    for frame in frames:
        assert len(np.unique(frame[ink].reshape(-1))) == 1
    assert painted.mean() <= done.masked
    return painted


@pytest.mark.parametrize("size", [11, 14, 20, 32])
@pytest.mark.parametrize("ink", [255, 0])
def test_text_of_many_sizes_is_found(write_text, size, ink):
    ground = np.full((240, 320), 255 - ink, np.uint8)
    text = write_text(ground, "Quastenflosser 4711", (8, 100), size, ink)
    found = np.zeros(ground.shape, bool)
    for box in find_text(text):
        found[box.top : box.bottom, box.left : box.right] = True
    assert found[text != ground].all()
    assert found.mean() < 0.5


@pytest.mark.parametrize("seed", range(6))
def test_tissue_is_no_text(seed):
    assert find_text(tissue(seed)) == []


def test_an_initial_beside_a_picture_is_found_where_text_is_expected(write_text):
    text = write_text(capture(), "H", (280, 100), 14, 255)
    assert find_text(text) == []
    boxes = find_text(text, expected=True)
    found = np.zeros(text.shape, bool)
    for box in boxes:
        found[box.top : box.bottom, box.left : box.right] = True
    assert found[text != capture()].all()
    assert not found[60:200, 60:260].any()


def test_a_flat_or_tiny_picture_holds_no_text():
    assert find_text(np.zeros((50, 50), np.uint8)) == []
    assert find_text(np.arange(9, dtype=np.uint8).reshape(3, 3) * 28) == []


def test_a_grey_screen_capture(plant, key, read, write_text):
    clean = capture()
    text = write_text(clean, "QUASTENFLOSSER, H. 03.12.1948", (20, 20), 14, 255)
    raw = plant(text, SOPClassUID=SC, Modality="OT")
    done = deidentify_dicom(raw, key, Options(), "file 1")
    painted = compare(raw, done, text != clean, read)
    assert painted[60:200].sum() == 0
    assert read(done.raw).BurnedInAnnotation == "NO"
    assert [r.kind for r in done.remarks if r.kind == "masked"] == ["masked"]


def test_ultrasound_outside_of_its_regions(plant, key, read, write_text):
    frames = np.stack([capture(seed) for seed in range(3)])
    frames[1] = write_text(frames[1], "Hildegund Q.", (70, 70), 14, 255)
    ink = np.zeros((240, 320), bool)
    ink[5:55] = True
    ink |= frames[1] != capture(1)
    frames[:, 5:55] = 77  # Something that no detector would call text.
    region = Dataset()
    region.RegionLocationMinX0, region.RegionLocationMaxX1 = 60, 259
    region.RegionLocationMinY0, region.RegionLocationMaxY1 = 60, 199
    raw = plant(frames, SOPClassUID=US, Modality="US", SequenceOfUltrasoundRegions=[region])
    done = deidentify_dicom(raw, key, Options(), "file 1")
    compare(raw, done, ink, read)
    after = pixel_array(read(done.raw))
    inside = np.zeros((240, 320), bool)
    inside[60:200, 60:260] = True
    assert not after[:, ~inside].any()
    assert np.array_equal(after[0][120:200, 60:260], frames[0][120:200, 60:260])


def test_ultrasound_without_regions_loses_its_top(plant, key, read):
    frames = np.full((2, 200, 100), 77, np.uint8)
    raw = plant(frames, SOPClassUID=US, Modality="US")
    after = pixel_array(read(deidentify_dicom(raw, key, Options(), "file 1").raw))
    assert not after[:, :16].any()
    assert (after[:, 16:] == 77).all()


def test_colour_and_its_ink(plant, key, read, write_text):
    clean = np.repeat(capture()[..., None], 3, -1)
    text = write_text(clean, "Hildegund", (20, 20), 16, (255, 220, 0))
    raw = plant(text, SOPClassUID=SC, Modality="OT")
    done = deidentify_dicom(raw, key, Options(), "file 1")
    compare(raw, done, (text != clean).any(-1), read)


def test_plain_ybr_is_painted_as_it_is_stored(plant, key, read, write_text):
    clean = np.repeat(capture()[..., None], 3, -1)
    text = write_text(clean, "Quastenflosser", (20, 20), 16, 255)
    stored = convert_color_space(text, "RGB", "YBR_FULL")
    raw = plant(stored, SOPClassUID=SC, PhotometricInterpretation="YBR_FULL")
    done = deidentify_dicom(raw, key, Options(), "file 1")
    compare(raw, done, (text != clean).any(-1), read)
    after = pixel_array(read(done.raw), raw=True)
    np.testing.assert_array_equal(after[60:200, 60:260], stored[60:200, 60:260])
    assert not pixel_array(read(done.raw))[(text != clean).any(-1)].any()


def test_sixteen_bits_and_monochrome1(plant, key, read, write_text):
    clean = capture().astype(np.uint16) * 16
    text = write_text(clean, "Quastenflosser", (20, 20), 16, 4095)
    raw = plant(text, SOPClassUID=SC, PhotometricInterpretation="MONOCHROME1", BitsStored=12,
                HighBit=11)  # fmt: skip
    done = deidentify_dicom(raw, key, Options(), "file 1")
    compare(raw, done, text != clean, read)
    assert pixel_array(read(done.raw)).max() == 4095


def test_a_palette_keeps_its_numbers(plant, key, read, write_text):
    clean = capture() // 2
    text = write_text(clean, "Quastenflosser", (20, 20), 16, 255)
    ramp = np.arange(256, dtype=np.uint16) * 257
    tables = {
        f"{c}PaletteColorLookupTable{part}": value
        for c in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [256, 0, 16]), ("Data", ramp.tobytes()))
    }
    raw = plant(text, SOPClassUID=SC, PhotometricInterpretation="PALETTE COLOR", **tables)
    done = deidentify_dicom(raw, key, Options(), "file 1")
    compare(raw, done, text != clean, read)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_lossless_pixels_stay_lossless(plant, key, read, encode, write_text, syntax):
    frames = np.stack([capture(seed) for seed in range(2)])
    clean = frames.copy()
    frames[0] = write_text(frames[0], "Quastenflosser", (20, 20), 16, 255)
    dataset = read(plant(frames, SOPClassUID=SC))
    dataset.compress(syntax, generate_instance_uid=False)
    raw = _as_file(dataset)
    done = deidentify_dicom(raw, key, Options(), "file 1")
    compare(raw, done, (frames != clean).any(0), read)
    assert read(done.raw).file_meta.TransferSyntaxUID == RLELossless


def test_a_jpeg_is_painted_without_a_second_loss(plant, key, read, write_text):
    clean = np.repeat(capture()[..., None], 3, -1)
    text = write_text(clean, "Quastenflosser", (20, 20), 20, 255)
    raw = _as_file(_jpeg(read(plant(text, SOPClassUID=SC, PlanarConfiguration=0)), text))
    done = deidentify_dicom(raw, key, Options(), "file 1")
    before, after = pixel_array(read(raw)), pixel_array(read(done.raw))
    assert not after[(text != clean).any(-1)].any()
    np.testing.assert_array_equal(after[60:200, 60:260], before[60:200, 60:260])
    assert read(done.raw).PhotometricInterpretation == "RGB"


def _jpeg(dataset: Dataset, values: np.ndarray) -> Dataset:
    stream = BytesIO()
    Image.fromarray(values).save(stream, "JPEG", quality=90, comment="Quastenflosser")
    dataset.PixelData = encapsulate([stream.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    return dataset


def _as_file(dataset: Dataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def test_a_comment_in_a_jpeg_goes_though_its_pixels_stay(plant, key, read, leaks):
    values = np.repeat(tissue(0)[..., None], 3, -1)
    raw = _as_file(_jpeg(read(plant(values)), values))  # A CT, which is not masked.
    assert b"Quastenflosser" in read(raw).PixelData
    done = deidentify_dicom(raw, key, Options(), "file 1")
    assert leaks(done.raw) == []
    assert read(done.raw).file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    np.testing.assert_array_equal(pixel_array(read(done.raw)), pixel_array(read(raw)))


def test_other_pictures_are_left_and_told_of(plant, key, read, write_text):
    text = write_text(capture(), "QUASTENFLOSSER", (20, 20), 16, 255)
    done = deidentify_dicom(plant(text), key, Options(), "file 1")
    np.testing.assert_array_equal(pixel_array(read(done.raw)), text)
    assert "burnt-in text" in {remark.kind for remark in done.remarks}
    kept = plant(text, BurnedInAnnotation="YES")
    assert deidentify_dicom(kept, key, Options(), "file 1").masked > 0
    left = deidentify_dicom(kept, key, Options(clean=frozenset()), "file 1")
    assert left.masked == 0
    assert "burnt-in text" in {remark.kind for remark in left.remarks}


def test_text_in_pixels_that_cannot_be_read_is_refused(plant, key, read):
    dataset = read(plant(capture(), SOPClassUID=SC))
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xe0 no picture at all"])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    with pytest.raises(ReadError, match="file 1: text may be burnt in"):
        deidentify_dicom(_as_file(dataset), key, Options(), "file 1")


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"Modality": "US"}, True),
        ({"Modality": "CT"}, False),
        ({"Modality": "CT", "SOPClassUID": SC}, True),
        ({"Modality": "CT", "BurnedInAnnotation": "YES"}, True),
        ({"Modality": "CT", "BurnedInAnnotation": "NO"}, False),
        ({"Modality": "CT", "ConversionType": "WSD"}, True),
    ],
)
def test_where_text_is_expected(elements, expected):
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    assert expects_text(dataset) is expected


def test_overlays_with_text_go_and_others_stay(plant, key, read, write_text):
    def packed(values: np.ndarray) -> bytes:
        return np.packbits(values > 0, bitorder="little").tobytes()

    options = Options(clean=frozenset({"pixels", "graphics"}))
    drawn = np.zeros((64, 160), np.uint8)
    drawn[20:40, 30:90] = 255
    written = write_text(np.zeros((64, 160), np.uint8), "Quastenfl.", (5, 5), 16, 255)
    raw = read(plant(np.zeros((64, 160), np.uint8)))
    for group, plane in ((0x6000, drawn), (0x6002, written)):
        for element, vr, value in (
            (0x10, "US", 64), (0x11, "US", 160), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
            (0x100, "US", 1), (0x102, "US", 0), (0x3000, "OW", packed(plane)),
        ):  # fmt: skip
            raw.add_new((group, element), vr, value)
    out = read(deidentify_dicom(_as_file(raw), key, options, "file 1").raw)
    np.testing.assert_array_equal(out.overlay_array(0x6000) * 255, drawn)
    assert not [e for e in out if e.tag.group == 0x6002]
    assert out.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
