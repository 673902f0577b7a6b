"""Training throughput: our step against the published recipe's, and against the machine's peak.

    python bench/throughput.py [DATA ...]

Alternates in one process: the published MedMNIST recipe (ResNet-18 with a small stem, float32,
per-image transforms) and ours with the same network, batch and images; then the sprint with one
network on all cores and with one network per core. A recipe's throughput is told twice: of its
training steps alone, and of its epochs as they are run, with the proportions of PneumoniaMNIST
(the published one scores train, validation and test after each epoch, ours validation). The peak
is that of a 3 x 3 convolution of 64 channels, forward and backward, bfloat16, channels last, on all
cores. For each DATA, the share of a training step of its plan that reading the store takes.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

import medclf
from medclf.core.task import Task
from medclf.curate.split import split_cohort
from medclf.learn.committee import build_method, side_by_side
from medclf.learn.deal import make_target
from medclf.learn.exams import Exams, measure_values, standardised
from medclf.learn.loop import judge, run_epoch
from medclf.learn.member import Member
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit, Net
from medclf.learn.trained import Held
from medclf.look.augment import Augment
from medclf.net.cost import measure_cost
from medclf.prepare.exam import Prepare
from medclf.prepare.store import open_store
from published import Images, build

BATCH = 128
TRAIN, VALIDATION, TEST = 4708, 524, 624  # exams of PneumoniaMNIST


class Noise(Images):
    """Random pictures in the published form, so that the bench needs no data."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(0)
        self.values = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        self.labels = rng.integers(0, 2, count)
        self.split = "train"
        self.picture = _picture()


def _picture():
    from torchvision import transforms

    return transforms.Compose(
        [
            transforms.ToPILImage(),
            transforms.ToTensor(),
            transforms.Normalize([0.5], [0.5]),
        ]
    )


def published_rates(images: Noise) -> tuple[float, float]:
    """Images a second of the published recipe: in training steps, and in scoring."""
    network = build(2).train()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    times = [time.perf_counter()]
    for values, labels in DataLoader(images, BATCH, shuffle=True):
        loss = nn.functional.cross_entropy(network(values), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter())
    network.eval()
    start = time.perf_counter()
    with torch.no_grad():
        for values, _ in DataLoader(images, BATCH):
            network(values).softmax(1)
    scored = len(images) / (time.perf_counter() - start)
    return BATCH * (len(times) - 2) / (times[-1] - times[1]), scored


def member(net: str, options: dict[str, int], number: int, batch: int) -> tuple[Member, Exams]:
    """A fresh member and random exams to train it on."""
    recipe = Recipe(
        Prepare(size=(28, 28), channels=1), Augment(), Net(net, options), Fit(batch=batch, epochs=1)
    )
    rng = np.random.default_rng(0)
    rows = Held(rng.integers(0, 256, (6 * batch, 1, 28, 28), dtype=np.uint8))
    target = torch.eye(2)[torch.from_numpy(rng.integers(0, 2, 6 * batch))]
    exams = Exams(rows, target, (127.0,), (60.0,), torch.device("cpu"))
    method = build_method(recipe, Task(("no", "yes")), number, torch.device("cpu"))
    return Member(method, recipe.fit, number), exams


def our_rates(
    net: str, options: dict[str, int], side: int, batch: int, epochs: int = 1
) -> tuple[float, float]:
    """Images a second of our loop, `side` networks at once: in training steps, and in judging."""
    made = [member(net, options, number, batch) for number in range(side)]
    everyone = np.arange(6 * batch)

    def work(place: int) -> tuple[float, float]:
        learner, exams = made[place]
        run_epoch(learner, exams, everyone[: 2 * batch], epochs)
        start = time.perf_counter()
        for _ in range(epochs):
            run_epoch(learner, exams, everyone, epochs)
        trained = time.perf_counter()
        judge(learner.average, exams, everyone, learner.fit)
        judged = time.perf_counter()
        return 6 * batch * epochs / (trained - start), 6 * batch / (judged - trained)

    trained, judged = np.sum(side_by_side(work, side, side), axis=0)
    return trained, judged


def store_share(data: Path) -> tuple[float, float]:
    """Milliseconds that a batch takes from the store, and that its training step takes in all."""
    chosen = medclf.plan(medclf.read_cohort(data))
    cohort = split_cohort(medclf.read_cohort(data), 0)
    store = open_store(cohort.records, chosen.recipe.prepare)
    target = make_target(cohort.records, cohort.task)
    training = np.flatnonzero([record.split == "train" for record in cohort.records])
    values = measure_values(store, training)
    exams = standardised(store, target, values, torch.device("cpu"))
    recipe = replace(chosen.recipe, fit=replace(chosen.recipe.fit, epochs=1, mirror="no"))
    learner = Member(build_method(recipe, cohort.task, 0, exams.device), recipe.fit, 0)
    batch = recipe.fit.batch
    order = np.random.default_rng(0).permutation(training)[: 12 * batch]
    run_epoch(learner, exams, order[: 2 * batch], 1)
    start = time.perf_counter()
    run_epoch(learner, exams, order, 1)
    step = time.perf_counter() - start
    start = time.perf_counter()
    for part in np.array_split(order, len(order) // batch):
        store.batch(part)
    read = time.perf_counter() - start
    return 1000 * read / (len(order) // batch), 1000 * step / (len(order) // batch)


def peak() -> float:
    """Operations a second of a 3 x 3 convolution of 64 channels, forward and backward."""
    conv = nn.Conv2d(64, 64, 3, padding=1, bias=False).to(memory_format=torch.channels_last)
    values = torch.randn(128, 64, 28, 28).to(memory_format=torch.channels_last).requires_grad_()
    best = 0.0
    for _ in range(6):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            out = conv(values)
        out.backward(torch.ones_like(out))
        best = max(best, 3 * 2 * 128 * 28 * 28 * 64 * 64 * 9 / (time.perf_counter() - start))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="*")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    images = Noise(6 * BATCH)
    rows = []
    for _ in range(args.rounds):
        ours = our_rates("resnet18", {}, 1, BATCH)
        rows.append((*published_rates(images), *ours, peak()))
    trained, scored, ours, judged, most = np.median(rows, 0)
    network = member("resnet18", {}, 0, BATCH)[0].method.network
    operations = 3 * 2 * measure_cost(network.body, 1, (28, 28)).multiply_adds
    print(
        f"| ResNet-18, steps | {trained:.0f} | {ours:.0f} | {ours / trained:.2f} | "
        f"{ours * operations / most:.0%} of {most / 1e12:.2f} TFLOP/s |"
    )
    theirs = TRAIN / (TRAIN / trained + (TRAIN + VALIDATION + TEST) / scored)
    whole = TRAIN / (TRAIN / ours + VALIDATION / judged)
    print(f"| ResNet-18, whole epochs | {theirs:.0f} | {whole:.0f} | {whole / theirs:.2f} | |")
    cores = torch.get_num_threads()
    for width, batch in ((16, 64), (32, 64), (32, 256)):
        pairs = [
            [our_rates("sprint", {"width": width}, side, batch, 8)[0] for side in (1, cores)]
            for _ in range(args.rounds)
        ]
        one, many = np.median(pairs, 0)
        print(
            f"| sprint {width}, 28 x 28, batch {batch} | {one:.0f} on all cores | "
            f"{many:.0f} one a core | {many / one:.2f} | |"
        )
    for data in args.data:
        read, step = store_share(data)
        print(f"| {data.stem} | {read:.2f} ms of {step:.1f} ms | {read / step:.1%} |")


if __name__ == "__main__":
    main()
