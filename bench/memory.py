"""Peak memory of a training step in 3D, with the maps kept and with them computed anew.

    python bench/memory.py
    python bench/memory.py --net resnet50 --edge 96 --batch 2

A process of its own takes each measure: the most memory that was ever resident, over a few steps
of forward, backward and Adam under bfloat16 autocast, and what a bare process with PyTorch takes.
"""

import argparse
import resource
import subprocess
import sys
import time

import torch
from torch import nn

from medclf.net.nd import layers
from medclf.net.table import build_classifier

STEPS = 3
FORMS = ("bare", "kept", "anew")


def resident_gb() -> float:
    """The most memory that this process ever had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def step(net: str, edge: int, batch: int, saves: bool) -> float:
    """Train a few steps on noise; gives the seconds of the fastest."""
    size, seeded = (edge,) * 3, torch.Generator().manual_seed(0)
    order = layers(3).memory_format
    network = build_classifier(net, 2, 1, size, seeded).train().to(memory_format=order)
    network.body.saves_memory = saves
    optimizer = torch.optim.Adam(network.parameters())
    images = torch.rand(batch, 1, *size, generator=seeded).contiguous(memory_format=order)
    target = torch.arange(batch) % 2
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = nn.functional.cross_entropy(network(images), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", default="densenet121")
    parser.add_argument("--edge", type=int, default=64)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--form", choices=FORMS, help="measure here, in this process")
    args = parser.parse_args()
    if args.form:
        bare = args.form == "bare"
        best = 0.0 if bare else step(args.net, args.edge, args.batch, args.form == "anew")
        print(f"{args.form:>6} {resident_gb():8.2f} GB {best:8.2f} s a step")
        return
    print(f"{args.net}, {args.batch} volumes of {args.edge} x {args.edge} x {args.edge}")
    for form in FORMS:
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--form", form], check=True)


if __name__ == "__main__":
    main()
