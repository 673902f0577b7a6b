"""Domains: norms of their own, classes of their own, and a domain that must be recognised."""

from dataclasses import replace

import pytest
import torch

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.learn.committee import build_method
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Facts, Fit, Method, Net
from medclf.look.augment import Augment
from medclf.look.views import Views
from medclf.net.domain import OwnNorm
from medclf.prepare.exam import Prepare

CPU = torch.device("cpu")
TASK = Task(("cyst", "mass", "mole"), sets=(("breast", ("cyst", "mass")), ("skin", ("mole",))))
WORDS = ("dataset=breast", "dataset=skin")
RNG = torch.Generator().manual_seed(0)


def build(net="sprint", options=(("width", 16),), words=WORDS, in_use=False, **chosen):
    recipe = Recipe(
        Prepare(size=(16, 16), channels=1),
        Augment(brightness=0.0, contrast=0.0),
        Net(net, dict(options)),
        Fit(precision="float32"),
        method=Method("any_modality", chosen),
        facts=Facts(words=words),
    )
    return build_method(recipe, TASK, 0, CPU, in_use=in_use)


def exams(count=8):
    """Make exams of two domains, one of them bright."""
    domain = torch.arange(count) % 2
    values = torch.randn(count, 1, 1, 16, 16, generator=RNG) + 4 * domain.view(-1, 1, 1, 1, 1)
    target = torch.eye(3)[torch.where(domain == 1, 2, torch.arange(count) // 2 % 2)]
    return Views(values, None, torch.eye(2)[domain]), target


def test_norms_learn_the_statistics_of_their_own_domain():
    method, (views, _) = build().train(), exams()
    method(views)
    first = next(module for module in method.modules() if isinstance(module, OwnNorm))
    dark, bright = (norm.running_mean for norm in first.each)
    assert not torch.allclose(dark, bright)
    assert not any(isinstance(m, OwnNorm) for m in build(norms="shared").modules())


def test_the_order_of_exams_and_who_is_beside_them_change_nothing():
    method, (views, _) = build().train(), exams()
    method(views)
    method.eval()
    order = torch.tensor([3, 0, 7, 1])
    some = Views(views.values[order], None, views.facts[order])
    with torch.no_grad():
        assert torch.allclose(method(views)[order], method(some), atol=1e-5)
        assert torch.allclose(method.embed(views)[order], method.embed(some), atol=1e-5)


def test_an_exam_is_judged_among_the_classes_of_its_data_set():
    method, (views, target) = build(), exams()
    shares, _ = method.decide(method(views).detach())
    assert not shares[::2, 2].any()
    assert torch.equal(shares[1::2], target[1::2].double())
    loss = method.loss(method(views), target)
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in method.parameters())


def test_a_domain_that_nobody_names_is_recognised():
    method, (views, target) = build().train(), exams(32)
    optimizer = torch.optim.AdamW(method.parameters(), 1e-2)
    for _ in range(12):
        optimizer.zero_grad()
        method.loss(method(views), target).backward()
        optimizer.step()
    method.eval()
    unknown = replace(views, facts=torch.full_like(views.facts, torch.nan))
    with torch.no_grad():
        assert (method.recognise(unknown).argmax(1) == views.facts.argmax(1)).all()
        assert torch.equal(method(unknown), method(views))


def test_a_single_exam_of_a_domain_in_a_step_is_measured_by_those_before_it():
    method, (views, target) = build().train(), exams(9)
    few = torch.tensor([0, 2, 4, 1])
    some = Views(views.values[few], None, views.facts[few])
    assert method.loss(method(some), target[few]).isfinite()


@pytest.mark.parametrize(("net", "options"), [("sprint", {"width": 16, "norm": "group"})])
def test_other_norms_are_parted_as_well(net, options):
    method = build(net, tuple(options.items()))
    assert any(isinstance(module, OwnNorm) for module in method.modules())


def test_what_cannot_be_parted_is_refused():
    with pytest.raises(SettingError, match="LeNet has none"):
        build("lenet5", ())
    with pytest.raises(SettingError, match=r"several words of one column .* found site=north"):
        build(words=("site=north",))
    with pytest.raises(SettingError, match=r"for the data set 'breast', .* found skin, other"):
        build(words=("dataset=skin", "dataset=other"))
    with pytest.raises(SettingError, match="own or shared, not 'none'"):
        build(norms="none")
