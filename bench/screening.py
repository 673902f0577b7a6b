"""A volume screened in one pass, against its cubes judged one by one: scores, time and memory.

    python bench/screening.py families --dims 2
    python bench/screening.py families --dims 3 --only lenet5,sprint,resnet18
    python bench/screening.py volume --net lenet5 --cube 32 --space 300x512x512
    python bench/screening.py volume --net dou_screen --cube 16 --space 300x512x512

`families`: one network of each family, untrained, its norms set by cubes of the same noise; the
root mean square of the difference, as a share of the deviation of scores from volume to volume, and
the correlation, for the cube in the middle of each of 24 volumes. `volume`: processor seconds
and peak memory of one process, on one thread if not told otherwise; the sliding window is
extrapolated from 512 of its cubes, in the same precision; their scores in single precision are
compared with those of the pass: largest difference / deviation. More threads than one are for the
time of the pass: where small cubes keep them waiting, that counts as work. Prints rows of Markdown.
"""

import argparse
import resource
import time
from itertools import product

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import interpolate

from medclf.locate.screen import TILE, Screen
from medclf.net.head import Classifier
from medclf.net.table import BODIES, build_classifier

BATCH, VOLUMES = 8, 24
CUBES, CUBES_AT_ONCE = 512, 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("families", "volume"))
    parser.add_argument("--dims", type=int, default=2)
    parser.add_argument("--edges", default="32,64")
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--net", default="lenet5")
    parser.add_argument("--cube", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--space", default="300x512x512")
    parser.add_argument("--mixed", action="store_true", help="bfloat16, where it is safe")
    parser.add_argument("--tile", type=int, default=TILE)
    args = parser.parse_args()
    if args.what == "volume":
        screen_volume(args)
        return
    edges = [int(edge) for edge in args.edges.split(",")]
    first = {entry.family: name for name, entry in reversed(BODIES.items())}
    print("| network | cube | difference / deviation | correlation |")
    print("|---|---|---|---|")
    for name, edge in product(
        args.only.split(",") if args.only else reversed(first.values()), edges
    ):
        rows = [compare(name, (edge,) * args.dims, seed) for seed in range(args.seeds)]
        (far, alike), (spread, _) = np.mean(rows, 0), np.std(rows, 0)
        print(f"| {name} | {edge} | {far:.1e} ± {spread:.0e} | {alike:.3f} |", flush=True)


@torch.no_grad()
def compare(name: str, size: tuple[int, ...], seed: int) -> tuple[float, float]:
    """Judge the cube in the middle of some volumes in both ways."""
    seeded = torch.Generator().manual_seed(seed)
    network = build_classifier(name, 1, 1, size, seeded)
    nn.init.normal_(network.linear.weight, generator=seeded)
    settle(network, torch.stack([clouds(size, seeded) for _ in range(4 * BATCH)]))
    screen = Screen(network, 1, size)
    # Half a cube of volume on either side, in whole steps.
    beside = [-(-edge // (2 * step)) for edge, step in zip(size, screen.step, strict=True)]
    ways = list(zip(size, beside, screen.step, strict=True))
    space = tuple(edge + 2 * cells * step for edge, cells, step in ways)
    middle = tuple(slice(cells * step, cells * step + edge) for edge, cells, step in ways)
    passed, alone = [], []
    for _ in range(VOLUMES):
        volume = clouds(space, seeded)
        passed.append(screen(volume[None])[0, 0][tuple(beside)])
        alone.append(network(volume[:, *middle][None])[0, 0])
    pairs = torch.stack([torch.stack(passed), torch.stack(alone)])
    far = (pairs[0] - pairs[1]).square().mean().sqrt() / pairs[1].std()
    return float(far), float(torch.corrcoef(pairs)[0, 1])


def settle(network: Classifier, cubes: Tensor) -> None:
    """Set the running statistics of norms, and leave dropout out."""
    norms = [m for m in network.modules() if hasattr(m, "running_mean")]
    for norm in norms:
        norm.train().momentum = None
    for module in network.modules():
        if not list(module.children()) and module not in norms:
            module.eval()
    for part in cubes.split(2 * BATCH):
        network.body(part)


def clouds(space: tuple[int, ...], seeded: Generator) -> Tensor:
    """Make noise of two scales, (1, *space)."""
    coarse = torch.randn(1, 1, *(n // 8 for n in space), generator=seeded)
    smooth = interpolate(coarse, space, mode=("bilinear", "trilinear")[len(space) - 2])
    return smooth[0] + 0.5 * torch.randn(1, *space, generator=seeded)


@torch.inference_mode()
def screen_volume(args: argparse.Namespace) -> None:
    """Screen one volume; then judge some of its cubes by themselves."""
    torch.set_num_threads(args.threads)
    size, seeded = (args.cube,) * 3, torch.Generator().manual_seed(0)
    network = build_classifier(args.net, 1, 1, size, seeded)
    screen = Screen(network, 1, size)
    volume = torch.randn(1, *map(int, args.space.split("x")), generator=seeded)
    with torch.autocast("cpu", torch.bfloat16, enabled=args.mixed):
        start, wall = time.process_time(), time.perf_counter()
        scores = screen.tiled(volume, args.tile)[0]
        passed, wall = time.process_time() - start, time.perf_counter() - wall
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        places = [torch.randint(n, (CUBES,), generator=seeded) for n in scores.shape]
        cubes = cut(volume, torch.stack(places, 1) * torch.tensor(screen.step), args.cube)
        network(cubes[:CUBES_AT_ONCE])
        start = time.process_time()
        for part in cubes.split(CUBES_AT_ONCE):
            network(part)
        window = (time.process_time() - start) / CUBES * scores.numel()
    alone = network(cubes)[:, 0]
    far = (scores[tuple(places)] - alone).abs().max() / alone.std()
    told = [args.space, args.tile, "mixed" if args.mixed else "single", f"{scores.numel():,}"]
    told += [f"{passed:.0f} ({wall:.0f} elapsed)", f"{memory:.1f}", f"{window:.0f}"]
    print("|", " | ".join(map(str, [args.net, *told, f"{window / passed:.0f}", f"{far:.0e}"])), "|")


def cut(volume: Tensor, starts: Tensor, edge: int) -> Tensor:
    """Cut cubes that begin at some samples, (N, 3), out of a volume: (N, channels, *cube)."""
    parts = [[slice(n, n + edge) for n in start] for start in starts.tolist()]
    return torch.stack([volume[:, *part] for part in parts])


if __name__ == "__main__":
    main()
