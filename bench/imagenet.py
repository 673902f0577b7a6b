"""Top-1 accuracy of pretrained weights on real pictures of ImageNet's classes.

    python bench/imagenet.py $MEDCLF_DATA/imagenet_samples_250

DATA is a folder or an archive of pictures whose names begin with the number of their class, as
`004_hammerhead.JPEG`. Each is resized by cubic interpolation until its short side is 8/7 of the
network's edge, and cut about its middle, as timm's configurations of these networks have it. One
row takes the mean and deviation that the weights were trained with, the other those of the common
ImageNet recipe: for the weights of Google, which want values from -1 to 1, that costs ten points.

Interval: Wilson's, at 95 %. For efficientnet_lite0 no network is needed.
"""

import argparse
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from medclf.core.memory import keep_memory
from medclf.core.record import Source as Place
from medclf.evaluate.interval import wilson
from medclf.net.source import DEVIATION, MEAN
from medclf.net.table import build_classifier
from medclf.net.weights import find_source, load_pretrained
from medclf.read.archive import is_archive, list_members, read_bytes
from medclf.read.image import looks_like_image

CLASSES, BATCH = 1000, 25

Values = tuple[Sequence[float], Sequence[float]]


def find_pictures(data: Path) -> list[Place]:
    """List the pictures of a folder, and of the archives in it."""
    paths = [data] if data.is_file() else sorted(p for p in data.rglob("*") if p.is_file())
    packed = [
        Place(path, name) for path in paths if is_archive(path) for name in list_members(path)
    ]
    places = packed + [Place(path) for path in paths if not is_archive(path)]
    return [place for place in places if looks_like_image(name_of(place))]


def name_of(place: Place) -> str:
    return Path(place.member or place.path).name


def crop(place: Place, pixels: int) -> np.ndarray:
    """Read a picture, and cut its middle: (pixels, pixels, 3) of bytes."""
    picture = Image.open(BytesIO(read_bytes(place))).convert("RGB")
    factor = 8 / 7 * pixels / min(picture.size)
    width, height = (round(edge * factor) for edge in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - pixels) // 2, (height - pixels) // 2
    return np.asarray(picture.crop((left, top, left + pixels, top + pixels)))


def count_right(net: str, places: Sequence[Place], values: Sequence[Values]) -> list[int]:
    """Count, for each mean and deviation, the pictures whose class the network names first."""
    pixels = find_source(net).pixels
    network = build_classifier(net, CLASSES, 3, (pixels,) * 2, torch.Generator().manual_seed(0))
    left = load_pretrained(network, net)
    assert not left, f"not pretrained: {left}"
    network.eval().to(memory_format=torch.channels_last)
    right = [0] * len(values)
    for start in range(0, len(places), BATCH):
        some = places[start : start + BATCH]
        raw = torch.from_numpy(np.stack([crop(place, pixels) for place in some]))
        truth = torch.tensor([int(name_of(place).partition("_")[0]) for place in some])
        for row, (mean, deviation) in enumerate(values):
            low, spread = (torch.tensor(v)[:, None, None] for v in (mean, deviation))
            with torch.inference_mode():
                said = network((raw.movedim(-1, 1) / 255 - low) / spread).argmax(1)
            right[row] += int((said == truth).sum())
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--net", default="efficientnet_lite0")
    args = parser.parse_args()
    keep_memory()
    source, places = find_source(args.net), find_pictures(args.data)
    rows = {"own": (source.mean, source.deviation), "usual": (MEAN, DEVIATION)}
    print(f"{args.net}, {len(places)} pictures; published for ImageNet's own: {source.top1} %")
    print("| mean and deviation | top-1 | 95 % interval |\n|---|---|---|")
    for name, right in zip(rows, count_right(args.net, places, [*rows.values()]), strict=True):
        low, high = wilson(right / len(places), len(places))
        share = right / len(places)
        print(f"| {name} | {100 * share:.1f} % | {100 * low:.1f} to {100 * high:.1f} |")


if __name__ == "__main__":
    main()
