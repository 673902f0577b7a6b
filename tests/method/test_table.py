"""Every method keeps the contract: looks, judges, learns, decides, and says what counted."""

import copy
from dataclasses import replace

import pytest
import torch

from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.learn.committee import build_method
from medclf.learn.member import make_optimizer
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Facts, Fit, Method, Net
from medclf.learn.transfer import Transfer, share_out
from medclf.look.augment import Augment
from medclf.look.views import Views
from medclf.method.table import METHODS, find_method
from medclf.prepare.exam import Prepare

CPU = torch.device("cpu")
STILL = Augment(rotate_degrees=0, scale=0, shift=0, brightness=0, contrast=0)
FACTS = ("age", "sex=F")
DOMAINS = Facts(words=("site=north", "site=south"))
FORMS = [
    pytest.param(name, dims, id=f"{name}-{dims}D")
    for name, entry in METHODS.items()
    for dims in ((3,) if "volumes" in entry.needs else (2, 3))
]
LEARNERS = [form for form in FORMS if form.values[0] != "code_then_tree"]  # has a test of its own
CHOICES = [
    ("three_planes", 3, {"shown": "maximum", "joined": "shared"}),
    ("three_planes", 3, {"joined": "channels"}),
    ("three_planes", 3, {"side": "sagittal"}),
    ("multi_view", 3, {"fusion": "committee", "own": True}),
    ("multi_view", 3, {"fusion": "mixed"}),
    ("image_and_facts", 2, {"join": "modulation"}),
    ("image_and_facts", 2, {"join": "late", "fuse": "attention"}),
    ("ordered_grade", 2, {"loss": "regression"}),
    ("random_views", 3, {"looks": 2, "share": 0.5}),
    ("near_and_far", 2, {"scales": 3, "own": False}),
    ("filters_then_sequence", 3, {"most": 5, "neighbours": 0}),
    ("exam_bag", 2, {"fuse": "max"}),
    ("any_modality", 3, {"norms": "shared"}),
    ("placed_patch", 2, {"hide": 0.1}),
    ("code_then_tree", 2, {"code": 16}),
]


def recipe(name, dims, **options):
    size = (28, 28) if dims == 2 else (16, 16, 16)
    return Recipe(
        Prepare(size=size, channels=1),
        STILL,
        Net("sprint", {"width": 16}),
        Fit(shift=0.05, smoothing=0.0, precision="float32"),
        transfer=Transfer("code", "tree") if name == "code_then_tree" else Transfer(),
        method=Method(name, options, images=images_of(name)),
        facts=DOMAINS if named(name) else Facts(("age",), (60.0,), (10.0,), ("sex=F",)),
    )


def named(name):
    return "domains" in find_method(name).needs


def images_of(name):
    return 1 if "one image" in find_method(name).needs else 3


def task_of(name, kind="exclusive"):
    return Task(("a", "b", "c"), "ranked" if "ranks" in find_method(name).needs else kind)


def build(name, dims, in_use=False, kind="exclusive", **options):
    return build_method(recipe(name, dims, **options), task_of(name, kind), 0, CPU, in_use=in_use)


