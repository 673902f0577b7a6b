"""A DICOM series to a volume, against a loop that only decodes.

    python bench/series.py [--slices 300] [--edge 512] [--rounds 9] [--syntaxes]

Writes a CT series to a temporary folder, then alternates between
`medclf.read.dicom.series.read_series` and the bare loop
`[pydicom.dcmread(path).pixel_array for path in paths]`, which neither sorts nor rescales. Told are
CPU seconds (user and system) of each and the ratio, as medians with the range,
and the smallest of each. With `--syntaxes` the same for compressed series of a fifth of the
slices; there decoding runs in processes of its own, and elapsed time is what tells.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom

from medclf.curate.phantom.hard.case import write
from medclf.curate.phantom.hard.scene import Slab
from medclf.curate.phantom.hard.slices import blank, pixels, place
from medclf.curate.phantom.hard.syntaxes import PACKED
from medclf.read.dicom.find import find_series
from medclf.read.dicom.series import read_series

SEED = 0


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--edge", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--syntaxes", action="store_true", help="measure compressed series too")
    options = parser.parse_args()
    _compare("plain", options.slices, options.edge, options.rounds)
    if options.syntaxes:
        for name, (uid, encode, bits, _) in PACKED.items():
            if bits == 16:
                packed = uid, encode
                _compare(name, options.slices // 5, options.edge, options.rounds // 3, packed)


def _compare(
    name: str,
    slices: int,
    edge: int,
    rounds: int,
    packed: tuple[str, Callable[[np.ndarray], bytes]] | None = None,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), slices, edge, packed)
        paths = sorted(Path(folder).iterdir())
        (found,) = find_series(Path(folder)).series
        loop, ours, ratios, walls = [], [], [], []
        for _ in range(rounds):
            bare, wall_bare = _time(lambda: [pydicom.dcmread(path).pixel_array for path in paths])
            whole, wall = _time(lambda: read_series(found.source))
            loop.append(bare)
            ours.append(whole)
            ratios.append(whole / bare)
            walls.append(wall / wall_bare)
    print(
        f"{name}: {slices} slices of {edge} x {edge}; CPU s: loop {_told(loop)}, "
        f"volume {_told(ours)}; ratio {_told(ratios)}, of the least {min(ours) / min(loop):.2f}; "
        f"elapsed ratio {_told(walls)}"
    )


def _write(
    folder: Path, slices: int, edge: int, packed: tuple[str, Callable[[np.ndarray], bytes]] | None
) -> None:
    """Write smooth slices with noise, 12 bits in 16, under names in no order."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    rng = np.random.default_rng(SEED)
    slab = Slab((slices, edge, edge), (1.0, 0.8, 0.8))
    coarse = np.kron(rng.integers(0, 3000, (edge // 16, edge // 16)), np.ones((16, 16)))
    for number, name in enumerate(rng.permutation(slices)):
        dataset = blank("1.2.840.10008.5.1.4.1.1.2", number)
        dataset.Modality, dataset.SliceThickness = "CT", 1
        place(dataset, slab, slab.corner(number))
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        stored = (coarse + rng.integers(0, 40, coarse.shape)).astype(np.uint16)
        pixels(dataset, stored)
        dataset.BitsStored, dataset.HighBit = 12, 11
        if packed is not None:
            dataset.file_meta.TransferSyntaxUID = UID(packed[0])
            dataset.PixelData = encapsulate([packed[1](stored)])
            dataset["PixelData"].VR = "OB"
        write(dataset, folder / f"{name:04d}.dcm")


def _time(work: Callable[[], object]) -> tuple[float, float]:
    """Measure CPU time of this process, and elapsed time."""
    began, before = time.perf_counter(), os.times()
    result = work()
    after, took = os.times(), time.perf_counter() - began
    del result
    own = after.user + after.system - before.user - before.system
    return own, took


def _told(numbers: list[float]) -> str:
    return f"{statistics.median(numbers):.2f} ({min(numbers):.2f} to {max(numbers):.2f})"


if __name__ == "__main__":
    main()
