import pytest
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, adaptive_avg_pool3d

from medclf.errors import SettingError
from medclf.net.body import Body, Dense
from medclf.net.head import Classifier


class Copy(Body):
    def __init__(self, dims=2):
        super().__init__(dims, {"same": nn.Identity()}, features=2)


@pytest.mark.parametrize("space", [(3, 4), (2, 3, 4)])
def test_pools_by_hand(space):
    x = torch.rand(5, 2, *space)
    mean, most = x.flatten(2).mean(2), x.flatten(2).max(2).values
    assert torch.allclose(Classifier(Copy(), 3).embed(x), mean)
    both = Classifier(Copy(), 3, pool="mean+max")
    assert torch.allclose(both.embed(x), torch.cat([mean, most], 1))
    assert both(x).shape == (5, 3)
    assert torch.allclose(both(x), both.linear(both.embed(x)))


def test_logits_keep_their_digits_under_autocast():
    head = Classifier(Copy(), 3)
    x = torch.rand(64, 2, 4, 4)
    plain = head(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = head(x)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, plain)


def test_a_map_of_low_precision_is_pooled_in_that_of_the_weights():
    assert Classifier(Copy(), 3)(torch.rand(2, 2, 4, 4).bfloat16()).dtype == torch.float32
    assert Classifier(Copy(), 3).bfloat16()(torch.rand(2, 2, 4, 4)).dtype == torch.bfloat16


def test_dropout_acts_only_in_training():
    head = Classifier(Copy(), 3, dropout=0.9)
    x = torch.rand(64, 2, 4, 4)
    torch.manual_seed(0)
    assert (head(x) == head.linear.bias).all(1).float().mean() > 0.5
    assert torch.equal(head.eval()(x), head.linear(head.embed(x)))


class Gridded(Copy):
    dense = Dense(side=2, hidden=(5, 4), dropout=0.5)


@pytest.mark.parametrize("space", [(4, 6), (2, 4, 6), (1, 1)])
def test_a_dense_head_by_hand(space):
    dims = len(space)
    head = Classifier(Gridded(dims), 3, pool="dense").eval()
    x = torch.rand(5, 2, *space)
    pool = (adaptive_avg_pool2d, adaptive_avg_pool3d)[dims - 2]
    out = pool(x, 2).flatten(1)
    for layer in (part for part in head.hidden.modules() if isinstance(part, nn.Linear)):
        out = layer(out).relu()
    assert out.shape == (5, 4)
    assert torch.allclose(head.embed(x), out)
    assert torch.allclose(head(x), head.linear(out))


def test_a_dense_head_drops_what_each_hidden_layer_gives():
    head = Classifier(Gridded(), 3, pool="dense")
    assert [type(part).__name__ for part in head.hidden.layers] == [
        *("AdaptiveAvgPool2d", "Flatten", "Linear", "ReLU"),
        *("Dropout", "Linear", "ReLU"),
    ]
    assert head.dropout.p == 0.5
    assert Classifier(Gridded(), 3, dropout=0.2, pool="dense").dropout.p == 0.2


@pytest.mark.parametrize(
    ("body", "settings", "message"),
    [
        (Copy(), {"outputs": 2, "pool": "dense"}, "Copy has no dense head"),
        (Copy(), {"outputs": 0}, "1 output or more, not 0"),
        (Copy(), {"outputs": 2, "dropout": 1.0}, "below 1, not 1.0"),
        (Copy(), {"outputs": 2, "pool": "sum"}, r"mean or mean\+max or dense, not 'sum'"),
    ],
)
def test_wrong_settings_are_refused(body, settings, message):
    with pytest.raises(SettingError, match=message):
        Classifier(body, **settings)
