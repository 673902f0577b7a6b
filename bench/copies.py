"""How many planted copies are found, and how many pairs are flagged wrongly.

    python bench/copies.py $MEDCLF_DATA
    python bench/copies.py $MEDCLF_DATA --alike
    python bench/copies.py $MEDCLF_DATA --dealt

Each picture of HAM10000 and Kermany gets one copy, made in one of nine ways by turns; originals
and copies are then searched together. Thresholds were set on the rows that `--tuned` measures,
which are the even ones and every fifth; the figures are of the others. A pair is wrong where its
originals differ; pairs of one lesion or of one child, of whom there are several pictures, are
counted apart, and so are originals that are equal to the pixel. Prints rows of Markdown.

`--alike` counts pairs where images are alike: how many reach the least likeness of a copy, and how
many stand out as the rule asks. `--dealt` counts how many patients are joined by what looks the
same, as `medclf train`, `compare` and `split` join them where they deal the splits.
"""

import argparse
import io
import re
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image as Pillow

from medclf.core.cohort import Cohort
from medclf.curate.cohort import Columns, read_cohort
from medclf.curate.copies import LIKENESS, find_copies
from medclf.curate.join import join_alike
from medclf.curate.phantom.cohort import make_phantoms
from medclf.curate.survey import survey
from medclf.curate.thumbnail import Thumbnail, shrink
from medclf.curate.together import join_looks

Picture = Pillow.Image
CHILD = r"((?:train|test)/[A-Z]+/(?:person\d+|NORMAL2-IM-\d+|IM-\d+))"
Way = Callable[[Picture, np.random.Generator], Picture]
FLIPS = (Pillow.Transpose.FLIP_LEFT_RIGHT, Pillow.Transpose.FLIP_TOP_BOTTOM)
QUARTERS = (Pillow.Transpose.ROTATE_90, Pillow.Transpose.ROTATE_180, Pillow.Transpose.ROTATE_270)


def re_encode(image: Picture, rng: np.random.Generator) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(rng.integers(40, 80)))
    return Pillow.open(buffer)


def resize(image: Picture, rng: np.random.Generator) -> Picture:
    size = [max(8, round(edge * rng.uniform(0.5, 1.3))) for edge in image.size]
    return image.resize(tuple(size), Pillow.Resampling.BICUBIC)


def relight(image: Picture, rng: np.random.Generator) -> Picture:
    values = np.asarray(image, np.float32)
    lit = (values - values.mean()) * rng.uniform(0.75, 1.3) + values.mean() * rng.uniform(0.75, 1.3)
    return Pillow.fromarray(lit.clip(0, 255).astype(np.uint8))


def mirror(image: Picture, rng: np.random.Generator) -> Picture:
    return image.transpose(FLIPS[rng.integers(2)])


def turn(image: Picture, rng: np.random.Generator) -> Picture:
    return image.transpose(QUARTERS[rng.integers(3)])


def crop(image: Picture, rng: np.random.Generator, most: float = 0.1) -> Picture:
    kept = [edge * (1 - rng.uniform(most / 2, most)) for edge in image.size]
    left, top = (rng.uniform(0, edge - k) for edge, k in zip(image.size, kept, strict=True))
    return image.crop((round(left), round(top), round(left + kept[0]), round(top + kept[1])))


def change_all(image: Picture, rng: np.random.Generator) -> Picture:
    for change in (crop, mirror, turn, relight, resize, re_encode):
        image = change(image, rng)
    return image


WAYS: dict[str, Way] = {
    "re-encoded, JPEG quality 40 to 80": re_encode,
    "resized to 50 to 130 %, each axis": resize,
    "brightness and contrast 75 to 130 %": relight,
    "mirrored": mirror,
    "turned by quarters": turn,
    "cropped by 5 to 10 % of each edge": crop,
    "all of these at once": change_all,
    "cropped by 7.5 to 15 %": partial(crop, most=0.15),
    "cropped by 10 to 20 %": partial(crop, most=0.2),
}


open_once = lru_cache(zipfile.ZipFile)  # A process reads the list of its members only once.


def copy_one(number: int, name: str, archive: Path) -> tuple[Thumbnail, Thumbnail]:
    """Shrink an original and its copy."""
    image = Pillow.open(io.BytesIO(open_once(archive).read(name)))
    image = image.convert("L" if image.mode == "L" else "RGB")
    way = list(WAYS.values())[number % len(WAYS)]
    copy = way(image, np.random.default_rng(number))
    one, other = (np.moveaxis(np.atleast_3d(np.asarray(i)), -1, 0) for i in (image, copy))
    return shrink(one), shrink(other)


