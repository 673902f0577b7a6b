"""Landmarks: planted gains and offsets go, and what is tissue stays tissue."""

from dataclasses import replace

import numpy as np
import pytest

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.errors import ReadError, SettingError
from medclf.prepare.exam import Prepare, prepare_image
from medclf.prepare.landmarks import average_landmarks, measure_landmarks, move_values
from medclf.read.image import read_image

SETTINGS = Prepare((24, 24, 24), 1, intensity="landmarks", dtype="float16")
MARKS = SETTINGS.marks


def head(rng, alike=30):
    """Air around three tissues, whose shares differ from person to person."""
    values = np.zeros((1, 24, 24, 24))
    kinds = rng.choice(3, (14, 14, 14), p=rng.dirichlet((1.3 * alike, 1.7 * alike, alike)))
    values[0, 5:19, 5:19, 5:19] = np.array([450, 650, 900])[kinds] + rng.normal(0, 25, (14, 14, 14))
    return values


def learn(images):
    standard = average_landmarks([measure_landmarks(values, MARKS) for values in images])
    return replace(SETTINGS, landmarks=standard)


def test_gain_and_offset_of_a_scanner_go():
    rng = np.random.default_rng(0)
    settings = learn([head(rng) * gain for gain in (0.2, 1, 5, 3)])
    values = head(rng)
    plain = prepare_image(Image(values, bits=64), settings, "a")
    for gain, offset in ((0.3, 0), (7, 0), (2, -500)):
        other = prepare_image(Image(values * gain + offset, bits=64), settings, "a")
        np.testing.assert_allclose(other, plain, atol=2e-3)


def test_a_bent_scale_is_straightened():
    """Squared values: percentiles alone keep the bend, landmarks take it away."""
    rng = np.random.default_rng(1)
    settings = learn([head(rng, 1e5) for _ in range(6)])
    values = head(rng, 1e5)
    bent = np.sign(values) * values**2 / 900
    ours, wanted = (prepare_image(Image(v, bits=64), settings, "a")[0] for v in (bent, values))
    percentile = replace(SETTINGS, intensity="percentile")
    theirs = prepare_image(Image(bent, bits=64), percentile, "a")[0]
    inside = (slice(5, 19),) * 3
    off = [np.abs(v[inside].astype(float) - wanted[inside]).mean() for v in (ours, theirs)]
    assert off[0] < 0.2 * off[1]


def test_real_volumes_with_planted_gains_come_together(real_data):
    paths = sorted((real_data / "ixi10").rglob("*_t1*.nii.gz")) or sorted(
        path for path in (real_data / "ixi10").rglob("*.nii.gz") if "label" not in path.name.lower()
    )
    values = [read_image(Source(path)).values[:, ::2, ::2, ::2] for path in paths[:3]]
    settings = learn(values)
    for one in values:
        plain = prepare_image(Image(one), settings, "a")
        for gain in (0.1, 9):
            other = prepare_image(Image(one * np.float32(gain)), settings, "a")
            np.testing.assert_allclose(other, plain, atol=3e-3)


def test_landmarks_lie_where_the_standard_says():
    rng = np.random.default_rng(2)
    settings = learn([head(rng) for _ in range(5)])
    values = head(rng)
    found = measure_landmarks(values, MARKS)
    moved = move_values(np.array([found]), found, settings.landmarks)
    np.testing.assert_allclose(moved[0], settings.landmarks, atol=1e-6)
    assert (settings.landmarks[0], settings.landmarks[-1]) == (0, 1)


def by_site(rng):
    """Two scanners: the second shows everything at five times the value, and 100 more."""
    scanners = {"a": lambda v: v, "b": lambda v: 5 * v + 100}
    measured = {
        scanner: [measure_landmarks(show(head(rng)), MARKS) for _ in range(20)]
        for scanner, show in scanners.items()
    }
    site = {s: tuple(np.mean(rows, axis=0).tolist()) for s, rows in measured.items()}
    standard = average_landmarks([row for rows in measured.values() for row in rows])
    settings = replace(
        SETTINGS, landmarks=standard, site="scanner", sites=("a", "b"),
        site_landmarks=site["a"] + site["b"],
    )  # fmt: skip
    return scanners, settings


def test_by_site_scanners_come_together_and_patients_stay_apart():
    rng = np.random.default_rng(3)
    scanners, settings = by_site(rng)
    dim, bright = head(rng) * 0.8, head(rng)
    found = {
        s: [prepare_image(Image(f(v), bits=64), settings, "x", s) for v in (dim, bright)]
        for s, f in scanners.items()
    }
    inside = (0, slice(5, 19), slice(5, 19), slice(5, 19))
    for ours, theirs in zip(found["a"], found["b"], strict=True):
        assert np.abs(ours[inside].astype(float) - theirs[inside]).mean() < 0.05
    for dimmer, brighter in found.values():
        assert brighter[inside].mean() - dimmer[inside].mean() > 0.1


def test_another_site_is_refused():
    _, settings = by_site(np.random.default_rng(4))
    image = Image(head(np.random.default_rng(5)), bits=64)
    with pytest.raises(ReadError, match=r"^x\.nii: a scanner of a, b wanted, .* found 'c'"):
        prepare_image(image, settings, "x.nii", "c")
    with pytest.raises(ReadError, match="found none"):
        prepare_image(image, settings, "x.nii")


def test_nothing_is_prepared_before_landmarks_are_learnt():
    with pytest.raises(SettingError, match=r"wants prepare\.landmarks, found none"):
        prepare_image(Image(np.ones((1, 4, 4, 4), np.float32)), SETTINGS, "a")


def test_an_image_of_one_value_is_black_and_teaches_nothing():
    flat = measure_landmarks(np.full((1, 4, 4), 7), MARKS)
    assert not move_values(np.full((1, 4, 4), 7), flat, tuple(range(11))).any()
    assert average_landmarks([flat])[-1] == 1
    true = measure_landmarks(np.arange(1000.0), MARKS)
    assert average_landmarks([flat, true]) == average_landmarks([true])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"percentiles": (10.0, 99.0)}, "lie below 10 and above 90"),
        ({"landmarks": (0.0, 1.0)}, "prepare.landmarks is 11 numbers, not 2"),
        ({"landmarks": (*range(10), -1.0)}, "prepare.landmarks rise"),
        ({"sites": ("a",)}, "prepare.site_landmarks is 11 numbers, not 0"),
        ({"landmarks": tuple(range(11)), "site": "scanner"}, "prepare.sites go together"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes, message):
    with pytest.raises(SettingError, match=message):
        replace(SETTINGS, **changes)
