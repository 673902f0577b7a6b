import pytest
import torch
from torch.nn.functional import max_pool2d

from medclf.errors import SettingError
from medclf.net.cost import measure_cost
from medclf.net.family.sprint import Sprint, stage_pools, stage_widths, stem_strides


def test_weights_counted_by_hand():
    stem = 16 * 32
    convs = 9 * (2 * 32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128)
    norms = 2 * (3 * 32 + 2 * 64 + 2 * 128)
    assert count(Sprint(2, 1, (28, 28))) == stem + convs + norms == 296_384
    assert count(Sprint(2, 1, (28, 28), width=16)) == 74_464


def count(body):
    return sum(p.numel() for p in body.parameters())


@pytest.mark.parametrize(
    ("size", "stem", "widths", "last"),
    [
        ((8, 8), (1, 1), [32, 64, 128], (4, 4)),
        ((28, 28), (2, 2), [32, 64, 128], (3, 3)),
        ((32, 32), (2, 2), [32, 64, 128], (4, 4)),
        ((64, 64), (2, 2), [16, 32, 64, 128], (4, 4)),
        ((224, 224), (4, 4), [16, 32, 64, 128], (7, 7)),
        ((224, 160), (4, 4), [16, 32, 64, 128], (7, 5)),
        ((512, 512), (8, 8), [16, 16, 32, 64, 128], (4, 4)),
        ((28, 28, 28), (2, 2, 2), [16, 32, 64], (3, 3, 3)),
        ((64, 64, 64), (4, 4, 4), [16, 32, 64], (4, 4, 4)),
        ((20, 224, 224), (2, 8, 8), [16, 32, 64], (5, 7, 7)),
    ],
)
def test_the_layout_follows_the_size(size, stem, widths, last):
    body = Sprint(len(size), 1, size)
    assert body.stem[0].stride == stem
    assert [stage[0].out_channels for stage in list(body.children())[1:]] == widths
    cost = measure_cost(body, 1, size)
    assert cost.shape == (body.features, *last)
    assert 220_000 < cost.weights < 310_000


@pytest.mark.parametrize("dims", [2, 3])
def test_every_size_ends_in_a_small_map(dims):
    for edge in [*range(3, 70), 96, 127, 128, 200, 224, 384, 512, 1024]:
        (step, *_) = stem_strides(dims, (edge,) * dims, None)
        pools = stage_pools((edge // step,) * dims)
        last = edge // step // 2 ** sum(pool[0] > 1 for pool in pools)
        assert 3 <= last <= 7
        assert 3 <= len(pools) + 1 <= 6


def test_narrow_stages_come_in_front():
    assert stage_widths(192, 5) == [16, 16, 48, 96, 192]


def test_pooling_before_relu_is_pooling_after_it():
    torch.manual_seed(0)
    body = Sprint(2, 1, (28, 28)).eval()
    stem, *stages = body.children()
    x = torch.randn(4, 1, 28, 28)
    y = stem(x)
    for i, stage in enumerate(stages):
        for conv, norm in ((stage[0], stage[1]), (stage[3], stage[4])):
            y = norm(conv(y)).relu()
        y = max_pool2d(y, 2) if i < 2 else y
    assert torch.equal(body(x), y)


@pytest.mark.parametrize("width", [0, -16, 24])
def test_other_widths_are_refused(width):
    with pytest.raises(SettingError, match="multiple of 16"):
        Sprint(2, 1, (28, 28), width=width)


def test_other_stems_are_refused_and_the_chosen_one_is_built():
    with pytest.raises(SettingError, match=r"stride of \(1, 2, 4, 8\), not 3"):
        Sprint(2, 1, (28, 28), stem=3)
    body = Sprint(2, 1, (28, 28), stem=1)
    assert body.stem[0].kernel_size == (3, 3)
    assert body(torch.zeros(2, 1, 28, 28)).shape == (2, 128, 7, 7)