def measure(archive: Path, group: Callable[[str], str], tuned: bool) -> None:
    with zipfile.ZipFile(archive) as packed:
        every = [name for name in packed.namelist() if not name.endswith("/")]
    rows = [i for i in range(len(every)) if (i % 2 == 0 or i % 5 == 0) == tuned]
    names = [every[i] for i in rows]
    with ProcessPoolExecutor() as pool:
        job = partial(copy_one, archive=archive)
        made = list(pool.map(job, range(len(names)), names, chunksize=32))
    originals, copies = (np.stack(thumbnails) for thumbnails in zip(*made, strict=True))
    start = time.process_time()
    pairs, _ = find_copies(np.concatenate([originals, copies]))
    seconds = time.process_time() - start
    source = pairs % len(names)
    found = source[(source[:, 0] == source[:, 1]), 0]
    print(f"\n{archive.parent.name}: {len(names)} originals and a copy of each\n")
    for number, way in enumerate(WAYS):
        planted = len(range(number, len(names), len(WAYS)))
        print(f"| {way} | {(found % len(WAYS) == number).sum()} of {planted} |")
    kinds = Counter(
        "equal to the pixel"
        if np.array_equal(originals[a], originals[b])
        else "one lesion or child"
        if group(names[a]) == group(names[b])
        else "wrong"
        for a, b in source
        if a != b
    )
    total = len(names) * (2 * len(names) - 1)
    print(f"| other pairs of {total:,} | {dict(kinds)} |")
    print(f"| CPU-seconds of the search | {seconds:.0f} |", flush=True)


def count_alike(what: str, cohort: Cohort) -> None:
    thumbnails = np.stack([look.thumbnail for look in survey(cohort)])
    least = LIKENESS[thumbnails.ndim - 1]
    reached, kept = (len(find_copies(thumbnails, given)[0]) for given in (least, None))
    print(f"| {what} ({len(thumbnails):,}) | {least} | {reached} | {kept} |", flush=True)


def measure_alike(data: Path) -> None:
    print("| images | least likeness | pairs that reach it | that stand out |\n|---|---|---|---|")
    count_alike("BreastMNIST", read_cohort(data / "medmnist/breastmnist.npz"))
    with tempfile.TemporaryDirectory() as place:
        table = make_phantoms(Path(place), patients=300, seed=0)
        count_alike("phantom X-rays, no copies", read_cohort(table))
    digits = read_cohort(data / "mnist")
    count_alike("MNIST, first", replace(digits, records=digits.records[:2000]))
    glands = read_cohort(data / "medmnist/adrenalmnist3d.npz")
    count_alike("AdrenalMNIST3D, every second", replace(glands, records=glands.records[::2]))


def count_dealt(what: str, cohort: Cohort) -> None:
    looks = survey(cohort)
    start = time.process_time()
    joined, groups = join_looks(cohort, looks)
    seconds = time.process_time() - start
    patients = [record.patient for record in cohort.records]
    labels = [record.label for record in cohort.records]
    apart = [group for group in groups if len({patients[i] for i in group}) > 1]
    torn = sum(len({labels[i] for i in group}) > 1 for group in apart)
    left = len({record.patient for record in join_alike(joined, groups).records})
    counts = len(patients), len(set(patients)), left, len(groups), len(apart), torn
    print(f"| {what} | {' | '.join(map(str, counts))} | {seconds:.0f} |", flush=True)


def measure_dealt(data: Path) -> None:
    heads = "images | patients | patients left | groups | of several patients | of several classes"
    print(f"| data | {heads} | CPU-s |\n|---|---|---|---|---|---|---|---|")
    xrays = read_cohort(data / "kermany_chest_xray/images.zip", Columns(patient_pattern=CHILD))
    count_dealt("Kermany", xrays)
    with tempfile.TemporaryDirectory() as place:
        table = pd.read_csv(data / "ham10000" / "HAM10000_metadata.csv")
        names = {"path": table.image_id, "label": table.dx, "patient": table.lesion_id}
        pd.DataFrame(names).to_csv(Path(place) / "exams.csv", index=False)
        columns = Columns(images=data / "ham10000/images.zip")
        photographs = read_cohort(Path(place) / "exams.csv", columns)
        count_dealt("HAM10000, lesions", photographs)
        phantoms = read_cohort(make_phantoms(Path(place) / "phantoms", seed=0))
        count_dealt("phantom X-rays, no copies", phantoms)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--alike", action="store_true")
    parser.add_argument("--dealt", action="store_true")
    given = parser.parse_args()
    if given.alike or given.dealt:
        (measure_alike if given.alike else measure_dealt)(given.data)
        return
    table = pd.read_csv(given.data / "ham10000" / "HAM10000_metadata.csv")
    lesion = dict(zip(table.image_id, table.lesion_id, strict=True))
    measure(given.data / "ham10000/images.zip", lambda name: lesion[Path(name).stem], given.tuned)

    def child(name: str) -> str:
        return re.search(r"(person\d+|IM-\d+)", name)[1]

    measure(given.data / "kermany_chest_xray/images.zip", child, given.tuned)


if __name__ == "__main__":
    main()
