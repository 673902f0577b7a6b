import torch

from medclf.core.task import Task
from medclf.learn.committee import build_method
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Method, Net
from medclf.look.planes import symmetric_planes
from medclf.look.views import Views
from medclf.method.multi_view import TRIPLES, VIEWS
from medclf.prepare.exam import Prepare


def mixed():
    recipe = Recipe(
        Prepare(size=(16, 16, 16), channels=1),
        net=Net("sprint", {"width": 16}),
        method=Method("multi_view", {"fusion": "mixed"}),
    )
    return build_method(recipe, Task(("no", "yes")), 0, torch.device("cpu")).eval()


def test_the_planes_of_a_triple_stand_upright_on_each_other():
    assert sorted(sum(TRIPLES, ())) == list(range(VIEWS))
    _, down, right = symmetric_planes()[0].unbind(-1)
    normals = torch.linalg.cross(down, right)
    for triple in TRIPLES:
        three = normals[list(triple)]
        assert torch.allclose(three @ three.T, torch.eye(3), atol=1e-6)


def test_mixed_fusion_judges_triples_apart_and_averages():
    method = mixed()
    values = torch.randn(2, VIEWS, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole = method(Views(values))
        assert whole.shape == (2, 3, 2)
        changed = values.clone()
        changed[:, TRIPLES[1][2]] += 1
        moved = (method(Views(changed)) - whole).abs().amax((0, 2))
        assert moved[1] > 1e-4
        assert moved[[0, 2]].max() < 1e-6
        shares, _ = method.decide(whole)
        assert torch.allclose(shares, whole.double().softmax(2).mean(1), atol=1e-6)


def test_planes_bear_names():
    method = mixed()
    assert method.seen.names[2:5] == ("sagittal", "plane 4", "plane 5")
    assert len(method.seen.names) == VIEWS
