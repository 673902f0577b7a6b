"""Top-1 accuracy of pretrained weights on real pictures of ImageNet's classes.

    python bench/imagenet.py $MEDCLF_DATA/imagenet_samples_250

DATA is a folder or an archive of pictures whose names begin with the number of their class, as
`004_hammerhead.JPEG`. Each is resized by cubic interpolation until its short side is 8/7 of the
network's edge, and cut about its middle, as timm's configurations of these networks have it; then
come the mean and deviation that the weights were trained with, or, with `--values usual`, those
of the common ImageNet recipe, which are right for most other weights.

Interval: Wilson's, at 95 %. Needs no network for efficientnet_lite0, about ten seconds on a core.
"""

import argparse
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from medclf.core.record import Source as Place
from medclf.evaluate.interval import wilson
from medclf.net.source import DEVIATION, MEAN
from medclf.net.table import build_classifier
from medclf.net.weights import find_source, load_pretrained
from medclf.read.archive import is_archive, list_members, read_bytes
from medclf.read.image import looks_like_image

CLASSES, BATCH = 1000, 25


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


def count_right(
    net: str, places: Sequence[Place], mean: Sequence[float], deviation: Sequence[float]
) -> int:
    """Count the pictures whose class the network names first."""
    pixels = find_source(net).pixels
    network = build_classifier(net, CLASSES, 3, (pixels,) * 2, torch.Generator().manual_seed(0))
    left = load_pretrained(network, net)
    assert not left, f"not pretrained: {left}"
    network.eval().to(memory_format=torch.channels_last)
    low, spread = (torch.tensor(values)[:, None, None] for values in (mean, deviation))
    right = 0
    for start in range(0, len(places), BATCH):
        some = places[start : start + BATCH]
        raw = torch.from_numpy(np.stack([crop(place, pixels) for place in some]))
        x: Tensor = (raw.movedim(-1, 1) / 255 - low) / spread
        with torch.inference_mode():
            said = network(x).argmax(1)
        truth = torch.tensor([int(name_of(place).partition("_")[0]) for place in some])
        right += int((said == truth).sum())
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--net", default="efficientnet_lite0")
    parser.add_argument("--values", choices=("own", "usual"), default="own")
    args = parser.parse_args()
    source, places = find_source(args.net), find_pictures(args.data)
    own = args.values == "own"
    values = (source.mean, source.deviation) if own else (MEAN, DEVIATION)
    right = count_right(args.net, places, *values)
    low, high = wilson(right / len(places), len(places))
    print(
        f"{args.net}: top-1 {100 * right / len(places):.1f} % of {len(places)} pictures "
        f"(95 % interval {100 * low:.1f} to {100 * high:.1f}), {args.values} mean and deviation; "
        f"published for the validation set: {source.top1} %"
    )


if __name__ == "__main__":
    main()
