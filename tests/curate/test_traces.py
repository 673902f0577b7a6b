"""Traces measured on images whose light, frame and corners are known."""

import numpy as np
import pytest

from medclf.curate.traces import GROUPS, take_traces


def test_every_group_is_measured_whatever_the_shape():
    rng = np.random.default_rng(0)
    names = {name for group in GROUPS.values() for name in group}
    for shape in ((1, 1, 1), (3, 7, 400), (1, 5, 30, 20), (2, 300, 300)):
        traces = take_traces(rng.integers(0, 256, shape).astype(np.uint8), 8)
        assert set(traces) == names
        assert all(np.isfinite(value) for value in traces.values())


def test_light_is_scaled_by_the_bits():
    image = np.full((1, 40, 40), 1024, np.uint16)
    image[:, 20:] = 3072
    traces = take_traces(image, 12)
    assert traces["mean"] == pytest.approx(0.5, abs=1e-3)
    assert traces["spread"] == pytest.approx(0.25, abs=1e-3)
    assert traces["darkest"] == pytest.approx(0.25, abs=1e-3)
    assert take_traces(image * 0.01 - 5, 12)["mean"] == pytest.approx(0.5, abs=1e-3)


def test_colour_is_how_far_channels_differ():
    grey = np.random.default_rng(0).integers(0, 256, (1, 30, 30)).astype(np.uint8)
    assert take_traces(grey.repeat(3, axis=0), 8)["colour"] == 0
    red = np.zeros((3, 30, 30), np.uint8)
    red[0] = 255
    assert take_traces(red, 8)["colour"] == 1


@pytest.mark.parametrize(("rows", "columns", "share"), [(0, 0, 0), (10, 0, 0.25), (8, 5, 0.325)])
def test_a_frame_is_measured(rows, columns, share):
    image = np.random.default_rng(0).integers(100, 256, (1, 40, 40)).astype(np.uint8)
    image[:, :rows] = 0
    image[:, :, 40 - columns :] = 0
    assert take_traces(image, 8)["frame"] == pytest.approx(share)


def test_letters_in_a_corner_leave_edges_there_alone():
    image = np.full((1, 80, 80), 50, np.uint8)
    image[0, 70:80, 0:10:2] = 255
    edges = [take_traces(image, 8)[f"edges {k}"] for k in range(4)]
    assert edges[2] > 0.5
    assert edges[0] == edges[1] == edges[3] == 0


def test_of_a_volume_the_middle_slice_counts():
    volume = np.zeros((1, 5, 20, 20), np.uint8)
    volume[:, 2] = 255
    assert take_traces(volume, 8)["mean"] == 1
