"""How much burnt-in text is found, and how much that is none: text drawn into real pictures.

    python bench/burnt_text.py --pictures 40 --seeds 0,1,2

Lines of text (names, dates, numbers) of several sizes are drawn in white into pictures of
MEDCLF_DATA that bear next to no text of their own: chest radiographs, slices of CT and MR; and into
a black screen and speckle like that of ultrasound. A line counts as found when 98 % of its
ink lies in boxes. Without text, boxes are false alarms: told of pictures that are only searched,
and the area that is masked of those in which text is expected.
"""

import argparse
import io
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from zipfile import ZipFile

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from medclf.curate.deidentify.burnt_text import find_text

Grey = NDArray[np.uint8]

SIZES = (10, 12, 16, 24, 32)
LINES = ("DOE^JANE", "MUELLER, HANS", "12.03.1954", "ID 4711-0815", "St. Elsewhere", "F 063Y")
FOUND = 0.98
FONT = Path(mpl.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"


def main() -> None:
    """Print a table by ground: lines found by size, false alarms, area masked, time."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=40, help="of each kind")
    parser.add_argument("--seeds", default="0,1,2")
    given = parser.parse_args()
    seeds = [int(seed) for seed in given.seeds.split(",")]
    data = Path(os.environ["MEDCLF_DATA"])
    heads = " | ".join(f"{size} px" for size in SIZES)
    print(f"| ground | {heads} | told, no text | masked, no text | seconds |")
    print("|---|" + "---|" * (len(SIZES) + 3))
    for name, ground in GROUNDS.items():
        measure(name, [list(ground(data, given.pictures, seed)) for seed in seeds], seeds)


def measure(name: str, pictures: list[list[Grey]], seeds: list[int]) -> None:
    """Draw into every picture at every size, and print a row."""
    found: dict[int, list[float]] = defaultdict(list)
    told, masked, seconds = [], [], []
    for seed, some in zip(seeds, pictures, strict=True):
        rng = np.random.default_rng(seed)
        start = process_time()
        told.append(np.mean([bool(find_text(p)) for p in some]))
        seconds.append((process_time() - start) / len(some))
        masked.append(np.mean([area(p).mean() for p in some]))
        for size in SIZES:
            hits = [hit for p in some if (hit := draw_and_find(p, size, rng)) is not None]
            found[size].append(float(np.mean(hits)) if hits else np.nan)
    rates = " | ".join(spread(found[size]) for size in SIZES)
    print(f"| {name} | {rates} | {spread(told)} | {spread(masked)} | {np.mean(seconds):.2f} |")


def spread(values: list[float]) -> str:
    return f"{100 * np.mean(values):.1f} ± {100 * np.std(values, ddof=1):.1f} %"


def area(picture: Grey) -> NDArray[np.bool_]:
    found = np.zeros(picture.shape, bool)
    for box in find_text(picture, expected=True):
        found[box.top : box.bottom, box.left : box.right] = True
    return found


def draw_and_find(picture: Grey, size: int, rng: np.random.Generator) -> bool | None:
    """Tell whether a line is found; `None` where it does not fit, or its ground is white."""
    font, line = ImageFont.truetype(FONT, size), LINES[rng.integers(len(LINES))]
    wide = int(font.getlength(line)) + 4
    if wide >= picture.shape[1] or size + 6 >= picture.shape[0]:
        return None
    left, top = (
        int(rng.integers(n)) for n in (picture.shape[1] - wide, picture.shape[0] - size - 6)
    )
    sheet = Image.fromarray(picture)
    ImageDraw.Draw(sheet).text((left, top), line, 255, font)
    drawn = np.asarray(sheet)
    ink = drawn.astype(int) - picture > 40
    if ink.sum() < 0.5 * size * len(line):
        return None
    return bool(area(drawn)[ink].mean() >= FOUND)


def radiographs(data: Path, number: int, seed: int) -> Iterator[Grey]:
    with ZipFile(data / "kermany_chest_xray" / "images.zip") as archive:
        names = sorted(
            n for n in archive.namelist() if n.lower().endswith((".jpg", ".jpeg", ".png"))
        )
        for name in np.random.default_rng(seed).choice(names, number, replace=False):
            picture = Image.open(io.BytesIO(archive.read(name))).convert("L")
            # The original size; text is drawn after that, and these bear a letter at most.
            yield np.asarray(picture.resize((512, 512)))


def slices(data: Path, number: int, seed: int) -> Iterator[Grey]:
    import nibabel

    rng = np.random.default_rng(seed)
    files = sorted((data / "volumes").glob("*.nii*"))
    volumes = [nibabel.load(path).get_fdata(dtype=np.float32) for path in files]
    for _ in range(number):
        volume = volumes[rng.integers(len(volumes))]
        volume = volume[..., 0] if volume.ndim == 4 else volume
        plane = volume[:, :, int(volume.shape[2] * rng.uniform(0.2, 0.8))]
        low, high = np.percentile(volume, [0.5, 99.8])
        yield np.asarray((255 * (plane - low) / (high - low)).clip(0, 255), np.uint8)


def screens(data: Path, number: int, seed: int) -> Iterator[Grey]:
    rng = np.random.default_rng(seed)
    for _ in range(number):
        yield rng.integers(0, 4, (480, 640)).astype(np.uint8)


def speckle(data: Path, number: int, seed: int) -> Iterator[Grey]:
    rng = np.random.default_rng(seed)
    for _ in range(number):
        noise = gaussian_filter(rng.rayleigh(1, (480, 640)), (1, 2))
        noise = (noise - noise.min()) / (noise.max() - noise.min())
        yield np.asarray(200 * noise, np.uint8)


GROUNDS = {
    "black screen": screens,
    "chest radiograph": radiographs,
    "slice of CT or MR": slices,
    "speckle": speckle,
}


if __name__ == "__main__":
    main()
