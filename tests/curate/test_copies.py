"""Planted copies are found, and nothing else: on clouds, and on real pictures."""

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pillow

from medclf.curate import copies
from medclf.curate.cohort import read_cohort
from medclf.curate.copies import find_copies
from medclf.curate.phantom.cohort import make_phantoms
from medclf.curate.survey import survey
from medclf.curate.thumbnail import shrink

Picture = Pillow.Image


def re_encoded(image: Picture) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    return Pillow.open(buffer)


def resized(image: Picture) -> Picture:
    return image.resize((image.width * 5 // 8, image.height * 5 // 8), Pillow.Resampling.BICUBIC)


def brighter(image: Picture) -> Picture:
    return image.point(lambda p: min(255, p * 1.2))


def darker(image: Picture) -> Picture:
    return image.point(lambda p: p * 0.7 + 20)


def mirrored(image: Picture) -> Picture:
    return image.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT)


def turned(image: Picture) -> Picture:
    return image.transpose(Pillow.Transpose.ROTATE_90)


def cropped(image: Picture) -> Picture:
    wide, high = image.size
    return image.crop((wide // 14, high // 40, wide - wide // 50, high - high // 16))


def all_at_once(image: Picture) -> Picture:
    return re_encoded(resized(brighter(turned(cropped(mirrored(image))))))


WAYS = (re_encoded, resized, brighter, darker, mirrored, turned, cropped, all_at_once)
WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def thumbnails(images: list[Picture]) -> np.ndarray:
    arrays = [np.moveaxis(np.atleast_3d(np.asarray(image)), -1, 0) for image in images]
    return np.stack([shrink(values) for values in arrays])


def found_between(images: list[Picture], way: Callable[[Picture], Picture]) -> tuple[int, int]:
    """Count the copies found and the other pairs."""
    pairs, _ = find_copies(thumbnails([*images, *map(way, images)]))
    true = pairs[:, 1] - pairs[:, 0] == len(images)
    return int(true.sum()), int((~true).sum())


@WAY
def test_copies_of_pictures_are_found_and_nothing_else(clouds, way):
    images = [Pillow.fromarray(image[0]) for image in clouds(60, (96, 128))]
    assert found_between(images, way) == (60, 0)


@WAY
@pytest.mark.parametrize("name", ["ham10000", "kermany_chest_xray"])
def test_copies_of_real_pictures_are_found(real_data, name, way):
    with zipfile.ZipFile(real_data / name / "images.zip") as archive:
        names = [n for n in archive.namelist() if not n.endswith("/")][::100]
        images = [Pillow.open(io.BytesIO(archive.read(n))).convert("RGB") for n in names]
    found, false = found_between(images, way)
    assert found >= len(images) - 1
    assert false == 0


def test_copies_of_volumes_are_found_and_nothing_else(clouds):
    rng = np.random.default_rng(0)
    volumes = clouds(16, (32, 40, 40))
    noisy = volumes * 0.5 + rng.normal(size=volumes.shape)
    smaller = volumes.reshape(16, 1, 16, 2, 20, 2, 20, 2).mean((3, 5, 7))
    mirrored = volumes[:, :, ::-1, :, ::-1]
    every = np.stack([shrink(v) for kind in (volumes, noisy, smaller, mirrored) for v in kind])
    pairs, _ = find_copies(every)
    kinds = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    expected = {(i + 16 * a, i + 16 * b) for i in range(16) for a, b in kinds}
    assert {tuple(pair) for pair in pairs.tolist()} == expected


def test_two_images_are_enough(clouds):
    one, other = clouds(2, (64, 64))
    same, light = shrink(one), shrink(one * 0.5)
    pairs, likeness = find_copies(np.stack([same, light]))
    assert pairs.tolist() == [[0, 1]]
    assert likeness == pytest.approx([1], abs=1e-2)
    assert len(find_copies(np.stack([same, shrink(other)]))[0]) == 0


@pytest.mark.parametrize("n", [0, 1, 3])
def test_no_image_and_constant_images_have_no_copy(n):
    pairs, likeness = find_copies(np.zeros((n, 48, 48), np.float16))
    assert pairs.shape == (0, 2)
    assert len(likeness) == 0


def test_constant_images_do_not_shift_the_rows(clouds):
    (image,) = clouds(1, (64, 64))
    rows = [np.zeros((48, 48)), shrink(image), np.zeros((48, 48)), shrink(image[:, ::-1])]
    assert find_copies(np.float16(rows))[0].tolist() == [[1, 3]]


def limits(pairs: list[tuple[int, int]], alike: list[float]) -> list[float]:
    return copies._limits(np.array(pairs), np.array(alike), 0.89).tolist()


def test_where_all_images_are_alike_a_copy_must_be_more_so():
    every = [(i, j) for i in range(12) for j in range(i)]
    assert limits(every, [0.5] * 65 + [0.99]) == [0.89] * 66
    assert limits(every, [0.85] * 65 + [0.99]) == pytest.approx([0.955] * 66)
    assert limits(every[:20], [0.85] * 20) == [0.89] * 20


def test_among_images_that_are_alike_a_copy_may_stand_out_beside_its_neighbours():
    crowd = [(i, j) for i in range(12) for j in range(i)]
    group = [(20, 21), (20, 22), (20, 23), (21, 22)]
    found = limits(crowd + group, [0.85] * len(crowd) + [0.9] * 4)
    assert found == pytest.approx([0.955] * len(crowd) + [0.89] * 4)
    found = limits([*crowd, (0, 20), (20, 21)], [0.85] * len(crowd) + [0.9] * 2)
    assert found[-2:] == pytest.approx([0.955, 0.89])


def test_phantoms_of_different_patients_are_no_copies(tmp_path):
    table = make_phantoms(tmp_path, patients=60, seed=0)
    looks = survey(read_cohort(table))
    pairs, _ = find_copies(np.stack([look.thumbnail for look in looks]))
    assert len(pairs) <= 2
