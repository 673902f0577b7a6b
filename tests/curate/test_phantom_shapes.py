import numpy as np
import pytest

from medclf.curate.phantom.shapes import (
    Stretch,
    column,
    contains,
    ellipsoid,
    turning,
    union_within,
)


def test_ellipsoid_thickness_sums_to_its_volume():
    part = ellipsoid((3, -5, 2), (30, 18, 12), along=(1, 0.4, -0.7)).moved(turning(0.2, -0.4, 0.3))
    along = np.linspace(-50, 50, 401)
    thickness = part.stretch(-along[:, None], along[None, :]).thickness
    volume = thickness.sum() * (along[1] - along[0]) ** 2
    assert volume == pytest.approx(4 / 3 * np.pi * 30 * 18 * 12, rel=2e-3)


def test_ellipsoid_contains_what_its_equation_says():
    part = ellipsoid((3, -5, 2), (30, 18, 12), along=(1, 0.4, -0.7)).moved(turning(0.2, -0.4, 0.3))
    points = np.random.default_rng(0).uniform(-40, 40, (4000, 3))
    unit = np.linalg.solve(part.axes, (points - part.centre).T)
    np.testing.assert_array_equal(contains(part, points), np.sum(unit**2, axis=0) < 1)


def test_column_is_the_elliptic_cylinder_of_its_sections():
    rod = column([(-20, 1, 2, 8, 5), (20, 1, 2, 8, 5)])
    along = np.linspace(-29.95, 29.95, 600)
    volume = rod.stretch(-along[:, None], along[None, :]).thickness.sum() * 0.1**2
    assert volume == pytest.approx(np.pi * 8 * 5 * 40, rel=5e-3)


def test_column_grows_with_the_body():
    rod = column([(-20, 0, 4, 8, 5), (20, 0, 4, 8, 5)]).moved(np.diag([1.5, 3, 2]))
    middle = rod.stretch(np.array([29.0]), np.array([8.0]))
    assert middle.thickness == pytest.approx(5 * 2 * 3)
    assert rod.stretch(np.array([0.0]), np.array([8 + 15.9])).thickness > 0
    assert rod.stretch(np.array([0.0]), np.array([8 + 16.1])).thickness == 0
    assert rod.stretch(np.array([31.0]), np.array([8.0])).thickness == 0


def test_union_within_is_what_counting_finds():
    rng = np.random.default_rng(1)
    ends = np.sort(rng.integers(0, 60, (6, 2, 300)), axis=1).astype(float)
    inner, *others = (Stretch(front, back) for front, back in ends)
    at = np.arange(60)[:, None] + 0.5
    covered = np.zeros((60, 300), bool)
    for other in others:
        covered |= (other.front < at) & (at < other.back)
    counted = (covered & (inner.front < at) & (at < inner.back)).sum(axis=0)
    np.testing.assert_allclose(union_within(inner, others), counted)


def test_turning_is_a_rotation():
    turn = turning(0.1, 0.2, -0.3)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
