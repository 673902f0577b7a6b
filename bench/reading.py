"""How fast files are read: volumes against SimpleITK and nibabel, pictures against Pillow.

    python bench/reading.py --data FOLDER --files 5000 --rounds 5

Three parts, each alternating its rivals within one run, so that what else the machine does falls
on all of them alike:

- volumes: every .nii.gz in FOLDER/volumes, and the same as .mha and .nrrd (written by SimpleITK,
  compressed), from file to array. What counts is the processor's time, in one thread.
- pictures: as many chest X-rays of FOLDER/kermany_chest_xray as asked for, as JPEG and as PNG, into
  a store of 128 x 128 greys: files are digested, read, prepared, and brought to disk. The rival is
  a plain loop in one process that opens, converts, resizes and keeps, by Pillow. The time on the
  clock counts, and the processor's time is told beside it: on a machine that is busy otherwise,
  only that can be trusted.
- store: rows of 224 x 224 read back, from end to end and in random batches of 64, from the page
  cache.

Nothing is left behind.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from zipfile import ZipFile

import nibabel
import numpy as np
import SimpleITK
from PIL import Image as Pillow

from medclf.core.record import Record, Source
from medclf.prepare.exam import Prepare
from medclf.prepare.store import Store, open_store
from medclf.read.image import read_image

EDGE, ROW, BATCH = 128, 224, 64

Times = dict[str, list[tuple[float, float]]]
"""Seconds on the clock and of the processor, of each round of each rival."""


def main() -> None:
    """Read the options and print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--files", type=int, default=5000, help="pictures")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    with tempfile.TemporaryDirectory() as folder:
        _compare_volumes(options.data / "volumes", Path(folder), options.rounds)
        for suffix in ("jpg", "png"):
            paths = _write_pictures(options.data, Path(folder) / suffix, options.files)
            _compare_pictures(paths, options.rounds)
        _measure_store(paths, Path(folder) / "cache", options.rounds)


def race(rivals: Mapping[str, Callable[[], object]], rounds: int) -> Times:
    """Run each rival once a round, one after the other, after a first round that is not counted."""
    times: Times = {name: [] for name in rivals}
    for number in range(rounds + 1):
        for name, run in rivals.items():
            clock, cpu = time.perf_counter(), time.process_time()
            run()
            took = time.perf_counter() - clock, time.process_time() - cpu
            if number:
                times[name].append(took)
    return times


def _compare_volumes(folder: Path, place: Path, rounds: int) -> None:
    print("| volume | medclf, ms CPU | SimpleITK | nibabel | to SimpleITK |\n|---|---|---|---|---|")
    for path in sorted(folder.glob("*.nii.gz")):
        name = path.name.removesuffix(".nii.gz")
        _compare_volume(path, rounds, nibabel_too=True)
        for suffix in (".mha", ".nrrd"):
            copy = place / f"{name}{suffix}"
            SimpleITK.WriteImage(SimpleITK.ReadImage(path), copy, useCompression=True)
            _compare_volume(copy, rounds)


def _compare_volume(path: Path, rounds: int, *, nibabel_too: bool = False) -> None:
    rivals: dict[str, Callable[[], object]] = {
        "medclf": lambda: read_image(Source(path)),
        "SimpleITK": lambda: SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path)),
    }
    if nibabel_too:
        rivals["nibabel"] = lambda: np.asanyarray(nibabel.load(path).dataobj)
    times = race(rivals, rounds)
    cpu = {name: [1000 * each for _, each in some] for name, some in times.items()}
    told = " | ".join(
        _spread(cpu[name]) if name in cpu else "" for name in (*rivals, "nibabel")[:3]
    )
    ratios = [one / other for one, other in zip(cpu["medclf"], cpu["SimpleITK"], strict=True)]
    print(f"| {path.name} | {told} | {_spread(ratios, 2)} |", flush=True)


def _write_pictures(data: Path, folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    paths = []
    with ZipFile(data / "kermany_chest_xray" / "images.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpeg")][:count]
        for number, name in enumerate(names):
            paths.append(folder / f"{number:05d}.{folder.name}")
            if folder.name == "jpg":
                paths[-1].write_bytes(archive.read(name))
            else:
                Pillow.open(archive.open(name)).save(paths[-1])
    return paths


def _compare_pictures(paths: Sequence[Path], rounds: int) -> None:
    records = [Record(path.name, {"image": Source(path)}, path.name) for path in paths]

    def loop() -> None:
        kept = np.empty((len(paths), EDGE, EDGE), np.uint8)
        for row, path in enumerate(paths):
            with Pillow.open(path) as picture:
                small = picture.convert("L").resize((EDGE, EDGE), Pillow.Resampling.BILINEAR)
                kept[row] = np.asarray(small)

    def store() -> None:
        with tempfile.TemporaryDirectory() as cache:
            open_store(records, Prepare((EDGE, EDGE), 1), Path(cache))

    times = race({"loop": loop, "store": store}, rounds)
    for kind, which in (("clock", 0), ("CPU", 1)):
        slow, fast = ([each[which] for each in times[name]] for name in ("loop", "store"))
        ratio = _spread([one / other for one, other in zip(slow, fast, strict=True)], 2)
        told = f"Pillow loop {_spread(slow, 2)} s, store {_spread(fast, 2)} s, ratio {ratio}"
        print(f"{len(paths):,} {paths[0].suffix} to a store, {kind}: {told}", flush=True)


def _measure_store(paths: Sequence[Path], cache: Path, rounds: int) -> None:
    records = [Record(path.name, {"image": Source(path)}, path.name) for path in paths]
    store = open_store(records, Prepare((ROW, ROW), 1), cache)
    rng = np.random.default_rng(0)
    orders = {"end to end": np.arange(len(paths)), "random": rng.permutation(len(paths))}
    times = race({name: lambda o=order: _read(store, o) for name, order in orders.items()}, rounds)
    for name, some in times.items():
        for kind, which in (("clock", 0), ("CPU", 1)):
            rate = _spread([len(paths) / each[which] for each in some], 0)
            speed = _spread([store.values.nbytes / each[which] / 1e9 for each in some], 2)
            print(f"from the store, {name}, {kind}: {rate} images/s, {speed} GB/s")


def _read(store: Store, order: np.ndarray) -> None:
    for start in range(0, len(order), BATCH):
        store.batch(order[start : start + BATCH])


def _spread(values: Sequence[float], digits: int = 1) -> str:
    return f"{mean(values):.{digits}f} ± {stdev(values) if len(values) > 1 else 0:.{digits}f}"


if __name__ == "__main__":
    main()
