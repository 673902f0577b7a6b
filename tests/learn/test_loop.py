import numpy as np
import pytest
import torch
from torch import nn

from medclf.core.task import Task
from medclf.errors import RunError
from medclf.learn.exams import Exams, measure_values
from medclf.learn.loop import Stopped, deal_out, draw_order, judge, rate_at, run_epoch, train_member
from medclf.learn.member import Member, seeded
from medclf.learn.settings import Fit
from medclf.learn.trained import Held
from medclf.look.augment import Augment
from medclf.look.seen import Seen
from medclf.method.each_view import EachView
from medclf.method.lesson import Lesson

EXAMS = 40


def exams(dims=2, classes=2):
    rng = np.random.default_rng(0)
    labels = np.arange(EXAMS) % classes
    values = rng.normal(size=(EXAMS, 1, *[8] * dims)).astype(np.float32)
    values[labels == 1, :, :4] += 2
    target = torch.eye(classes)[torch.from_numpy(labels)]
    return Exams(Held(values), target, (0.5,), (1.0,), torch.device("cpu"))


def member(number=0, **settings):
    fit = Fit(**{"epochs": 4, "batch": 16, "precision": "float32", **settings})
    generator = seeded(fit.seed, number, 99)
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(72, 2)
    )
    for weights in network.parameters():
        nn.init.normal_(weights, std=0.1, generator=generator)
    look = Seen(1, (8, 8), Augment(), lambda images, generator, training: images.unsqueeze(1))
    return Member(EachView([network], look, Lesson(Task(("no", "yes")))), fit, number)


def weights(found):
    return torch.cat([tensor.flatten().float() for tensor in found.kept.state_dict().values()])


ALL = np.arange(EXAMS)


def test_a_member_learns_what_is_plain():
    data, learner = exams(), member(epochs=12)
    train_member(learner, data, ALL, lambda method: {"val_loss": 0.0}, lambda m: True)
    shares, _ = judge(learner.kept, data, ALL, learner.fit)
    assert (shares.argmax(1) == data.target.argmax(1)).float().mean() > 0.95
    assert learner.log[-1]["loss"] < learner.log[0]["loss"]


def test_an_epoch_of_few_steps_draws_its_exams_anew():
    data, learner = exams(), member(steps=1)
    first, second = (
        draw_order(data.target, ALL, learner.fit, seeded(0, 0, epoch)) for epoch in (0, 1)
    )
    assert [len(batch) for batch in (*first, *second)] == [16, 16]
    assert set(first[0]) != set(second[0])


def test_the_same_seed_ends_with_the_same_weights():
    data = exams()
    one, other, third = member(), member(), member(seed=1)
    for learner in (one, other, third):
        train_member(learner, data, ALL, lambda method: {}, lambda m: True)
    assert torch.equal(weights(one), weights(other))
    assert not torch.equal(weights(one), weights(third))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_saved_member_goes_on_bit_for_bit(tmp_path, optimizer):
    data, path = exams(), tmp_path / "member.safetensors"
    settings = {"optimizer": optimizer, "patience": 10}
    validate = lambda method: {"val_loss": 1.0}  # noqa: E731
    whole = member(**settings)
    train_member(whole, data, ALL, validate, lambda m: True)
    half = member(**settings)
    train_member(half, data, ALL, validate, lambda m: m.epoch < 2)
    half.save(path)
    fresh = member(**settings)
    fresh.load(path)
    assert fresh.epoch == 2
    train_member(fresh, data, ALL, validate, lambda m: True)
    assert torch.equal(weights(whole), weights(fresh))
    assert [row["loss"] for row in whole.log] == [row["loss"] for row in fresh.log]


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    path = tmp_path / "member.safetensors"
    member().save(path)
    other = member()
    other.method.network[0] = nn.Conv2d(1, 4, 3)
    with pytest.raises(RunError, match="this network wanted"):
        other.load(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match="cannot read"):
        member().load(path)


def test_patience_keeps_the_best_weights_and_stops():
    losses = iter([0.5, 0.4, 0.45, 0.46, 0.1])
    learner = member(epochs=10, patience=2)
    seen = []

    def note(m):
        seen.append(m.average.state_dict()["networks.0.4.weight"].clone())
        return True

    train_member(learner, exams(), ALL, lambda method: {"val_loss": next(losses)}, note)
    assert learner.epoch == 4
    assert torch.equal(learner.kept.state_dict()["networks.0.4.weight"], seen[1])
    train_member(learner, exams(), ALL, lambda method: {"val_loss": 0.0}, note)
    assert learner.epoch == 4  # a resumed run stays stopped


