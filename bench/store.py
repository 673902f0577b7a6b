"""A store larger than memory: made, and read in random batches, under a limit.

    python bench/store.py --gb 4 --limit-mb 1024

Writes some JPEG pictures to a temporary folder, then starts a process whose memory the kernel
limits (RLIMIT_DATA). That process opens a store of as many rows as fill the size asked for, each
decoded, resized and written anew, and reads it: once from the disk from end to end, then in random
batches as training does, from the disk and from the page cache.

What counts as memory is what a process cannot give back: its own data, which the limit bounds and
of which `RssAnon` in /proc/self/status is the part in use. The mapped pages of the store
(`RssFile`, the page cache) do not count: the kernel drops them whenever anyone needs the room, so
they slow nothing but the next reading of the same rows. That the limit bites is shown by asking
for an array of the store's size, which is refused. Linux only. Nothing is left behind.
"""

import argparse
import math
import mmap
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from medclf.core.record import Record, Source
from medclf.prepare.exam import Prepare
from medclf.prepare.store import Store, open_store

FILES, FILE_EDGE = 256, 256
BATCH = 64
MB = 10**6


def main() -> None:
    """Read the options, write the pictures, and run the limited process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gb", type=float, default=4, help="size of the store")
    parser.add_argument("--limit-mb", type=int, default=1024, help="memory of the process, MiB")
    parser.add_argument("--edge", type=int, default=224, help="rows and columns of an image")
    parser.add_argument("--seconds", type=float, default=5, help="length of each reading")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        _measure(options.inside, options.gb, options.edge, options.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        _write_pictures(Path(folder))
        sys.exit(_run_limited(folder, options.limit_mb))


def _run_limited(folder: str, limit_mb: int) -> int:
    limit = limit_mb * 2**20
    # BLAS, which a store has no use for, would set 32 MB aside for each processor core.
    return subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--inside", folder],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
        check=False,
    ).returncode


def _write_pictures(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(FILES):
        coarse = rng.integers(0, 256, (FILE_EDGE // 8, FILE_EDGE // 8), dtype=np.uint8)
        picture = Pillow.fromarray(coarse).resize((FILE_EDGE, FILE_EDGE), Pillow.Resampling.BICUBIC)
        picture.save(folder / f"{number:03d}.jpg", quality=90)


def _measure(folder: Path, gb: float, edge: int, seconds: float) -> None:
    peak = Peak()
    size = gb * 1000 * MB
    sources = [Source(path) for path in sorted(folder.glob("*.jpg"))]
    count = math.ceil(size / edge**2)
    records = [
        Record(f"{number}", {"image": sources[number % FILES]}, f"{number}")
        for number in range(count)
    ]
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    print(f"limit of memory           {limit / MB:9.0f} MB")
    start = time.perf_counter()
    store = open_store(records, Prepare((edge, edge), 1), folder / "cache")
    took = time.perf_counter() - start
    size = store.values.nbytes
    print(f"store                     {size / MB:9.0f} MB, {count:,} images of {edge} x {edge}")
    print(f"made in                   {took:9.1f} s, {count / took:,.0f} images/s")
    _print_refusal(size)
    _drop_pages(store)
    _print_sequential(store)
    _drop_pages(store)
    _print_random(store, seconds, "random batches, disk")
    _read_all(store)
    _print_random(store, seconds, "random batches, cached")
    print(f"peak of own memory        {peak.stop() / MB:9.0f} MB (RssAnon)")
    print(f"mapped pages at the end   {_status('RssFile') / MB:9.0f} MB (RssFile, not counted)")


def _print_refusal(size: int) -> None:
    try:
        np.empty(size, np.uint8)
        print("an array of this size                 is possible: the limit does not bite")
    except MemoryError:
        print("an array of this size       refused by the limit")


def _print_sequential(store: Store) -> None:
    start = time.perf_counter()
    _read_all(store)
    speed = store.values.nbytes / (time.perf_counter() - start)
    print(f"end to end, disk          {speed / 1e9:9.2f} GB/s")


def _read_all(store: Store) -> None:
    count = len(store.values)
    for first in range(0, count, BATCH):
        store.batch(np.arange(first, min(first + BATCH, count)))


def _print_random(store: Store, seconds: float, title: str) -> None:
    rng = np.random.default_rng(0)
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        done += len(store.batch(rng.integers(0, len(store.values), BATCH)))
    rate = done / (time.perf_counter() - start)
    print(f"{title:25} {rate:9,.0f} images/s, {rate * store.values[0].nbytes / 1e9:.2f} GB/s")


def _drop_pages(store: Store) -> None:
    """Let the kernel forget the file, as if it had been made long ago."""
    pages = store.values.base
    pages.madvise(mmap.MADV_DONTNEED)  # Unmapped first, since mapped pages are kept.
    descriptor = os.open(str(store.values.filename), os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


class Peak:
    """Watches how much memory of its own the process uses."""

    def __init__(self) -> None:
        self.highest = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def stop(self) -> int:
        """End watching, and tell the most bytes that were in use."""
        self.ended.set()
        self.thread.join()
        return self.highest

    def _watch(self) -> None:
        while not self.ended.wait(0.01):
            self.highest = max(self.highest, _status("RssAnon"))


def _status(key: str) -> int:
    """Read a figure of this process, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


if __name__ == "__main__":
    main()
