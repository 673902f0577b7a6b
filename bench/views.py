"""What drawing views costs, as a share of the training step that learns from them.

    OMP_NUM_THREADS=1 nice -19 python bench/views.py [--networks sprint,resnet18] [--rounds 5]

Alternates in one process: exams are taken from memory as uint8 and standardised, views are drawn,
the network steps (forward, backward and fused AdamW in bfloat16, channels last), as `medclf train`
does, so that nothing finds its data in the cache that would not in training. Views are told as
their ratio to the network's step alone, and as a share of all three. Then the ways to sample
turned planes: `grid_sample` in 3D, the eight corners gathered by whole numbers, and ours, slices as
one tall picture; of float32, and of other numbers where that is possible. Times are the
processor's, medians (least to largest) over the rounds. Prints rows of Markdown.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, grid_sample

from medclf.look.even import even_steps
from medclf.look.patches import grid_patches
from medclf.look.planes import (
    axis_planes,
    crossing_planes,
    sample_planes,
    symmetric_planes,
    turned_planes,
)
from medclf.look.projections import projections
from medclf.look.resize import resize
from medclf.look.scales import near_and_far
from medclf.look.slices import ordered_slices
from medclf.look.turns import random_turns
from medclf.net.table import build_classifier

GENERATOR = torch.Generator().manual_seed(0)
Look = Callable[[Tensor], Tensor]


def random_views(looks: int, pixels: int, cubes: Tensor) -> Tensor:
    turns = random_turns(len(cubes), looks, GENERATOR, stretch=0.2, shift=2.0)
    return crossing_planes(cubes, turns, pixels)


def planes(
    laid: Callable[[], Tensor], volumes: Tensor, spacing_mm: tuple[float, ...] = ()
) -> Tensor:
    even = even_steps(volumes.shape[2:], spacing_mm)
    return sample_planes(resize(volumes, even.size), laid(), even.pixels, even.step)


def flattened(cubes: Tensor) -> Tensor:
    return projections(cubes, cubes.shape[3:])


# Name, volumes, and how they are looked at.
LOOKS: tuple[tuple[str, tuple[int, ...], Look], ...] = (
    ("random triplets, 1 look of 32 px", (32, 1, 48, 48, 48), partial(random_views, 1, 32)),
    ("random triplets, 4 looks of 32 px", (8, 1, 48, 48, 48), partial(random_views, 4, 32)),
    ("random triplets of 4 phases, 32 px", (32, 4, 32, 32, 32), partial(random_views, 1, 32)),
    ("nine planes, 64 px", (4, 1, 64, 64, 64), partial(planes, symmetric_planes)),
    ("nine planes, 28 px", (8, 1, 28, 28, 28), partial(planes, symmetric_planes)),
    (
        "nine planes, 64 px, of flat volumes",
        (4, 1, 24, 64, 64),
        partial(planes, symmetric_planes, spacing_mm=(5.0, 2.0, 2.0)),
    ),
    (
        "nine planes, 64 px, of volumes that are shrunk along an axis",
        (4, 1, 64, 48, 48),
        partial(planes, symmetric_planes, spacing_mm=(1.0, 2.0, 2.0)),
    ),
    ("three planes, 64 px", (12, 1, 64, 64, 64), partial(planes, axis_planes)),
    (
        "three scales, 2D, 64 px",
        (12, 1, 128, 128),
        partial(near_and_far, shares=(0.25, 0.5, 1.0), size=(64, 64)),
    ),
    (
        "every slice with neighbours, 28 px",
        (2, 1, 28, 28, 28),
        partial(ordered_slices, neighbours=1),
    ),
    ("patches, 32 px", (4, 1, 96, 96), partial(grid_patches, size=(32, 32))),
    ("maximum and mean projections, 64 px", (12, 1, 64, 64, 64), flattened),
)


def training_step(name: str, views: Tensor) -> Callable[[], None]:
    """Make a step on views: (B, V, C, Y, X)."""
    flat = views.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    network = build_classifier(name, 2, flat.shape[1], flat.shape[2:], GENERATOR)
    network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)
    target = torch.arange(len(flat)) % 2

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            loss = cross_entropy(network(flat).float(), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def alternate(works: list[Callable[[], object]], rounds: int) -> np.ndarray:
    """Seconds of each work in each round, after one round that does not count."""
    return np.array([[seconds(work) for work in works] for _ in range(rounds + 1)])[1:]


def told(values: np.ndarray, form: str) -> str:
    middle, low, high = (format(f(values), form) for f in (np.median, np.min, np.max))
    return f"{middle} ({low} to {high})"


def report(name: str, shape: tuple[int, ...], look: Look, network: str, rounds: int) -> None:
    """Print the row of a way to look, for one network."""
    stored = torch.randint(256, shape, generator=GENERATOR, dtype=torch.uint8)
    values = torch.empty(shape)

    def take() -> None:
        torch.sub(stored, 127.0, out=values).mul_(1 / 60)

    take()
    step = training_step(network, look(values))
    times = alternate([take, partial(look, values), step], rounds)
    looked = times[:, 1]
    row = (
        told(1000 * looked, ".1f"),
        told(looked / times[:, 2], ".1%"),
        told(looked / times.sum(1), ".1%"),
    )
    print(f"| {name} | {network} | {' | '.join(row)} |", flush=True)


def in_3d(cubes: Tensor, laid: Tensor, pixels: int) -> Tensor:
    """Sample with 3D `grid_sample`."""
    count, _, *space = cubes.shape
    run = torch.arange(pixels) - (pixels - 1) / 2
    edge = torch.tensor([float(n) for n in reversed(space)])
    middle, down, right = (laid.flip(2) * 2 / edge[:, None]).unbind(-1)  # x first, as it wants
    rows = middle[:, :, None] + down[:, :, None] * run[:, None]
    grid = rows[:, :, :, None] + right[:, :, None, None] * run[:, None]
    flat = grid.reshape(count, -1, 1, 1, 3)
    seen = grid_sample(cubes, flat, padding_mode="border", align_corners=False)
    return seen.view(count, -1, laid.shape[1], pixels, pixels).transpose(1, 2)


def gathered(cubes: Tensor, laid: Tensor, pixels: int) -> Tensor:
    """Sample by gathering the eight corners of each point by their whole numbers."""
    count, channels, *space = cubes.shape
    run = torch.arange(pixels) - (pixels - 1) / 2
    first, shares = torch.zeros((), dtype=torch.int64), []
    for axis, edge in enumerate(space):
        middle, down, right = laid[:, :, axis].unbind(-1)
        rows = (middle + (edge - 1) / 2)[..., None] + down[..., None] * run
        place = (rows[..., None] + (right[..., None] * run)[..., None, :]).flatten(1)
        low = place.clamp_(0, edge - 1).to(torch.int64).clamp_max_(edge - 2)
        shares.append((place - low)[:, None])
        first = first * edge + low
    flat, index = cubes.flatten(2), first[:, None].expand(-1, channels, -1)

    def mean(axis: int, offset: int) -> Tensor:
        if axis == len(space):
            return flat[..., offset:].gather(2, index).float()
        beyond = int(np.prod(space[axis + 1 :]))
        return mean(axis + 1, offset).lerp_(mean(axis + 1, offset + beyond), shares[axis])

    return mean(0, 0).view(count, channels, -1, pixels, pixels).transpose(1, 2)


def compare_ways(shape: tuple[int, ...], looks: int, pixels: int, rounds: int) -> None:
    """Print nanoseconds a value of every way to sample the same planes."""
    cubes = torch.rand(shape, generator=GENERATOR)
    whole, half = (cubes * 255).to(torch.uint8), cubes.bfloat16()
    laid = turned_planes(random_turns(len(cubes), looks, GENERATOR))
    ours = sample_planes(cubes, laid, pixels)
    for way in (in_3d, gathered):
        assert torch.allclose(way(cubes, laid, pixels), ours, atol=1e-3)
    ways = {
        "3D grid_sample": partial(in_3d, cubes, laid, pixels),
        "gathered": partial(gathered, cubes, laid, pixels),
        "gathered, bfloat16": partial(gathered, half, laid, pixels),
        "gathered, uint8": partial(gathered, whole, laid, pixels),
        "ours": partial(sample_planes, cubes, laid, pixels),
        "ours, bfloat16": partial(sample_planes, half, laid, pixels),
        "ours, uint8": partial(sample_planes, whole, laid, pixels),
    }
    sweep = torch.rand(8_000_000)  # Reading it leaves nothing of the cubes in the cache.
    works = [work for way in ways.values() for work in (sweep.sum, way)]
    times = 1e9 * alternate(works, rounds)[:, 1::2] / ours.numel()
    row = " | ".join(told(each, ".1f") for each in times.T)
    print(f"| {' × '.join(map(str, shape))}, {looks} looks of {pixels} px | {row} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", default="sprint,resnet18")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print("| views | network | ms | to the network's step | share of the whole step |")
    print("|---|---|---|---|---|")
    for name, shape, look in LOOKS:
        for network in given.networks.split(","):
            report(name, shape, look, network, given.rounds)
    print("\nns a value: 3D grid_sample, gathered (float32, bfloat16, uint8), ours (the same)\n")
    for shape, looks, pixels in (
        ((32, 1, 32, 32, 32), 3, 32),
        ((64, 1, 48, 48, 48), 1, 32),
        ((32, 4, 32, 32, 32), 1, 32),
        ((16, 1, 64, 64, 64), 3, 64),
    ):
        compare_ways(shape, looks, pixels, 3 * given.rounds)


if __name__ == "__main__":
    main()
