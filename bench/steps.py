"""A training step of every family: ours against the same network in plain float32 PyTorch.

    python bench/steps.py [--names resnet18,densenet121] [--shapes 224x224,28x28,32x32x32]

Alternates in one process. Ours: bfloat16 where the processor has it, channels last, fused AdamW,
running average of weights, as `medclf train` steps. Plain: float32, contiguous, AdamW as PyTorch
makes it; at 224 pixels the network of torchvision or timm where they have it, else, and at other
sizes and in 3D, where theirs would halve the map to nothing, our own (torchvision's Inception v3
with its auxiliary head does not take 224). Batch 32. Prints rows of
Markdown: seconds of a step, their ratio, and what share of the peak (a 3 x 3 convolution of 64
channels, bfloat16, forward and backward) ours reaches.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from medclf.core.task import Task
from medclf.learn.committee import build_method
from medclf.learn.exams import Exams
from medclf.learn.loop import run_epoch
from medclf.learn.member import Member, MethodMember
from medclf.learn.recipe import Recipe
from medclf.learn.settings import Fit, Net
from medclf.learn.trained import Held
from medclf.look.augment import Augment
from medclf.net.cost import measure_cost
from medclf.net.table import build_classifier
from medclf.prepare.exam import Prepare
from throughput import peak

CLASSES = 2
NAMES = (
    "lenet5 alexnet zfnet nin vgg11_bn googlenet bn_inception inception_v3 inception_resnet_v2 "
    "resnet18 resnet50 highway19 wrn16_8 densenet121 pyramidnet110_48 xception mobilenet "
    "efficientnet_lite0 sprint"
)
THEIRS = {
    "alexnet": ("torchvision", "alexnet"),
    "vgg11_bn": ("torchvision", "vgg11_bn"),
    "googlenet": ("torchvision", "googlenet"),
    "inception_resnet_v2": ("timm", "inception_resnet_v2"),
    "resnet18": ("torchvision", "resnet18"),
    "resnet50": ("torchvision", "resnet50"),
    "densenet121": ("torchvision", "densenet121"),
    "xception": ("timm", "legacy_xception"),
    "mobilenet": ("timm", "mobilenetv1_100"),
    "efficientnet_lite0": ("timm", "tf_efficientnet_lite0"),
}
STILL = Augment(rotate_degrees=0, scale=0, shift=0, brightness=0, contrast=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", default=NAMES.replace(" ", ","))
    parser.add_argument("--shapes", default="224x224,28x28,32x32x32")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    args = parser.parse_args()
    most = peak()
    for shape in args.shapes.split(","):
        size = tuple(int(edge) for edge in shape.split("x"))
        print(f"\n| {shape}, batch {args.batch} | ours, s | plain, s | faster | share of peak |")
        print("|---|---|---|---|---|")
        for name in args.names.split(","):
            report(name, size, args.batch, args.rounds, most)


def report(name: str, size: tuple[int, ...], batch: int, rounds: int, most: float) -> None:
    """Print the row of a network."""
    channels = 3 if len(size) == 2 else 1
    ways = our_step(name, size, channels, batch), plain_step(name, size, channels, batch)
    times = np.full((2, rounds), np.inf)
    for step in ways:
        step()
    for turn in range(rounds):
        for way, step in enumerate(ways):
            start = time.perf_counter()
            step()
            times[way, turn] = time.perf_counter() - start
    ours, plain = times.min(1)
    body = build_classifier(name, CLASSES, channels, size, torch.Generator()).body
    products = 3 * batch * 2 * measure_cost(body, channels, size).multiply_adds
    share = products / ours / most
    row = f"| {name} | {ours:.3f} | {plain:.3f} | {plain / ours:.2f} | {share:.0%} |"
    print(row, flush=True)


def our_step(name: str, size: tuple[int, ...], channels: int, batch: int) -> Callable[[], object]:
    """Make a step of a network on whole images."""
    fit = Fit(batch=batch, epochs=1)
    recipe = Recipe(Prepare(size=size, channels=channels), STILL, Net(name), fit=fit)
    member, exams = begin(recipe)
    return lambda: run_epoch(member, exams, np.arange(batch), 1000)


def begin(recipe: Recipe) -> tuple[MethodMember, Exams]:
    """Build what `medclf train` trains, and a batch of noise for it."""
    batch, shape = recipe.fit.batch, (recipe.prepare.channels, *recipe.prepare.size)
    rows = Held(np.random.default_rng(0).integers(0, 256, (batch, *shape), dtype=np.uint8))
    target = torch.eye(CLASSES)[torch.arange(batch) % CLASSES]
    scale = (127.0,) * shape[0], (60.0,) * shape[0]
    exams = Exams(rows, target, *scale, torch.device("cpu"))
    method = build_method(recipe, Task(("no", "yes")), 0, exams.device)
    return Member(method, recipe.fit, 0), exams


def plain_step(name: str, size: tuple[int, ...], channels: int, batch: int) -> Callable[[], object]:
    """Make a step as most tutorials take it."""
    network = theirs(name) if size == (224, 224) and name in THEIRS else None
    if network is None:
        network = build_classifier(name, CLASSES, channels, size, torch.Generator())
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    values = torch.randn(batch, channels, *size)
    target = torch.arange(batch) % CLASSES

    def step() -> None:
        out = network(values)
        heads = out if isinstance(out, tuple) else out if out.ndim == 3 else (out,)
        loss = sum(cross_entropy(head, target) for head in heads if head is not None)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def theirs(name: str) -> nn.Module:
    """Build the network of torchvision or timm, with fresh weights."""
    source, called = THEIRS[name]
    if source == "timm":
        import timm

        return timm.create_model(called, num_classes=CLASSES)
    import torchvision

    extra = {"init_weights": False} if called == "googlenet" else {}
    return getattr(torchvision.models, called)(num_classes=CLASSES, **extra)


if __name__ == "__main__":
    main()
