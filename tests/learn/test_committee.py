"""A member's first weights: from chance, or borrowed; and then those of the run alone."""

import hashlib
import tomllib
from dataclasses import replace

import pytest
import torch

from medclf.core.task import Task
from medclf.errors import FetchError, SettingError
from medclf.learn.committee import build_method
from medclf.learn.fit import fit_run
from medclf.learn.keep import checkpoint
from medclf.learn.recipe import Recipe, format_recipe, parse_recipe
from medclf.learn.run import FORMAT, create_run
from medclf.learn.settings import Decide, Fit, Net
from medclf.learn.trained import Held, load_trained
from medclf.net.source import SOURCES
from medclf.net.weights import read_weights
from medclf.prepare.exam import Prepare

TASK, CPU = Task(("a", "b")), torch.device("cpu")


def recipe(name="efficientnet_lite0", dims=2, **options):
    return Recipe(
        Prepare(size=(24,) * dims, channels=1),
        net=Net(name, options, pretrained="imagenet"),
        fit=Fit(members=1, epochs=2, batch=16),
        decide=Decide(resamples=50),
    )


def last(method):
    """The last convolution of the body, and what the file has there."""
    return method.network.body.stage9[0].weight


@pytest.fixture(scope="module")
def there():
    tensors = read_weights(SOURCES["efficientnet_lite0"].fetch())
    return tensors["_conv_head.weight"]


@pytest.mark.parametrize(("dims", "volume"), [(2, "full"), (3, "full"), (3, "acs")])
def test_a_member_starts_from_published_weights(there, dims, volume):
    options = {"volume": volume} if dims == 3 else {}
    method = build_method(recipe(dims=dims, **options), TASK, 0, CPU)
    assert torch.equal(last(method).detach().flatten(), there.flatten())
    assert method.network.linear.weight.shape == (TASK.outputs, 1280)


@pytest.mark.parametrize("setting", [{"in_use": True}, {"resumed": True}])
def test_nothing_is_borrowed_for_weights_of_a_run(there, setting, monkeypatch):
    monkeypatch.setattr("medclf.learn.committee.load_pretrained", None)
    method = build_method(recipe(), TASK, 0, CPU, **setting)
    assert not torch.equal(last(method), there)


def test_a_network_without_weights_is_refused():
    with pytest.raises(SettingError, match="no weights of sprint are published"):
        build_method(recipe("sprint"), TASK, 0, CPU)
    with pytest.raises(SettingError, match="weights of another network"):
        build_method(recipe(width=0.5), TASK, 0, CPU)


def test_weights_that_cannot_be_had_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path))
    monkeypatch.setenv("MEDCLF_OFFLINE", "1")
    with pytest.raises(FetchError, match=r"resnet18-f37072fd\.pth: not there"):
        build_method(recipe("resnet18"), TASK, 0, CPU)


def test_a_recipe_keeps_what_its_weights_were_trained_on():
    tables = tomllib.loads(format_recipe(recipe()))
    assert tables["net"]["pretrained"] == "imagenet"
    assert parse_recipe(tables, "there") == recipe()
    tables["net"]["pretrained"] = "radimagenet"
    with pytest.raises(
        SettingError, match=r"net\.pretrained must be one of \"\", imagenet, not 'rad"
    ):
        parse_recipe(tables, "there")


def _lend(network):
    def load(other, name, weights):
        assert (name, weights) == ("resnet18", "imagenet")
        other.load_state_dict(network.state_dict())

    return load


def test_a_run_goes_on_and_predicts_without_the_file(tmp_path, make_exams, monkeypatch):
    cohort, held = make_exams(30)
    narrow = recipe("resnet18", width=4)
    settings = replace(narrow, prepare=replace(narrow.prepare, size=(16, 16)))
    chance = build_method(replace(settings, net=replace(settings.net, pretrained="")), TASK, 0, CPU)
    monkeypatch.setattr("medclf.learn.committee.load_pretrained", _lend(chance.network))
    run = create_run(tmp_path / "run", settings, cohort, {})

    def interrupt(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_run(run, cohort, held, tell=interrupt)
    monkeypatch.setattr("medclf.learn.committee.load_pretrained", None)
    assert checkpoint(run.folder, 0).exists()
    run = fit_run(run, cohort, held)
    (answer,), _ = load_trained(run).predict(["new"], Held(held.values[:1]))
    assert sum(answer.probabilities) == pytest.approx(1)


def test_weights_of_a_run_keep_their_names():
    """Whoever renames or reorders them raises FORMAT: runs from before cannot be read then."""
    plain = Recipe(Prepare(size=(32, 32), channels=1), net=Net("sprint"))
    method = build_method(plain, TASK, 0, CPU)
    shapes = [f"{name} {tuple(value.shape)}" for name, value in method.state_dict().items()]
    digest = hashlib.sha256("\n".join(shapes).encode()).hexdigest()
    assert (FORMAT, digest) == (
        2,
        "721d7701f3e90b9a9083defac663bb686a14d266dd792bd278c17c5b5e640284",
    )
