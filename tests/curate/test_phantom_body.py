from dataclasses import replace

import numpy as np
import pytest

from medclf.curate.phantom.body import BREATH_MM, build_body
from medclf.curate.phantom.person import draw_person
from medclf.curate.phantom.projection import project
from medclf.curate.phantom.screen import Screen
from medclf.curate.phantom.shapes import union_within

SCREEN = Screen(95, 4.0)


@pytest.fixture(scope="module")
def person():
    return draw_person(60, "F", np.random.default_rng(0))


@pytest.fixture(scope="module")
def body(person):
    return build_body(person, np.random.default_rng(3), step=2)


def air_litres(body):
    z, x = SCREEN.axes
    solids = [part.stretch(z, x) for part in body.solids]
    outlines = [lung.stretch(z, x) for lung in body.lungs]
    area = SCREEN.pixel_mm**2 / 1e6
    return [np.sum(o.thickness - union_within(o, solids)) * area for o in outlines]


def test_lungs_hold_the_air_of_a_breath_and_the_heart_takes_from_the_left(body):
    right, left = air_litres(body)
    assert 3 < right + left < 8
    assert left < right


def test_breathing_moves_the_diaphragm_and_some_of_the_heart(body):
    deep = body.breathed(1)
    assert deep.domes[0].centre[0] - body.domes[0].centre[0] == pytest.approx(-BREATH_MM)
    assert deep.heart[0].centre[0] - body.heart[0].centre[0] == pytest.approx(-BREATH_MM / 3)
    assert sum(air_litres(body.breathed(-1))) < sum(air_litres(body)) < sum(air_litres(deep))


def test_vessels_lie_in_the_air_of_both_lungs(body):
    assert body.airy(body.vessels.points).mean() > 0.999
    left = body.vessels.points[:, 2] > 0
    assert 0.3 < np.average(left, weights=body.vessels.volume) < 0.7


def test_size_scales_places_and_volumes(body):
    large = body.moved(np.diag([1.1, 1.2, 1.2]))
    growth = 1.1 * 1.2 * 1.2
    assert large.bone.volume.sum() / body.bone.volume.sum() == pytest.approx(growth)
    assert sum(air_litres(large)) / sum(air_litres(body)) == pytest.approx(growth, rel=0.02)


def test_chance_of_the_anatomy_does_not_depend_on_the_drawing(person):
    coarse, fine = (build_body(person, np.random.default_rng(3), step) for step in (2.0, 1.0))
    assert len(fine.bone.points) > 2 * len(coarse.bone.points)
    shadows = [project(b, None, SCREEN, 1, np.random.default_rng(0)) for b in (coarse, fine)]
    assert np.abs(shadows[0] - shadows[1]).mean() < 0.03 * shadows[0].mean()


def test_a_larger_heart_makes_a_wider_shadow(person):
    wide = [
        sum(
            part.stretch(*SCREEN.axes).thickness.any(axis=0).sum()
            for part in build_body(replace(person, heart=size), np.random.default_rng(3), 2).heart
        )
        for size in (0.9, 1.0, 1.3)
    ]
    assert wide[0] < wide[1] < wide[2]


def test_hearts_grow_with_age_and_women_are_smaller():
    rng = np.random.default_rng(0)
    young, old = ([draw_person(age, "M", rng).heart for _ in range(300)] for age in (30, 80))
    women, men = ([draw_person(50, sex, rng).height for _ in range(300)] for sex in "FM")
    assert np.mean(old) > np.mean(young) + 0.05
    assert np.mean(men) > np.mean(women) + 0.03
