import pytest
import torch
from torch.nn.functional import normalize

from medclf.net.clusters import cluster_filters, draw_patches, set_filters
from medclf.net.table import build_body


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def test_what_patches_are_made_of_is_found():
    parts = normalize(torch.linalg.qr(torch.randn(25, 4, generator=chance()))[0].T)
    parts = normalize(parts - parts.mean(1, keepdim=True))
    kind = torch.arange(2000) % 4
    patches = 3 * parts[kind] * (1 - 2 * (torch.arange(2000) // 4 % 2))[:, None]
    patches = patches + 0.05 * torch.randn(2000, 25, generator=chance()) + kind[:, None]
    filters = cluster_filters(patches, 8, chance())
    alike = (normalize(filters) @ parts.T).abs().amax(0)
    assert (alike > 0.9).all()
    assert torch.allclose(filters.sum(1), torch.zeros(8), atol=1e-4)  # brightness does not count
    assert torch.equal(filters, cluster_filters(patches, 8, chance()))


@pytest.mark.parametrize("space", [(9, 7), (4, 5, 6)])
def test_patches_are_those_of_the_images(space):
    images = torch.arange(2.0 * 3 * torch.Size(space).numel()).view(2, 3, *space)
    size = (3,) * len(space)
    patches = draw_patches(images, size, 200, chance()).view(200, 3, *size)
    windows = images
    for axis in range(len(space)):
        windows = windows.unfold(2 + axis, 3, 1)
    there = {
        tuple(w.tolist())
        for w in windows.movedim(1, -4 if len(space) == 3 else -3).reshape(-1, patches[0].numel())
    }
    assert {tuple(patch.flatten().tolist()) for patch in patches} <= there


def test_images_smaller_than_a_patch_are_laid_out_with_zeros():
    patches = draw_patches(torch.ones(1, 1, 2, 5), (3, 3), 10, chance())
    assert patches.sum(1).tolist() == [6.0] * 10


@torch.no_grad()
@pytest.mark.parametrize(("name", "dims"), [("sprint", 2), ("sprint", 3), ("lenet5", 2)])
def test_the_first_convolution_answers_as_strongly_as_before(name, dims):
    body = build_body(name, dims, 1, (32,) * dims)
    images = torch.randn(20, 1, *[32] * dims, generator=chance())
    first = next(p for p in body.modules() if isinstance(p, torch.nn.Conv2d | torch.nn.Conv3d))
    later = {n: w.clone() for n, w in body.named_parameters() if w is not first.weight}
    before = float(first(images).std())
    set_filters(body, images, chance())
    assert float(first(images).std()) == pytest.approx(before, rel=0.15)
    assert all(torch.equal(w, later[n]) for n, w in body.named_parameters() if n in later)
