"""A network takes published weights as far as they fit, and says in one line where they do not."""

import pytest
import torch

from medclf.errors import SettingError
from medclf.net.body import Dense
from medclf.net.borrow import borrow, rename
from medclf.net.head import Classifier
from medclf.net.table import build_body, build_classifier

WIDTH = {"resnet18": {"width": 4}, "vgg11": {"width": 2}, "inception_v3": {"width": 0.05}}


def make(name, outputs=5, channels=3, size=(96, 96), **options):
    generator = torch.Generator().manual_seed(outputs)
    return build_classifier(name, outputs, channels, size, generator, **WIDTH[name], **options)


def test_the_same_network_takes_everything():
    theirs, ours = make("resnet18", 1000), make("resnet18", 1000)
    for weight in theirs.parameters():
        torch.nn.init.normal_(weight)
    assert borrow(ours, theirs.state_dict(), "there") == ()
    state = ours.state_dict()
    assert all(torch.equal(state[name], value) for name, value in theirs.state_dict().items())


def test_another_head_stays_as_it_is():
    theirs, ours = make("resnet18", 1000), make("resnet18", 5)
    before = ours.linear.weight.clone()
    assert borrow(ours, theirs.state_dict(), "there") == ("linear.weight", "linear.bias")
    assert torch.equal(ours.linear.weight, before)
    assert torch.equal(ours.body.stem[0].weight, theirs.body.stem[0].weight)


def test_a_body_alone_takes_those_of_a_body():
    theirs = make("resnet18", 1000)
    body = build_body("resnet18", 2, 3, (96, 96), width=4)
    assert borrow(body, theirs.state_dict(), "there") == ()
    assert torch.equal(body.stage4[1].correction[0].weight, _last(theirs))


def _last(network):
    return network.body.stage4[1].correction[0].weight


def test_auxiliary_heads_stay_where_they_do_not_fit():
    theirs, ours = make("inception_v3", 1000), make("inception_v3", 3)
    left = borrow(ours, theirs.state_dict(), "there")
    assert {name.partition(".")[0] for name in left} == {"linear", "auxiliary"}


@pytest.mark.parametrize("dims", [2, 3])
def test_dense_layers_are_taken_and_inflated(dims):
    def make(dims):
        body = build_body("vgg11", dims, 3, (32,) * dims, width=2)
        body.dense = Dense(side=5, hidden=(8, 8), dropout=0.5)
        return Classifier(body, 1000, pool="dense").eval()

    torch.manual_seed(0)
    theirs, ours = make(2), make(dims)
    assert borrow(ours, theirs.state_dict(), "there") == ()
    grid = torch.rand(1, theirs.body.features, 5, 5)
    wanted = theirs.hidden(grid)
    found = ours.hidden(grid if dims == 2 else grid[:, :, None].expand(-1, -1, 5, -1, -1))
    assert torch.allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_any_channels_and_small_images(channels):
    theirs = make("resnet18", 1000, size=(224, 224))
    ours = make("resnet18", 2, channels=channels, size=(28, 28))
    borrow(ours, theirs.state_dict(), "there")
    large, small = theirs.body.stem[0].weight, ours.body.stem[0].weight
    assert (large.shape[-1], small.shape[-1]) == (7, 3)
    constant = torch.ones(1, channels, 8, 8)
    there = torch.nn.functional.conv2d(torch.ones(1, 3, 9, 9), large)[0, :, 1, 1]
    here = torch.nn.functional.conv2d(constant, small)[0, :, 1, 1]
    assert torch.allclose(here, there, atol=1e-4)


def test_planes_shared_out_take_them_as_they_are():
    theirs = make("resnet18", 1000)
    ours = make("resnet18", 2, size=(24, 96, 96), volume="acs")
    borrow(ours, theirs.state_dict(), "there")
    assert torch.equal(_last(ours), _last(theirs))


def test_older_files_without_counts_do():
    theirs = make("resnet18", 1000).state_dict()
    older = {name: value for name, value in theirs.items() if "num_batches" not in name}
    assert borrow(make("resnet18", 1000), older, "there") == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"norm": "weights"}, r"there: weights of another network: body\.stem\.0\.bias is missing"),
        ({"norm": "group"}, r"body\.stem\.1\.running_mean is more than it has; width, depth"),
    ],
)
def test_another_norm_is_refused(change, message):
    theirs = make("resnet18", 1000).state_dict()
    with pytest.raises(SettingError, match=message):
        borrow(make("resnet18", 1000, **change), theirs, "there")


def test_weights_of_another_network_are_refused_and_change_nothing():
    theirs, ours = make("resnet18", 1000).state_dict(), make("vgg11")
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with pytest.raises(SettingError, match=r"vgg\.pth: weights of another network: body\.\S+ is"):
        borrow(ours, theirs, "vgg.pth")
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())
    wide = build_body("resnet18", 2, 3, (96, 96), width=8)
    with pytest.raises(SettingError, match=r"of shape \(4, 3, 7, 7\), wanted \(8, 3, 7, 7\)"):
        borrow(wide, theirs, "there")


def test_rules_come_one_after_the_other():
    one = torch.zeros(1)
    rules = ((r"^a\.", "b."), (r"^b\.(\d)", r"c.\1"))
    assert list(rename({"a.1": one, "b.2": one, "a.b": one}, rules)) == ["c.1", "c.2", "b.b"]
