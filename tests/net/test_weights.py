"""Published weights: every source fits its body, and whatever goes wrong is told in one line."""

import hashlib
import pickle
import re
from pathlib import Path
from urllib.error import URLError

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from medclf.errors import FetchError, SettingError
from medclf.net.head import Classifier
from medclf.net.source import HALF, SOURCES, Source
from medclf.net.table import BODIES, build_body, build_classifier
from medclf.net.weights import find_source, load_pretrained, published, read_weights, rules_of

every_source = pytest.mark.parametrize("name", SOURCES)
OF_TORCHVISION = [name for name, one in SOURCES.items() if one.names == "TORCHVISION"]
OF_TIMM = {
    "inception_resnet_v2": "inception_resnet_v2",
    "xception": "legacy_xception",
    "efficientnet_lite0": "tf_efficientnet_lite0",
}
GOOGLE = ("googlenet", "inception_v3", *OF_TIMM)


def theirs(name):
    """The network of another library, without values."""
    with torch.device("meta"):
        if name in OF_TIMM:
            return timm.create_model(OF_TIMM[name])
        options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        return torchvision.models.get_model(name, weights=None, **options)


@every_source
def test_every_name_of_theirs_becomes_one_of_ours(name):
    state, one = theirs(name).state_dict(), SOURCES[name]
    found = published(name, Source(one.file, one.place, one.names, 0), state)
    edge = (one.pixels,) * 2
    with torch.device("meta"):
        body = build_body(name, 2, 3, edge)
        ours = Classifier(body, 1000, pool="dense" if body.dense else "mean").state_dict()
    assert {key: value.shape for key, value in found.items()} == {
        key: value.shape for key, value in ours.items()
    }


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_files_are_those_of_torchvision(name):
    (first, *_), one = torchvision.models.get_model_weights(name), SOURCES[name]
    assert one.remote.url == first.url
    assert one.top1 == round(first.meta["_metrics"]["ImageNet-1K"]["acc@1"], 1)
    crop = first.transforms()
    assert [one.pixels] == crop.crop_size
    if name not in GOOGLE:
        assert (list(one.mean), list(one.deviation)) == (crop.mean, crop.std)


@pytest.mark.parametrize("name", OF_TIMM)
def test_values_and_files_are_those_of_timm(name):
    told, one = timm.models.get_pretrained_cfg(OF_TIMM[name]), SOURCES[name]
    assert (one.mean, one.deviation) == (told.mean, told.std)
    assert one.pixels == told.input_size[-1]
    if name == "xception":
        assert one.remote.url == told.url


def test_weights_of_google_want_values_from_minus_one_to_one():
    """torchvision turns its own mean and deviation into these, in `_transform_input`."""
    for name in GOOGLE:
        assert SOURCES[name].mean == SOURCES[name].deviation == HALF
    network = torchvision.models.googlenet(
        weights=None, init_weights=False, aux_logits=False, transform_input=True
    )
    x = torch.rand(1, 3, 4, 4)
    usual = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    low, spread = (torch.tensor(v)[:, None, None] for v in (usual.mean, usual.std))
    assert torch.allclose(network._transform_input((x - low) / spread), (x - 0.5) / 0.5, atol=1e-5)


@every_source
def test_every_file_bears_its_checksum(name):
    one = SOURCES[name]
    assert re.fullmatch("[0-9a-f]{8,9}", one.remote.sha256)
    assert one.packed or one.remote.url.startswith("https://")
    assert name in BODIES
    assert rules_of(name, one)


@every_source
def test_every_source_stands_in_the_docs(name):
    page = (Path(__file__).parents[2] / "docs" / "weights.md").read_text(encoding="utf-8")
    one = SOURCES[name]
    other = "timm" if one.names == "TIMM" else "torchvision"
    place = f"package `{one.place}`" if one.packed else other
    assert f"| `{name}` | {place} | {one.top1} % | {one.pixels} |" in page.splitlines()


def test_older_names_of_densenet_are_known():
    today = theirs("densenet121").state_dict()
    older = {re.sub(r"\.(norm|conv)(\d)\.(?=\w+$)", r".\1.\2.", key): v for key, v in today.items()}
    older = {key.replace("features.norm.5", "features.norm5"): v for key, v in older.items()}
    older = {
        re.sub(r"features\.(norm|conv)\.0", r"features.\g<1>0", k): v for k, v in older.items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in older
    one = SOURCES["densenet121"]
    assert (
        published("densenet121", one, older).keys() == published("densenet121", one, today).keys()
    )


def test_the_package_needs_no_network(monkeypatch):
    monkeypatch.setenv("MEDCLF_OFFLINE", "1")
    network = build_classifier("efficientnet_lite0", 3, 1, (28, 28), torch.Generator())
    assert load_pretrained(network, "efficientnet_lite0") == ("linear.weight", "linear.bias")
    reference = timm.create_model("tf_efficientnet_lite0")
    values = read_weights(SOURCES["efficientnet_lite0"].fetch()).values()
    reference.load_state_dict(dict(zip(reference.state_dict(), values, strict=True)))
    assert torch.equal(network.body.stage9[0].weight, reference.conv_head.weight)
    grey = reference.conv_stem.weight.sum(1, keepdim=True)
    assert torch.equal(network.body.stage1[1].weight, grey)


def test_an_absent_package_is_named(monkeypatch):
    absent = Source("a-00000000.pth", "there-is-no-such-package", "TIMM", 0)
    with pytest.raises(FetchError, match=r"a-0+\.pth: comes in the package there-is-no-such"):
        absent.fetch()
    packed = SOURCES["efficientnet_lite0"]
    other = Source("efficientnet-lite0-11111111.pth", packed.place, "TIMM", 0)
    with pytest.raises(FetchError, match="not the published file; install"):
        other.fetch()


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path))
    folder = tmp_path / "weights"
    folder.mkdir()
    return folder


