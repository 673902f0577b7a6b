"""Training throughput: our step against the published recipe's, and against the machine's peak.

    python bench/throughput.py

Alternates in one process: the published MedMNIST loop (ResNet-18 with a small stem, float32,
per-image transforms) and our loop with the same network, batch and images; then the sprint with one
network on all cores and with one network per core. The peak is that of a 3 x 3 convolution of 64
channels, forward and backward, bfloat16, channels last, on all cores.
"""

import argparse
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from medclf.core.task import Task
from medclf.learn.committee import build_method, side_by_side
from medclf.learn.exams import Exams
from medclf.learn.loop import run_epoch
from medclf.learn.member import Member
from medclf.learn.recipe import Fit, Net, Recipe
from medclf.learn.trained import Held
from medclf.look.augment import Augment
from medclf.net.cost import measure_cost
from medclf.prepare.exam import Prepare
from published import Images, build

BATCH = 128


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


def published_rate(images: Noise) -> float:
    """Images a second of the published training loop."""
    network = build(2).train()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    loader = iter(DataLoader(images, BATCH, shuffle=True))
    times = []
    for values, labels in loader:
        loss = nn.functional.cross_entropy(network(values), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter())
    return BATCH * (len(times) - 1) / (times[-1] - times[0])


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


def our_rate(net: str, options: dict[str, int], side: int, batch: int, epochs: int = 1) -> float:
    """Images a second of our loop, `side` networks at once."""
    made = [member(net, options, number, batch) for number in range(side)]

    def work(place: int) -> float:
        learner, exams = made[place]
        everyone = np.arange(6 * batch)
        run_epoch(learner, exams, everyone[: 2 * batch], epochs)
        start = time.perf_counter()
        for _ in range(epochs):
            run_epoch(learner, exams, everyone, epochs)
        return 6 * batch * epochs / (time.perf_counter() - start)

    return sum(side_by_side(work, side, side))


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
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    images = Noise(6 * BATCH)
    rows = []
    for _ in range(args.rounds):
        rows.append((published_rate(images), our_rate("resnet18", {}, 1, BATCH), peak()))
    theirs, ours, most = np.median(rows, 0)
    network = member("resnet18", {}, 0, BATCH)[0].method.network
    operations = 3 * 2 * measure_cost(network.body, 1, (28, 28)).multiply_adds
    print(
        f"| ResNet-18, 28 x 28, batch {BATCH} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.2f} | "
        f"{ours * operations / most:.0%} of {most / 1e12:.2f} TFLOP/s |"
    )
    cores = torch.get_num_threads()
    for width, batch in ((16, 64), (32, 64), (32, 256)):
        pairs = [
            (
                our_rate("sprint", {"width": width}, 1, batch, 8),
                our_rate("sprint", {"width": width}, cores, batch, 8),
            )
            for _ in range(args.rounds)
        ]
        one, many = np.median(pairs, 0)
        print(
            f"| sprint {width}, 28 x 28, batch {batch} | {one:.0f} on all cores | "
            f"{many:.0f} one a core | {many / one:.2f} | |"
        )


if __name__ == "__main__":
    main()
