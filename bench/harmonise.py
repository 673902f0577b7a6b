"""How far a scanner's scale can be taken away again, on real MR volumes.

    python bench/harmonise.py FOLDER --seed 0

FOLDER holds T1 volumes as NIfTI. Each is shown once as it is and once as another scanner might show
it: all values times a gain, bent by a power, and brighter to one side. Both are prepared, and what
is left between them is the mean distance over the head, in hundredths of its standard deviation.
Landmarks are learnt from the other volumes of the folder, never from the one that is judged. Prints
a table: mean and standard deviation over the volumes, for each way of preparing and each change.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.prepare.body import otsu
from medclf.prepare.exam import Prepare, cut_image, prepare_image
from medclf.prepare.landmarks import average_landmarks, measure_landmarks
from medclf.read.image import read_image

Values = NDArray[np.float32]
Change = Callable[[Values, np.random.Generator], Values]

EVERY = 2


def main() -> None:
    """Read the options, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    volumes = [
        read_image(Source(path)).values[:, ::EVERY, ::EVERY, ::EVERY].astype(np.float32)
        for path in sorted(options.folder.glob("*.nii.gz"))
    ]
    plain = Prepare(volumes[0].shape[1:], 1, intensity="percentile", dtype="float16")
    ways = {
        "percentile": plain,
        "zscore": replace(plain, intensity="zscore"),
        "landmarks": replace(plain, intensity="landmarks"),
        "landmarks after n4": replace(plain, intensity="landmarks", bias="n4"),
    }
    print(f"| prepared by | {' | '.join(CHANGES)} |\n|---|{'---|' * len(CHANGES)}")
    for name, settings in ways.items():
        cells = _figures(volumes, settings, options.seed)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _gain(values: Values, rng: np.random.Generator) -> Values:
    return values * np.float32(rng.uniform(0.2, 5))


def _bend(values: Values, rng: np.random.Generator) -> Values:
    top = float(values.max())
    power = np.float32(rng.choice((0.7, 1.4)))
    return _gain((np.maximum(values, 0) / top) ** power * top, rng)


def _shade(values: Values, rng: np.random.Generator) -> Values:
    slope = rng.normal(size=3)
    slope *= 0.35 / np.linalg.norm(slope)
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in values.shape[1:]), indexing="ij")
    field = np.exp(sum(s * axis for s, axis in zip(slope, axes, strict=True)))
    return _gain(values * field.astype(np.float32), rng)


CHANGES: dict[str, Change] = {"a gain": _gain, "a bent scale": _bend, "a shade": _shade}


def _figures(volumes: list[Values], settings: Prepare, seed: int) -> list[str]:
    """Judge one way of preparing by every change."""
    cut = [_cut(values, settings) for values in volumes]
    measured = [measure_landmarks(values, settings.marks) for values in cut]
    left: dict[str, list[float]] = {name: [] for name in CHANGES}
    rng = np.random.default_rng(seed)
    for number, values in enumerate(volumes):
        own = replace(settings, bias="none")
        if settings.intensity == "landmarks":
            others = [row for other, row in enumerate(measured) if other != number]
            own = replace(own, landmarks=average_landmarks(others))
        head = values[0] > otsu(values[0])
        one = _prepared(cut[number], own)
        for name, change in CHANGES.items():
            other = _prepared(_cut(change(values, rng), settings), own)
            left[name].append(100 * float(np.abs(one - other)[head].mean() / one[head].std()))
    return [f"{np.mean(each):.1f} ± {np.std(each):.1f}" for each in left.values()]


def _cut(values: Values, settings: Prepare) -> Values:
    return cut_image(Image(values, bits=32), settings, "volume")[0].values


def _prepared(values: Values, settings: Prepare) -> NDArray[np.float64]:
    return prepare_image(Image(values, bits=32), settings, "volume")[0].astype(np.float64)


if __name__ == "__main__":
    main()
