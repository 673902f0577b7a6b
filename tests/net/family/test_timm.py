"""Networks of timm as bodies: the same maps, and one clear line for what cannot be."""

import hashlib
import sys

import pytest
import timm
import torch

from medclf.errors import FetchError, SettingError
from medclf.net.borrow import borrow
from medclf.net.family.timm import find_published, take_published
from medclf.net.source import HALF, Source
from medclf.net.start import initialise
from medclf.net.table import build_body, build_classifier
from medclf.net.weights import find_source, load_pretrained

SIZE = (64, 48)


def make(name="resnet18", channels=3, size=SIZE):
    return build_body(f"timm:{name}", len(size), channels, size)


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_small_050", "convnext_atto"])
def test_the_last_map_is_that_of_timm(name):
    torch.manual_seed(0)
    theirs, ours = timm.create_model(name, num_classes=0, in_chans=2).eval(), make(name, 2).eval()
    ours.network.model.load_state_dict(theirs.state_dict())
    x = torch.rand(2, 2, *SIZE)
    with torch.no_grad():
        found = ours(x)
        assert torch.equal(found, theirs.forward_features(x))
        maps = ours.stages(x)
    assert found.shape[1] == ours.features
    assert torch.equal(maps["network"], found)
    assert ours.names == ("network",)
    assert len(maps) > 4
    edges = [one.shape[-1] for one in maps.values()]
    assert edges == sorted(edges, reverse=True)
    assert not any(module._forward_hooks for module in ours.modules())


def test_a_classifier_learns_and_saves_memory():
    network = build_classifier("timm:resnet10t", 3, 1, SIZE, torch.Generator())
    network.body.saves_memory = True
    network(torch.rand(2, 1, *SIZE)).square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_a_seed_gives_the_same_weights():
    def draw(seed):
        torch.rand(3)
        body = make("resnet10t")
        initialise(body, torch.Generator().manual_seed(seed))
        return body.network.model.layer1[0].conv1.weight

    first, again, other = draw(0), draw(0), draw(1)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("name", "size", "options", "message"),
    [
        ("resnet18", (32, 32, 32), {}, "timm:resnet18 is for pictures, and these are volumes"),
        ("resnet18", SIZE, {"norm": "group"}, "timm has it: no part of it may be chosen"),
        ("resnet18", SIZE, {"drop_path": 0.1}, "no part of it may be chosen"),
        ("resnet18", SIZE, {"width": 3}, "timm:resnet18 has no option 'width'"),
        ("resnt18", SIZE, {}, "timm has no network 'resnt18'; did you mean 'resnet18'"),
        ("zzzzzzz", SIZE, {}, "timm has no network 'zzzzzzz'$"),
        ("vit_tiny_patch16_224", SIZE, {}, r"no picture of \(64, 48\): Input height"),
        ("vit_tiny_patch16_224", (224, 224), {}, "gives no map of features"),
        ("swin_tiny_patch4_window7_224", (224, 224), {}, "gives no map of features"),
    ],
)
def test_what_cannot_be_is_one_clear_line(name, size, options, message):
    with pytest.raises(SettingError, match=message) as problem:
        build_body(f"timm:{name}", len(size), 1, size, **options)
    assert "\n" not in str(problem.value)


def test_without_timm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(SettingError, match=r"pip install '\.\[timm\]'"):
        make()


def test_weights_are_those_whose_file_bears_a_checksum():
    found = find_source("timm:resnet50.tv_in1k")
    assert found.remote.url == "https://download.pytorch.org/models/resnet50-0676ba61.pth"
    assert found.remote.sha256 == "0676ba61"
    assert find_published("tf_efficientnet_lite0").mean == HALF
    with pytest.raises(SettingError, match="no weights with a checksum for mobilenetv1_100"):
        find_source("timm:mobilenetv1_100")
    with pytest.raises(SettingError, match="no weights with a checksum for zzz"):
        find_source("timm:zzz")


def test_weights_go_into_any_channels(tmp_path, monkeypatch):
    theirs = timm.create_model("resnet18")
    path = tmp_path / "weights" / "new.pth"
    path.parent.mkdir()
    torch.save(theirs.state_dict(), path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    one = Source(f"a-{digits}.pth", "http://127.0.0.1:1", "TIMM", 0)
    path.rename(path.with_name(one.file))
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path))
    monkeypatch.setattr("medclf.net.family.timm.find_published", lambda _: one)
    body = make(channels=1)
    assert load_pretrained(body, "timm:resnet18") == ()
    model = body.network.model
    assert torch.equal(model.conv1.weight, theirs.conv1.weight.sum(1, keepdim=True))
    assert torch.equal(model.layer4[1].conv2.weight, theirs.layer4[1].conv2.weight)
    with pytest.raises(SettingError, match=r"another network than timm:mobilenetv3_small_050: "):
        take_published("mobilenetv3_small_050", theirs.state_dict())
    with pytest.raises(SettingError, match="weights of another network"):
        borrow(make("mobilenetv3_small_050"), {"body.network.model.x": torch.zeros(1)}, "there")


def test_without_network_it_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path))
    monkeypatch.setenv("MEDCLF_OFFLINE", "1")
    with pytest.raises(FetchError, match="not there, and MEDCLF_OFFLINE forbids"):
        load_pretrained(make(), "timm:resnet18")
