"""Images moved and scaled by known amounts are laid on again; likeness is worked by hand."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from medclf.curate import register
from medclf.curate.register import Layers, lay_on

HERE = np.float32([0, 1])


def sample(image: np.ndarray, edge: int, place: np.ndarray) -> np.ndarray:
    """Read (edge, …) samples off a finer image at `shift + scale * p`, SciPy's cubic splines."""
    points = (np.arange(edge) + 0.5) / edge - 0.5
    at = [(s + k * points + 0.5) * image.shape[0] - 0.5 for s, k in place]
    return map_coordinates(image.astype(float), np.meshgrid(*at, indexing="ij"), mode="nearest")


@pytest.mark.parametrize(("axes", "edge", "least"), [(2, 48, 0.98), (3, 16, 0.92)])
def test_what_was_moved_is_laid_on_again(clouds, axes, edge, least):
    rng = np.random.default_rng(0)
    (fine,) = clouds(1, (edge * 3,) * axes)[:, 0]
    places = np.stack([rng.uniform(-0.04, 0.04, (6, axes)), rng.uniform(0.93, 1.07, (6, axes))], -1)
    whole = np.tile(HERE, (axes, 1))
    moving = np.repeat(sample(fine, edge, whole)[None], 6, axis=0).astype(np.float32)
    fixed = np.stack([sample(fine, edge, place) for place in places]).astype(np.float32)
    start = np.tile(whole, (6, 1, 1))
    assert (lay_on(Layers.of(fixed), Layers.of(moving), start) > least).all()
    place = register._fit(fixed, moving, start.astype(float), 12)
    np.testing.assert_allclose(place, places, atol=0.01)


def test_light_has_no_say(clouds):
    one, other = clouds(2, (48, 48))[:, 0].astype(np.float32)
    fixed, moving = np.stack([one, one, one]), np.stack([one * 0.4 + 90, one, other])
    start = np.tile(HERE, (3, 2, 1))
    alike = lay_on(Layers.of(fixed), Layers.of(moving), start)
    assert alike[:2] == pytest.approx([1, 1], abs=1e-3)
    assert alike[2] == 0


def test_likeness_is_the_correlation_of_neighbouring_differences_where_both_reach(clouds):
    fixed, moving = clouds(2, (40, 40))[:, 0].astype(np.float32)
    place = np.array([[[0.11, 1.1], [-0.08, 0.9]]])
    found = register._likeness(fixed[None], moving[None], place)
    points = (np.arange(32) + 0.5) / 40 - 0.4
    still = map_coordinates(
        fixed, np.meshgrid(*[(points + 0.5) * 40 - 0.5] * 2, indexing="ij"), order=1
    )
    at = [(s + k * points + 0.5) * 40 - 0.5 for s, k in place[0]]
    laid = map_coordinates(moving, np.meshgrid(*at, indexing="ij"), order=1)
    rows, columns = ((a >= 0) & (a <= 39) for a in at)
    assert 0 < (~rows).sum() < 10
    still, laid = still[rows][:, columns], laid[rows][:, columns]
    one, other = (
        np.concatenate([np.diff(x, axis=0).ravel(), np.diff(x, axis=1).ravel()])
        for x in (still, laid)
    )
    expected = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert found == pytest.approx([expected], abs=1e-3)


def test_images_that_hardly_meet_are_not_alike(clouds):
    (image,) = clouds(1, (40, 40))[:, 0].astype(np.float32)
    assert register._likeness(image[None], image[None], np.array([[[0.65, 1.0], [0, 1]]])) == 0
