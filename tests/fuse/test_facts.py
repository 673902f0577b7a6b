import pytest
import torch

from medclf.errors import SettingError
from medclf.fuse.facts import Concatenation, Encoder, LateFusion, Modulation
from medclf.look.hidden import hide_facts

NAN = float("nan")
JOINS = pytest.mark.parametrize("join", [Concatenation, Modulation, LateFusion])
FACTS = torch.tensor([[0.5, NAN, -1.0], [NAN, NAN, NAN], [1.0, 2.0, NAN]])


def encoder():
    torch.manual_seed(0)
    return Encoder(3, features=4, hidden=8)


def awake(join):
    """A join whose weights are none of them zero, as after training."""
    made = join(5, encoder())
    for weights in made.parameters():
        torch.nn.init.normal_(weights)
    return made


@JOINS
def test_without_a_fact_the_pixels_alone_decide(join):
    made, pixels = awake(join), torch.randn(3, 5)
    assert torch.equal(made(pixels, FACTS)[1, :5], pixels[1])
    assert not made(pixels, FACTS)[1, 5:].any()
    assert not torch.equal(made(pixels, FACTS)[0], made(pixels, FACTS * 2)[0])


@JOINS
def test_missing_facts_have_no_gradient_and_harm_none(join):
    made, facts = awake(join), FACTS.clone().requires_grad_()
    pixels = torch.randn(3, 5, requires_grad=True)
    out = made(pixels, facts)
    assert out.isfinite().all()
    out.square().sum().backward()
    missing = FACTS.isnan()
    assert not facts.grad[missing].any()
    assert facts.grad[~missing].all()
    assert pixels.grad.isfinite().all()
    assert all(weights.grad.isfinite().all() for weights in made.parameters())


def test_that_a_fact_is_missing_is_not_that_it_is_average():
    facts = torch.tensor([[0.5, 0.0, 0.0], [0.5, NAN, 0.0]])
    code = encoder()(facts)
    assert not torch.allclose(code[0], code[1])


def test_a_value_far_out_counts_as_five_deviations():
    facts = torch.tensor([[0.5, 5.0, -5.0], [0.5, 1e9, float("-inf")]])
    code = encoder()(facts)
    assert torch.allclose(code[0], code[1])


def test_modulation_leaves_features_alone_at_the_start_and_learns():
    made, pixels = Modulation(5, encoder()), torch.randn(3, 5)
    assert torch.equal(made(pixels, FACTS), pixels)
    assert made.features == 5
    made(pixels, FACTS).square().sum().backward()
    assert made.change.weight.grad.any()


def test_modulation_scales_and_shifts():
    made = awake(Modulation)
    scale, shift = made.change(made.encoder(FACTS)).chunk(2, dim=1)
    pixels = torch.randn(3, 5)
    assert torch.allclose(made(pixels, FACTS), pixels + scale * pixels + shift)


def test_concatenation_puts_the_code_behind():
    made, pixels = awake(Concatenation), torch.randn(3, 5)
    assert made.features == 9
    assert torch.equal(made(pixels, FACTS)[:, 5:], made.encoder(FACTS))


@pytest.mark.parametrize("learnt", [True, False])
def test_late_fusion_adds_logits_with_a_weight_that_is_learnt_or_fixed(learnt):
    made, pixels = LateFusion(5, encoder(), weight=0.5, learnt=learnt), torch.randn(3, 5)
    expected = pixels + 0.5 * made.opinion(made.encoder(FACTS))
    assert torch.allclose(made(pixels, FACTS), expected)
    made(pixels, FACTS).square().sum().backward()
    assert (made.weight.grad is not None) == learnt


@JOINS
def test_a_join_learns_from_facts_and_does_without_them(join):
    """The class hangs on a fact and on a pixel; either alone foretells it less well."""
    torch.manual_seed(0)
    pixels, facts = torch.randn(256, 5), torch.randn(256, 3)
    target = (pixels[:, 0] + facts[:, 0] > 0).long()
    width = 2 if join is LateFusion else 5
    made, head = join(width, encoder()), torch.nn.Linear(5, 2)
    if join is not LateFusion:
        head = torch.nn.Linear(made.features, 2)

    def logits(facts):
        if join is LateFusion:
            return made(head(pixels), facts)
        return head(made(pixels, facts))

    learnt = torch.optim.Adam([*made.parameters(), *head.parameters()], lr=0.02)
    chance = torch.Generator().manual_seed(0)
    for _ in range(150):
        learnt.zero_grad()
        torch.nn.functional.cross_entropy(
            logits(hide_facts(facts, 0.1, 0.3, chance)), target
        ).backward()
        learnt.step()
    made.eval()
    right = [
        (logits(known).argmax(1) == target).float().mean()
        for known in (facts, torch.full_like(facts, NAN))
    ]
    assert right[0] > 0.9
    assert 0.65 < right[1] < 0.85


@JOINS
def test_digits_are_kept_under_autocast(join):
    made, pixels = awake(join), torch.randn(3, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = made(pixels, FACTS)
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, made(pixels, FACTS))


@pytest.mark.parametrize("wrong", [{"facts": 0}, {"features": 0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(SettingError, match="hidden unit or more wanted"):
        Encoder(**{"facts": 3, **wrong})


@pytest.mark.parametrize("shape", [(2, 4), (3,), (2, 1, 3)])
def test_facts_of_another_shape_are_refused(shape):
    with pytest.raises(SettingError, match=r"facts \(B, 3\) wanted"):
        encoder()(torch.zeros(shape))
