from dataclasses import replace

import numpy as np
import pytest
import torch

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.learn.committee import build_method
from medclf.learn.deal import make_target
from medclf.learn.exams import standardised
from medclf.learn.loop import run_epoch
from medclf.learn.member import Member
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit, Method, Net
from medclf.learn.transfer import Transfer, share_out
from medclf.prepare.exam import Prepare

CPU = torch.device("cpu")


def build(transfer, way="whole_image", batch=16):
    settings, net = Fit(epochs=4, batch=batch), Net("sprint", {"width": 16})
    recipe = Recipe(Prepare((16, 16), 1), net=net, fit=settings, method=Method(way))
    method = build_method(recipe, Task(("a", "b")), 0, CPU)
    return Member(method, settings, 0, transfer)


def learn(member, make_exams, epochs=1, of=4):
    """Train so many epochs of a cycle, and name the parts of the network that moved."""
    cohort, held = make_exams()
    values = {"mean": [60.0], "deviation": [40.0]}
    exams = standardised(held, make_target(cohort.records, cohort.task), values, CPU)
    before = {k: v.clone() for k, v in member.method.network.state_dict().items()}
    for _ in range(epochs):
        run_epoch(member, exams, np.arange(32), of)
    after = member.method.network.state_dict()
    moved = {k for k in after if not torch.equal(after[k], before[k])}
    return {k.split(".")[1] if k.startswith("body") else "head" for k in moved}


@pytest.mark.parametrize(
    ("transfer", "moved"),
    [
        (Transfer(), {"stem", "stage1", "stage2", "stage3", "head"}),
        (Transfer(learn="head"), {"head"}),
        (Transfer(learn="stage2"), {"stage2", "stage3", "head"}),
        (Transfer(thaw=0.8), {"head"}),
    ],
)
def test_only_what_may_learn_moves_with_its_statistics(make_exams, transfer, moved):
    assert learn(build(transfer), make_exams) == moved


def test_what_joins_views_learns_with_the_head(make_exams):
    member = build(Transfer(learn="head"), "filters_then_sequence")
    fuser = member.method.fuser
    before = {name: weight.clone() for name, weight in fuser.state_dict().items()}
    assert learn(member, make_exams) == {"head"}
    assert not any(torch.equal(weight, before[n]) for n, weight in fuser.state_dict().items())


def test_stages_join_in_one_by_one(make_exams):
    member = build(Transfer(thaw=0.75))
    seen = [learn(member, make_exams) for _ in range(4)]
    assert seen[0] == {"head"}
    assert seen[0] < seen[1] < seen[2] < seen[3] == {"stem", "stage1", "stage2", "stage3", "head"}


def test_stages_join_in_within_a_single_epoch(make_exams):
    member = build(Transfer(thaw=0.75), batch=4)
    everything = {"stem", "stage1", "stage2", "stage3", "head"}
    assert learn(member, make_exams, of=1) == everything


def test_frozen_norms_keep_their_statistics_but_learn_their_scale(make_exams):
    member = build(Transfer(norms="frozen"))
    norm = member.method.network.body.stage1[1]
    before = norm.running_mean.clone(), norm.weight.clone()
    learn(member, make_exams)
    assert torch.equal(norm.running_mean, before[0])
    assert not torch.equal(norm.weight, before[1])


def test_rates_fall_towards_the_image():
    member = build(Transfer(decay=0.5))
    scales = {group["scale"] for group in member.optimizer.param_groups}
    assert scales == {1.0, 0.5, 0.25, 0.125, 0.0625}
    assert [share.scale for share in share_out(member.method, Transfer(learn="stage3"))] == [
        *(0.0, 0.0, 0.0),
        *(1.0, 1.0),
    ]


def test_every_weight_has_one_share():
    member = build(Transfer())
    ids = [id(w) for share in member.shares for w in share.parameters()]
    assert sorted(ids) == sorted(id(w) for w in member.method.parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"decay": 0.0}, "decay must be above 0"),
        ({"thaw": 1.0}, r"thaw must be in \[0, 1\)"),
        ({"head": "svm"}, 'wants transfer.learn = "head" or "code", found "all"'),
        ({"learn": "code"}, r'wants a head that is fitted .* found "linear"'),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        Transfer(**settings)


def test_an_unknown_stage_is_refused_with_those_there_are():
    with pytest.raises(SettingError, match="a stage of stem, stage1, stage2, stage3; not 'layer4'"):
        build(Transfer(learn="layer4"))


def test_a_thawing_member_resumes_as_if_undisturbed(make_exams, tmp_path):
    whole, first = build(Transfer(thaw=0.5, decay=0.7)), build(Transfer(thaw=0.5, decay=0.7))
    learn(whole, make_exams, 3)
    learn(first, make_exams, 2)
    first.save(tmp_path / "member.safetensors")
    second = build(replace(first.transfer))
    second.load(tmp_path / "member.safetensors")
    learn(second, make_exams, 1)
    for one, other in zip(whole.method.parameters(), second.method.parameters(), strict=True):
        assert torch.equal(one, other)