def test_stop_leaves_between_epochs():
    from threading import Event

    stop, learner = Event(), member()
    stop.set()
    with pytest.raises(Stopped):
        run_epoch(learner, exams(), ALL, 4, stop)
    assert learner.epoch == 0


def test_balanced_sampling_draws_classes_alike():
    target = torch.eye(2)[torch.tensor([0] * 90 + [1] * 10)]
    fit = Fit(batch=10, balance="sampling")
    drawn = np.concatenate(
        [b for seed in range(20) for b in draw_order(target, np.arange(100), fit, seeded(seed))]
    )
    assert 0.45 < (drawn >= 90).mean() < 0.55


def test_an_epoch_sees_each_exam_once_and_drops_a_small_rest():
    target, fit = torch.eye(2)[torch.zeros(100, dtype=torch.long)], Fit(batch=32)
    batches = draw_order(target, np.arange(100), fit, seeded(0))
    assert [len(b) for b in batches] == [32, 32, 32]
    assert len(set(np.concatenate(batches))) == 96
    assert [len(b) for b in draw_order(target, np.arange(7), fit, seeded(0))] == [7]


def test_the_rate_rises_to_its_peak_and_falls_to_nothing():
    fit = Fit(rate=1.0, warmup=0.25)
    rates = [rate_at(step, 100, fit) for step in range(100)]
    assert max(rates) == rates[25] == 1.0
    assert rates[0] < 0.05
    assert rates[-1] < 0.01


def test_standardising_is_that_of_the_training_exams():
    values = np.random.default_rng(0).normal(3, 2, size=(50, 2, 6, 6)).astype(np.float32)
    measured = measure_values(Held(values), np.arange(30))
    assert measured["mean"] == pytest.approx(values[:30].mean((0, 2, 3)), rel=1e-5)
    assert measured["deviation"] == pytest.approx(values[:30].std((0, 2, 3)), rel=1e-4)
    low, high = measured["range"]
    assert low < values[:30].mean((1, 2, 3)).min() < values[:30].mean((1, 2, 3)).max() < high
    given = Exams(
        Held(values),
        torch.zeros(50, 2),
        tuple(measured["mean"]),
        tuple(measured["deviation"]),
        torch.device("cpu"),
    )
    views, _ = given.batch(np.arange(30))
    batch = views.values
    assert batch.mean().abs() < 1e-5
    assert batch.std() == pytest.approx(1, abs=1e-2)


def test_balanced_sampling_draws_exams_without_a_finding_like_those_with_one():
    target = torch.zeros(100, 2)
    target[:15, 0] = target[15:20, 1] = 1
    fit = Fit(batch=10, balance="sampling")
    drawn = np.concatenate(
        [b for seed in range(20) for b in draw_order(target, np.arange(100), fit, seeded(seed))]
    )
    assert 0.28 < (drawn >= 20).mean() < 0.38
    assert len(draw_order(torch.zeros(20, 2), np.arange(20), fit, seeded(0))) == 2


def test_what_is_judged_at_once_is_bounded_by_what_is_seen_of_it(monkeypatch):
    def see(images, generator, training):
        sizes.append(len(images))
        return images.unsqueeze(1).expand(-1, 10, *images.shape[1:])

    data, learner, sizes = exams(), member(), []
    learner.average.seen = Seen(1, (8, 8), Augment(), see)
    whole, _ = judge(learner.average, data, ALL, learner.fit)
    assert sizes == [1, 40]
    monkeypatch.setattr("medclf.learn.loop.SAMPLES_AT_ONCE", 4 * 10 * 8 * 8)
    parts, _ = judge(learner.average, data, ALL, learner.fit)
    assert sizes == [1, 40, 1, *[4] * 10]
    assert torch.allclose(whole, parts, atol=1e-6)
    assert max(len(part) for part in deal_out(learner.average, data, ALL, most=3)) == 3


def test_a_member_that_drops_nothing_leaves_the_chance_of_the_process_alone(monkeypatch):
    monkeypatch.setattr("torch.manual_seed", None)
    run_epoch(member(), exams(), ALL, 4)
    dropping = member()
    dropping.method.networks[0].append(nn.Dropout(0.5))
    with pytest.raises(TypeError):
        run_epoch(dropping, exams(), ALL, 4)
