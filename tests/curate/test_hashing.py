"""Sketches against differences taken directly, neighbours against all pairs, copies found."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image as Pillow
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from medclf.curate import hashing
from medclf.curate.hashing import digest_pixels, find_near, hash_sketches, sketch


def clouds(n: int, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Smooth random images, no two alike, uint8 (n, 1, *shape)."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, *shape))
    smooth = gaussian_filter(noise, (0, *(s / 16 for s in shape)))
    flat = smooth.reshape(n, -1)
    scaled = (smooth - flat.mean()) / flat.std() * 40 + 128
    return scaled.clip(0, 255).astype(np.uint8)[:, None]


def differences(cells: np.ndarray) -> np.ndarray:
    steps = np.concatenate([np.diff(cells, axis=a).ravel() for a in range(cells.ndim)])
    return steps / np.linalg.norm(steps)


@pytest.mark.parametrize(("shape", "cell"), [((64, 96), (2, 3)), ((32, 48, 64), (2, 3, 4))])
def test_likeness_is_the_correlation_of_neighbouring_differences(shape, cell):
    one, other = clouds(2, shape)
    split = [part for n, c in zip(shape, cell, strict=True) for part in (n // c, c)]
    within = tuple(range(1, 2 * len(shape), 2))
    cells = [image[0].reshape(split).astype(float).mean(within) for image in (one, other)]
    expected = differences(cells[0]) @ differences(cells[1])
    found = sketch(one).astype(float) @ sketch(other).astype(float)
    assert found == pytest.approx(expected, abs=2e-3)


def test_a_hash_is_the_signs_of_the_lowest_frequencies():
    (image,) = clouds(1, (32, 32))
    spectrum = dctn(image[0].astype(float))
    bits = f"{int(hash_sketches(sketch(image)[None])[0].byteswap()):064b}"
    lowest = [(0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2), (0, 3), (3, 0)]
    assert [bit == "1" for bit in bits[:10]] == [bool(spectrum[at] > 0) for at in lowest]


@pytest.mark.parametrize("samples", [1, 2, 7, 31, 32, 33, 63, 224, 250])
@pytest.mark.parametrize("cells", [16, 32])
def test_cells_hold_exact_averages(samples, cells):
    values = np.random.default_rng(samples).random((2, samples, 3)).astype(np.float32)
    expected = values.repeat(cells, axis=1).reshape(2, cells, samples, 3).mean(2)
    np.testing.assert_allclose(hashing._average(values, 1, cells), expected, atol=1e-5)


def test_sketches_survive_extremes():
    assert not sketch(np.full((1, 9, 9), 7, np.uint16)).any()
    broken = clouds(1, (40, 40))[0].astype(np.float32)
    broken[0, 3, 3] = np.nan
    broken[0, 5, 5] = -np.inf
    for values in (broken, broken[:, :1, :1], np.full((3, 4, 4), np.nan, np.float32)):
        assert np.isfinite(sketch(values)).all()
    (large,) = clouds(1, (40, 40))
    raised = large.astype(np.float64) * 1e30
    np.testing.assert_allclose(sketch(raised), sketch(large), atol=1e-3)


def test_neighbours_are_those_of_all_pairs(monkeypatch):
    monkeypatch.setattr(hashing, "TILE_ROWS", 7)
    monkeypatch.setattr(hashing, "TILE_COLUMNS", 11)
    monkeypatch.setattr(hashing, "GATHERED", 5)
    rng = np.random.default_rng(1)
    base = clouds(12, (32, 32)).astype(float).repeat(5, axis=0)
    images = base + rng.normal(size=base.shape) * rng.uniform(0, 6, (len(base), 1, 1, 1))
    images[17] = 3
    sketches = np.stack([sketch(image) for image in images])
    bits = np.unpackbits(hash_sketches(sketches).view(np.uint8).reshape(-1, 8), axis=1)
    alike = sketches.astype(np.float32) @ sketches.astype(np.float32).T
    apart = (bits[:, None] != bits[None]).sum(-1)
    near = np.triu((apart <= 6) & (alike >= 0.9), 1)
    assert 20 < near.sum() < 12 * 10
    pairs, likeness = find_near(sketches, radius=6, likeness=0.9)
    np.testing.assert_array_equal(pairs, np.argwhere(near))
    np.testing.assert_allclose(likeness, alike[near], atol=1e-3)
    assert 17 not in pairs


def test_no_image_and_no_neighbour():
    for sketches in (np.empty((0, 1023), np.float16), np.zeros((3, 1023), np.float16)):
        pairs, likeness = find_near(sketches)
        assert pairs.shape == (0, 2)
        assert len(likeness) == 0


def copies(image: Pillow.Image) -> list[np.ndarray]:
    """Re-encoded, smaller, brighter and clipped, darker."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60)
    smaller = image.resize((image.width * 3 // 4, image.height * 3 // 4), Pillow.Resampling.BICUBIC)
    brighter = image.point(lambda p: min(255, p * 1.15))
    darker = image.point(lambda p: p * 0.85)
    some = (Pillow.open(buffer), smaller, brighter, darker)
    return [np.moveaxis(np.atleast_3d(np.asarray(copy)), -1, 0) for copy in some]


def test_copies_of_pictures_are_found_and_nothing_else():
    images = [Pillow.fromarray(image[0]) for image in clouds(60, (96, 128))]
    every = [values for i in images for values in (np.asarray(i)[None], *copies(i))]
    pairs, _ = find_near(np.stack([sketch(values) for values in every]))
    expected = [(a, b) for a in range(300) for b in range(a + 1, a // 5 * 5 + 5)]
    assert [tuple(pair) for pair in pairs] == expected


def test_copies_of_volumes_are_found_and_nothing_else():
    rng = np.random.default_rng(0)
    volumes = clouds(12, (32, 40, 40))
    noisy = volumes * 0.5 + rng.normal(size=volumes.shape) * 4
    smaller = volumes.reshape(12, 1, 16, 2, 20, 2, 20, 2).mean((3, 5, 7))
    every = [sketch(v) for kind in (volumes, noisy, smaller) for v in kind]
    pairs, _ = find_near(np.stack(every))
    expected = {(i + 12 * a, i + 12 * b) for i in range(12) for a, b in ((0, 1), (0, 2), (1, 2))}
    assert {tuple(pair) for pair in pairs} == expected


@pytest.mark.parametrize("name", ["ham10000", "kermany_chest_xray"])
def test_copies_of_real_pictures_are_found(real_data, name):
    with zipfile.ZipFile(real_data / name / "images.zip") as archive:
        names = [n for n in archive.namelist() if not n.endswith("/")][::40]
        images = [Pillow.open(io.BytesIO(archive.read(n))).convert("RGB") for n in names]
    every = [c for image in images for c in (np.moveaxis(np.asarray(image), -1, 0), *copies(image))]
    pairs, _ = find_near(np.stack([sketch(values) for values in every]))
    same = pairs // 5
    assert (same[:, 0] == same[:, 1]).sum() >= 10 * len(images) - 4
    assert (same[:, 0] != same[:, 1]).sum() == 0


def test_a_digest_knows_pixels_only():
    (image,) = clouds(1, (20, 30))
    same = digest_pixels(image)
    assert digest_pixels(image.astype(np.int32)) == same
    assert digest_pixels(image.astype(">u2")) == same
    assert digest_pixels(np.asfortranarray(image)) == same
    assert digest_pixels(image.repeat(3, axis=0)) == same
    other = image.copy()
    other[0, 19, 29] ^= 1
    colour = np.concatenate([image, image, other])
    kinds = (other, colour, image.reshape(1, 30, 20), image[:, None], image.astype(np.float32))
    assert len({same, *map(digest_pixels, kinds)}) == len(kinds) + 1


def test_digests_of_floats():
    image = np.array([[[0.0, 1.5]]], np.float32)
    assert digest_pixels(image) == digest_pixels(np.array([[[-0.0, 1.5]]], np.float64))
    assert digest_pixels(image) != digest_pixels(image + 1)