def exams(dims, images=3, count=6, domains=False):
    """Make exams of three classes, of which some lack images and facts."""
    generator = torch.Generator().manual_seed(0)
    space = (28, 28) if dims == 2 else (16, 16, 16)
    values = 0.3 * torch.randn(count, 3, 1, *space, generator=generator)
    labels = torch.arange(count) % 3
    values[labels == 1, :, :, : space[0] // 2] += 2
    values[labels == 2, ..., : space[-1] // 2] -= 2
    present = torch.ones(count, 3, dtype=torch.bool)
    present[0, 1] = present[4, 2] = False
    values[~present] = torch.nan
    if images == 1:
        values, present = values[:, :1], None
    facts = torch.randn(count, len(FACTS), generator=generator)
    if domains:
        facts = torch.eye(2)[torch.arange(count) % 2]
    facts[1] = torch.nan
    return Views(values, present, facts), torch.eye(3)[labels]


@pytest.mark.parametrize(("name", "dims"), LEARNERS)
def test_every_method_learns_a_few_exams(name, dims):
    views, target = exams(dims, images_of(name), domains=named(name))
    method = build(name, dims).train()
    ranks = "ranks" in find_method(name).needs
    optimizer = torch.optim.AdamW(method.parameters(), 1e-2 if ranks else 3e-3)
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    for _ in range(60 if ranks else 25):
        loss = method.loss(method(method.look(views, generator)), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for part in method.parameters():
        assert part.grad is None or part.grad.isfinite().all()
    method.train()  # With a handful of exams the statistics of norms have not settled.
    shares, spread = method.decide(method(method.look(views, generator)).detach())
    assert (shares.argmax(1) == target.argmax(1)).float().mean() >= 5 / 6
    assert torch.allclose(shares.sum(1), torch.ones(6, dtype=shares.dtype), atol=1e-5)
    assert spread.isfinite().all()


def expect_contributions(method, seen, answer):
    """Check that the answer is the mean of what views say, or else what is said without one."""
    (logits, found), there = method.weigh(seen), seen.present
    assert torch.equal(logits.nan_to_num(9), method(seen).nan_to_num(9))
    if there is None:
        there = torch.ones(seen.values.shape[:2], dtype=torch.bool)
    assert found.shape == (*there.shape, 3)
    told = found.isfinite().all(2)
    if method.alone:
        assert torch.equal(told, there)
        assert torch.allclose(found.nanmean(1), answer)
        return
    assert torch.equal(told, there & (there.sum(1, keepdim=True) > 1))
    less = there.clone()
    less[:, -1] = False
    some = told[:, -1]
    if some.any():
        present = torch.where(some[:, None], less, there)
        without, _ = method.decide(method(replace(seen, present=present)))
        assert torch.allclose(found[some, -1], without[some], atol=1e-6)
        assert not torch.allclose(without[some], answer[some], atol=1e-6)


@pytest.mark.parametrize(("name", "dims", "options"), [(*f.values, {}) for f in FORMS] + CHOICES)
def test_every_method_decides_alike_from_one_seed(name, dims, options):
    views, _ = exams(dims, images_of(name), domains=named(name))
    one, other = (build(name, dims, in_use=True, **options).eval() for _ in range(2))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        seen = one.look(views, generator)
        first = one(seen)
        assert torch.equal(first.nan_to_num(9), copy.deepcopy(other)(seen).nan_to_num(9))
        shares, _ = one.decide(first)
        expect_contributions(one, seen, shares)
    assert shares.isfinite().all()
    assert len(one.seen.names) * views.values.shape[1] in (0, seen.values.shape[1])
    assert seen.values.shape[2:] == (one.seen.channels, *one.seen.size)
    assert one.embed(seen).shape[0] == 6


@pytest.mark.parametrize(
    ("name", "dims", "options", "beside"),
    [
        ("exam_bag", 2, {}, "fuser"),
        ("image_and_facts", 2, {"join": "late"}, "facts"),
        ("any_modality", 2, {}, "recogniser"),
        ("multi_view", 3, {"fusion": "committee", "own": True}, "networks"),
    ],
)
def test_no_head_is_fitted_to_what_never_learns(name, dims, options, beside):
    asked = replace(recipe(name, dims, **options), transfer=Transfer("head", "logistic"))
    with pytest.raises(SettingError, match=rf"{name} learns more \({beside}\)"):
        build_method(asked, task_of(name), 0, CPU)


@pytest.mark.parametrize(("name", "options"), [("three_planes", {}), ("exam_bag", {"fuse": "max"})])
def test_a_head_is_fitted_where_nothing_else_learns(name, options):
    asked = replace(recipe(name, 3, **options), transfer=Transfer("head", "logistic"))
    assert build_method(asked, task_of(name), 0, CPU).beside == ()


@pytest.mark.parametrize("kind", ["exclusive", "coexisting", "ranked"])
@pytest.mark.parametrize("name", ["whole_image", "exam_bag"])
def test_every_kind_of_task_is_served(name, kind):
    views, target = exams(2)
    method = build(name, 2, kind=kind).train()
    logits = method(method.look(views, torch.Generator().manual_seed(0)))
    method.loss(logits, target).backward()
    shares, _ = method.decide(logits.detach())
    assert shares.shape == target.shape


def test_what_is_not_there_changes_nothing():
    views, _ = exams(2)
    other = replace(views, values=views.values.nan_to_num(1e6))
    for name in ("whole_image", "exam_bag"):
        method = build(name, 2).eval()
        with torch.no_grad():
            one, two = (method(v) for v in (views, other))
        assert torch.equal(one.nan_to_num(9), two.nan_to_num(9))


def test_unknown_names_and_options_are_told():
    with pytest.raises(SettingError, match="no method is called 'randomviews'; did you mean 'rand"):
        find_method("randomviews")
    with pytest.raises(SettingError, match="exam_bag has no option 'fusion'; its options: fuse"):
        build("exam_bag", 2, fusion="max")
    for name, said, told in (
        (
            "multi_view",
            {"own": "False"},
            "own of .*multi_view is true or false, not 'False'",
        ),
        ("multi_view", {"fusion": 2}, "fusion of .*multi_view is text, not 2"),
        (
            "random_views",
            {"share": "half"},
            "share of .*random_views is a number, not 'half'",
        ),
        (
            "near_and_far",
            {"scales": 2.5},
            "scales of .*near_and_far is a whole number, not 2.5",
        ),
        (
            "near_and_far",
            {"scales": True},
            "scales of .*near_and_far is a whole number, not True",
        ),
    ):
        with pytest.raises(SettingError, match=told):
            build(name, 3, **said)
    with pytest.raises(SettingError, match=r"volumes wanted, these exams are pictures of \(28, 28"):
        build("multi_view", 2)


def test_every_entry_names_its_source():
    for entry in METHODS.values():
        assert entry.paper.endswith(str(entry.year))


@pytest.mark.parametrize(("name", "dims", "options"), CHOICES[:-1])
def test_every_weight_learns_once(name, dims, options):
    method = build(name, dims, **options)
    optimizer = make_optimizer(share_out(method, Transfer()), Fit())
    stepped = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(stepped) == sorted({id(p) for p in method.parameters()})
