"""Finders learn from tiny phantoms: a bright and a dark ball in noise, the dark one not always."""

import json
from dataclasses import replace

import numpy as np
import pytest

from medclf.errors import CohortError, RunError, SettingError
from medclf.evaluate.places import place_errors
from medclf.learn.committee import Part
from medclf.learn.places import fit_places, load_places, usual_fit
from medclf.learn.settle import time_steps
from medclf.learn.trained import Held
from medclf.locate.sought import Sought
from medclf.look.augment import Augment

PART = Part(np.arange(24), np.arange(24, 36))
TEST = np.arange(36, 48)
MILD = Augment(rotate_degrees=10, scale=0.1, shift=0.05)


def phantoms(size, count=48):
    rng = np.random.default_rng(0)
    at = rng.uniform(5, np.array(size) - 6, (count, 2, len(size))).astype(np.float32)
    at[::3, 1] = np.nan
    axes = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), -1)
    values = rng.normal(100, 10, (count, 1, *size))
    for image, places in zip(values, at, strict=True):
        for place, light in zip(places, (80, -80), strict=True):
            if np.isfinite(place).all():
                image[0] += light * np.exp(-((axes - place) ** 2).sum(-1) / 8)
    return Held(values.clip(0, 255).astype(np.uint8)), at


def sought(size, way="heat_map"):
    spacing, names = (2.0,) * len(size), ("bright", "dark")
    if way == "votes":
        return Sought(way, names, 1, size, spacing, changes=MILD)
    narrow = {"width": 16, "stem": 2}
    return Sought(way, names, 1, size, spacing, options=narrow, changes=MILD)


@pytest.mark.parametrize(
    ("way", "size"), [("heat_map", (28, 32)), ("heat_map", (16, 20, 18)), ("votes", (28, 32))]
)
def test_a_finder_learns_finds_and_tells_what_is_missing(tmp_path, way, size):
    rows, at = phantoms(size)
    fit = usual_fit(size, epochs=3, batch=4, rate=0.01)
    finder = fit_places(tmp_path / "run", sought(size, way), rows, at, PART, fit)
    places, scores = finder.locate_all(rows, TEST)
    errors = place_errors(places, at[TEST], size, (2.0,) * len(size))
    assert np.nanmean(errors) < 5.0  # mm, of samples of 2 mm; by chance it is about 20
    there = np.isfinite(errors)
    assert ((scores >= finder.facts.threshold) == there).mean() > 0.9
    assert max(finder.facts.errors) < 8.0
    again = load_places(tmp_path / "run")
    one, sure = again.locate(rows.values[TEST[0]])
    assert np.allclose(one, places[0], atol=1e-3)
    assert np.allclose(sure, scores[0], atol=1e-4)
    with pytest.raises(
        SettingError, match=r"an image of shape \(1, .*\) wanted, found \(1, 9, 9\)"
    ):
        again.locate(np.zeros((1, 9, 9), np.uint8))


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    size = (24, 24)
    rows, at = phantoms(size)
    fit = usual_fit(size, epochs=2, steps=4, batch=4, members=2)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    fit_places(whole, sought(size), rows, at, PART, fit)

    def kill(progress):
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_places(cut, sought(size), rows, at, PART, fit, tell=kill)
    with pytest.raises(RunError, match="found one that was cut short"):
        load_places(cut)
    fit_places(cut, sought(size), rows, at, PART, fit)
    for name in ("weights.safetensors", "places.json"):
        assert (whole / name).read_bytes() == (cut / name).read_bytes()
    logs = [(folder / "log.jsonl").read_text().splitlines() for folder in (whole, cut)]
    told = [[{**json.loads(row), "seconds": 0} for row in rows] for rows in logs]
    assert told[0] == told[1]
    assert len(told[0]) == 4
    assert not (whole / "checkpoint").exists()
    other = Sought("heat_map", ("left", "right"), 1, size)
    with pytest.raises(RunError, match="found one of"):
        fit_places(cut, other, rows, at, PART, fit)


def test_seconds_settle_the_epochs(tmp_path, monkeypatch):
    def time_slow_steps(*told):
        pace = time_steps(*told)
        return replace(pace, step=20 / pace.steps, judge=0.0)

    monkeypatch.setattr("medclf.learn.places.time_steps", time_slow_steps)
    size = (24, 24)
    rows, at = phantoms(size)
    fit = usual_fit(size, batch=8)
    finder = fit_places(tmp_path, sought(size), rows, at, PART, fit, seconds=95)
    assert finder.facts.fit.epochs == 4  # 89.3 s, less what was spent already, are for training
    assert finder.facts.fit.members == 1


def test_places_that_fit_nothing_are_refused(tmp_path):
    size = (24, 24)
    rows, at = phantoms(size)
    with pytest.raises(CohortError, match=r"places \(N, 2, 2\) .* wanted, found \(48, 2, 3\)"):
        fit_places(
            tmp_path, sought(size), rows, np.zeros((48, 2, 3), np.float32), PART, usual_fit(size)
        )
    empty = Part(PART.training, np.arange(0))
    with pytest.raises(CohortError, match=r"to validate on wanted, found .* 24 and 0"):
        fit_places(tmp_path, sought(size), rows, at, empty, usual_fit(size))
