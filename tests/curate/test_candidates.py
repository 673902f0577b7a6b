"""Turns, descriptions against SciPy's cosine transform, and neighbours against all pairs."""

import numpy as np
import pytest
from scipy.fft import dctn
from scipy.ndimage import zoom

from medclf.curate import candidates
from medclf.curate.candidates import find_candidates, turn_alike, turn_images, turns
from medclf.curate.thumbnail import shrink


@pytest.mark.parametrize("axes", [2, 3])
def test_turns_are_all_and_differ(axes):
    cube = np.random.default_rng(0).normal(size=(1, *[4] * axes))
    turned = {turn_images(cube, turn).tobytes() for turn in turns(axes)}
    assert len(turned) == len(turns(axes)) == 8
    if axes == 2:
        assert {np.rot90(cube[0], k).copy().tobytes() for k in range(4)} <= turned
        assert cube[0, ::-1].tobytes() in turned


def test_a_description_is_the_lowest_cosines_by_the_size_of_their_slope():
    image = np.random.default_rng(0).normal(size=(1, 24, 24)).astype(np.float32)
    found = candidates._describe(image, (1.0, (0.0, 0.0)))
    spectrum = dctn(image[0], norm="ortho")
    lowest = [(0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2), (0, 3), (3, 0)]
    energy = [
        2 * (1 - np.cos(np.pi * y / 24)) + 2 * (1 - np.cos(np.pi * x / 24)) for y, x in lowest
    ]
    expected = np.array([spectrum[at] for at in lowest]) * np.sqrt(energy)
    np.testing.assert_allclose(found[0, :10] / found[0, 0], expected / expected[0], rtol=1e-3)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)


def test_a_larger_window_sees_what_a_shrunk_image_shows(clouds):
    (image,) = clouds(1, (240, 240))[:, 0]
    thumbs = [
        shrink(x[None].astype(float))[None].astype(np.float32)
        for x in (image, image[24:216, 24:216])
    ]
    whole = candidates._describe(thumbs[0], (0.8, (0.0, 0.0)))
    inner = candidates._describe(thumbs[1], (1.0, (0.0, 0.0)))
    assert float((whole @ inner.T)[0, 0]) > 0.99
    aside = candidates._describe(thumbs[0], (0.8, (0.1, 0.0)))
    moved = shrink(image[None, 48:, 24:216].astype(float))[None].astype(np.float32)
    assert float((aside @ candidates._describe(moved, (1.0, (0.0, 0.0))).T)[0, 0]) > 0.99


def test_images_are_turned_alike(clouds):
    base = clouds(1, (24, 24), seed=3)[0, 0].astype(np.float32)
    rng = np.random.default_rng(0)
    some = np.stack([base + rng.normal(size=base.shape) * 5 for _ in range(20)]).astype(np.float32)
    every = turns(2)
    mixed = np.stack([turn_images(x[None], every[i % 3])[0] for i, x in enumerate(some)])
    turned = turn_alike(mixed)
    flat = turned.reshape(20, -1)
    assert np.corrcoef(flat).min() > 0.9
    assert np.corrcoef(mixed.reshape(20, -1)).min() < 0.5


def test_neighbours_are_those_of_all_pairs(monkeypatch):
    monkeypatch.setattr(candidates, "ALIKE", 0.4)
    rng = np.random.default_rng(0)
    base = candidates._unit(rng.normal(size=(60, 4)).astype(np.float32))
    asked = [candidates._unit(rng.normal(size=(20, 4)).astype(np.float32)) for _ in range(3)]
    (found,) = candidates._nearest(asked, base, 10, nearest=5)
    every = np.stack([some @ base.T for some in asked])
    every[:, np.arange(20), np.arange(20) + 10] = -1
    likest = every.max(0)
    expected = {
        (i, int(j)) for i in range(20) for j in np.argsort(-likest[i])[:5] if likest[i, j] >= 0.4
    }
    here, there, best, alike = found
    assert set(zip(here.tolist(), there.tolist(), strict=True)) == expected
    np.testing.assert_array_equal(best, every.argmax(0)[here, there])
    np.testing.assert_allclose(alike, likest[here, there], atol=1e-5)


@pytest.mark.parametrize(("axes", "edge"), [(2, 48), (3, 16)])
def test_a_cropped_copy_is_a_candidate_with_a_start_near_its_place(clouds, axes, edge):
    images = clouds(40, (edge * 2,) * axes)[:, 0]
    cut = (slice(None), *[slice(3, None)] * axes)
    cropped = np.stack(
        [zoom(x.astype(float), edge * 2 / (edge * 2 - 3), order=1) for x in images[cut]]
    )
    cropped = np.swapaxes(cropped, 1, 2) if axes == 2 else cropped[:, ::-1]
    thumbs = np.stack([shrink(x[None].astype(float)) for x in (*images, *cropped)]).astype(
        np.float32
    )
    found = find_candidates(thumbs)
    pairs = np.sort(np.stack([found.fixed, found.moving], 1), 1)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    copies = pairs[:, 1] - pairs[:, 0] == 40
    assert copies.sum() == 40
    turn = ((1, 0), (1, 1)) if axes == 2 else ((0, 1, 2), (-1, 1, 1))
    assert {turns(axes)[t] for t in found.turned[copies]} == {turn}
    assert found.start.shape == (len(pairs), axes, 2)