@pytest.fixture
def tiny(shelf, monkeypatch):
    """A narrow ResNet-18 as published, in the cache."""
    narrow = build_classifier("resnet18", 1000, 3, (96, 96), torch.Generator(), width=4)
    state = dict(zip(theirs("resnet18").state_dict(), narrow.state_dict().values(), strict=True))
    path = shelf / "new.pth"
    torch.save(state, path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    path.rename(shelf / f"tiny-{digits}.pth")
    one = Source(f"tiny-{digits}.pth", "http://127.0.0.1:1", "TORCHVISION", 0)
    monkeypatch.setattr("medclf.net.weights.SOURCES", {"resnet18": one})
    return shelf / one.file


@pytest.mark.parametrize("size", [(28, 28), (96, 96), (24, 28, 28)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_weights_go_into_any_network_of_that_name(tiny, size, channels):
    body = build_body("resnet18", len(size), channels, size, width=4)
    assert load_pretrained(body, "resnet18") == ()
    flat = read_weights(tiny)["layer4.1.conv2.weight"]
    found = body.stage4[1].correction[3].weight
    assert torch.allclose(found if len(size) == 2 else found.sum(2), flat, atol=1e-6)


def test_those_of_another_network_are_one_clear_error(tiny):
    body = build_body("resnet18", 2, 3, (28, 28), width=8)
    with pytest.raises(SettingError) as problem:
        load_pretrained(body, "resnet18")
    assert str(problem.value).startswith(f"{tiny}, for resnet18: weights of another network: body.")
    assert "\n" not in str(problem.value)


def test_a_tampered_file_is_refused(tiny):
    raw = bytearray(tiny.read_bytes())
    raw[-1] ^= 1
    tiny.write_bytes(raw)
    body = build_body("resnet18", 2, 3, (28, 28), width=4)
    with pytest.raises(FetchError, match=r"not the published file .* move it away first"):
        load_pretrained(body, "resnet18")


def test_without_network_nothing_is_left_behind(shelf, monkeypatch):
    body = build_body("resnet18", 2, 3, (28, 28))

    def refuse(*_, **__):
        raise URLError("no route to host")

    monkeypatch.setattr("medclf.read.fetch.urlopen", refuse)
    with pytest.raises(FetchError) as problem:
        load_pretrained(body, "resnet18")
    said = str(problem.value)
    assert said.startswith("https://download.pytorch.org/models/resnet18-f37072fd.pth: cannot be")
    assert said.endswith(f"put it at {shelf / 'resnet18-f37072fd.pth'}")
    assert not [path for path in shelf.iterdir() if not path.name.endswith(".lock")]
    monkeypatch.setenv("MEDCLF_OFFLINE", "1")
    with pytest.raises(FetchError, match="not there, and MEDCLF_OFFLINE forbids"):
        load_pretrained(body, "resnet18")


def test_a_cache_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "file"))
    with pytest.raises(FetchError, match="cannot be written"):
        SOURCES["resnet18"].fetch()


class Evil:
    def __reduce__(self):
        return print, ("code that a file must not run",)


@pytest.mark.parametrize("held", [b"", b"rubbish", pickle.dumps(Evil(), 2), None])
def test_files_that_hold_no_weights(tmp_path, held, capsys):
    path = tmp_path / "a.pth"
    path.write_bytes(held) if held is not None else torch.save({"a": 1}, path)
    with pytest.raises(
        FetchError, match=r"a\.pth: (cannot read these weights|weights by name)"
    ) as e:
        read_weights(path)
    assert "\n" not in str(e.value)
    assert capsys.readouterr().out == ""


def test_safetensors_whole_and_cut_short(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.arange(5)}, path)
    assert torch.equal(read_weights(path)["a"], torch.arange(5))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(FetchError, match=r"a\.safetensors: cannot read these weights"):
        read_weights(path)


def test_what_has_no_weights_says_so():
    with pytest.raises(SettingError, match="no weights of sprint are published; there are: alex"):
        find_source("sprint")
    with pytest.raises(SettingError, match="no body is called 'resnet19'"):
        find_source("resnet19")
    with pytest.raises(SettingError, match="are those of imagenet, not 'radimagenet'"):
        find_source("resnet18", "radimagenet")
