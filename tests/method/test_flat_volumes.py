"""Methods see all of a volume, however flat, and what is round in mm looks round."""

import pytest
import torch

from medclf.core.task import Task
from medclf.learn.committee import build_method
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Method, Net
from medclf.look.views import Views
from medclf.prepare.exam import Prepare

WAYS = [
    ("three_planes", {}),
    ("three_planes", {"shown": "mean"}),
    ("three_planes", {"side": "axial"}),
    ("multi_view", {}),
    ("random_views", {}),
    ("near_and_far", {}),
    ("filters_then_sequence", {}),
]


def look(name, options, values, spacing_mm=()):
    """See volumes as in use: (B, C, Z, Y, X) -> (B, V, C, *size)."""
    recipe = Recipe(
        Prepare(size=tuple(values.shape[2:]), channels=1, spacing_mm=spacing_mm),
        net=Net("sprint", {"width": 16}),
        method=Method(name, options),
    )
    method = build_method(recipe, Task(("no", "yes")), 0, torch.device("cpu")).eval()
    return method.look(Views(values[:, None]), torch.Generator().manual_seed(0)).values


@pytest.mark.parametrize("size", [(12, 36, 36), (36, 36, 12)])
@pytest.mark.parametrize(("name", "options"), WAYS)
def test_the_outer_part_of_a_flat_volume_is_looked_at(name, options, size):
    values = torch.zeros(1, 1, *size)
    axis = size.index(36, 1)  # its outer thirds, beyond what the shortest edge reaches
    values.narrow(2 + axis, 0, 12).fill_(1)
    values.narrow(2 + axis, 24, 12).fill_(1)
    seen = look(name, options, values)
    assert seen.amax() > 0.99
    if name != "random_views":  # whose planes leave out the corners of cubes too
        assert seen.flatten(3).mean(3).amax() > 0.6


@pytest.mark.parametrize("spacing_mm", [(3.0, 1.0, 1.0), (1.0, 1.0, 2.5)])
@pytest.mark.parametrize("name", ["multi_view", "random_views"])
def test_a_ball_looks_alike_in_all_planes(name, spacing_mm):
    size = tuple(round(36 / mm) for mm in spacing_mm)
    axes = [(torch.arange(n) - (n - 1) / 2) * mm for n, mm in zip(size, spacing_mm, strict=True)]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    ball = torch.exp(-(z**2 + y**2 + x**2) / (2 * 6.0**2))[None, None]
    planes = look(name, {}, ball, spacing_mm).flatten(1, 2)[0]
    edge = planes.shape[-1]
    run = torch.arange(edge) - (edge - 1) / 2
    wanted = torch.exp(-(run[:, None] ** 2 + run**2) / (2 * 6.0**2))
    assert torch.allclose(planes, wanted.expand_as(planes), atol=0.05)
