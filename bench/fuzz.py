"""Damaged files of every form: each must be read right, or refused with one clear line.

    python bench/fuzz.py --mutants 20000 --seed 0

Each mutant is a function of the seed, the form and its number, so that any of them can be made
again: `--only "PNG" --first 1234 --mutants 1` runs it alone, and `--keep FOLDER` writes those that
went wrong. They are read one after the other in processes that are watched from outside. Counted:

- crash: the process ended
- hang: more than 5 s of processor time, its decoders' included (or 30 s by the clock)
- memory: more than 1 GB in the process or in one of its decoders
- cryptic: an error that is no `MedclfError`, has more than a line or 300 characters, or does not
  name the file; or a warning. Of a series likewise what is said of files that are left out
- misread: other values than the sound file's, though a checksum guards them; or an image of several
  files that is not whole, of which nothing is said
- changed: other values, where no checksum can tell (not an error)

Prints a table in Markdown. Linux only.
"""

import argparse
import json
import resource
import select
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from fuzz_mutate import mutate
from fuzz_seeds import Seed, make_seeds
from fuzz_series import make_series
from medclf.core.record import Source
from medclf.errors import MedclfError
from medclf.read.dicom import decoders
from medclf.read.dicom.find import find_series
from medclf.read.image import read_image

CPU_S, WALL_S, START_S = 5.0, 30.0, 120.0
MEMORY_MB = 1000
LONGEST = 300
BAD = ("crash", "hang", "memory", "cryptic", "misread")
KINDS = ("refused", "same", "changed", *BAD)


def main() -> None:
    """Run all forms, two at a time, and print the table."""
    options = _options()
    if options.work:
        _work(options)
        return
    names = [name for name in _seeds() if options.only in name]
    each = -(-options.mutants // len(names))
    began = time.perf_counter()
    with ThreadPoolExecutor(options.processes) as pool:
        done = list(pool.map(lambda name: _watch(name, each, options), names))
    print("| form | mutants | " + " | ".join(KINDS) + " |\n" + "|---" * (len(KINDS) + 2) + "|")
    total: Counter[str] = Counter()
    for name, found in zip(names, done, strict=True):
        total += found
        print(_row(name, found))
    print(_row("all", total))
    lost = total["decoder lost"]
    print(f"\nDecoders that crashed or hung, each in its own process: {lost}.", file=sys.stderr)
    print(f"Seed {options.seed}, {time.perf_counter() - began:.0f} s.", file=sys.stderr)


def _seeds() -> dict[str, Seed]:
    return make_seeds() | make_series()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutants", type=int, default=20000, help="of all forms together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="forms whose name holds this")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--keep", type=Path, help="folder for mutants that went wrong")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    return parser.parse_args()


def _row(name: str, found: Counter[str]) -> str:
    counts = [sum(found[kind] for kind in KINDS), *(found[kind] for kind in KINDS)]
    return f"| {name} | {' | '.join(f'{count:,}' for count in counts)} |"


def _watch(name: str, count: int, options: argparse.Namespace) -> Counter[str]:
    """Let processes read the mutants of one form, and count how each ended."""
    found: Counter[str] = Counter()
    number, last = options.first, options.first + count
    while number < last:
        number = _watch_one(name, number, last, options, found)
    return found


def _watch_one(
    name: str, first: int, last: int, options: argparse.Namespace, found: Counter[str]
) -> int:
    """Watch one process until it ends, is ended, or is done; return the next mutant's number."""
    line = [sys.executable, __file__, "--work", name, "--first", str(first)]
    line += ["--mutants", str(last - first), "--seed", str(options.seed)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, bufsize=0) as process:
        number, buffer = first, b""
        while True:
            patience_s = START_S if number == first else WALL_S
            ready, _, _ = select.select([process.stdout], [], [], patience_s)
            piece = process.stdout.read(65536) if ready else b""
            if not piece:
                break
            *lines, buffer = (buffer + piece).split(b"\n")
            for told in lines:
                _count(name, json.loads(told), options, found)
                number += 1
        process.kill()
    if number < last:
        told = {"kind": "crash" if ready else "hang", "number": number, "told": ""}
        told["told"] = f"exit code {process.wait()}"
        _count(name, told, options, found)
        number += 1
    return number


def _count(
    name: str, told: dict[str, Any], options: argparse.Namespace, found: Counter[str]
) -> None:
    found[told["kind"]] += 1
    found["decoder lost"] += "the decoder crash" in told["told"] or "no end after" in told["told"]
    if told["kind"] not in BAD:
        return
    print(f"{told['kind']}: {name} {told['number']}: {told['told']}", file=sys.stderr)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        seed = _seeds()[name]
        raw, _ = mutate(seed, _chance(options.seed, name, told["number"]))
        (options.keep / f"{told['number']}-{seed.file}").write_bytes(raw)


def _chance(seed: int, name: str, number: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode()), number])


def _work(options: argparse.Namespace) -> None:
    """Read mutants one after the other, and tell of each in a line of JSON."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seed = _seeds()[options.work]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for beside, raw in seed.beside.items():
            (folder / beside).parent.mkdir(exist_ok=True)
            (folder / beside).write_bytes(raw)
        path = folder / seed.file
        path.write_bytes(seed.pack(seed.inner))
        sound = _read_all(seed, folder)[0]
        for number in range(options.first, options.first + options.mutants):
            raw, sealed = mutate(seed, _chance(options.seed, options.work, number))
            path.write_bytes(raw)
            kind, told = _judge(seed, folder, sound)
            if kind == "changed" and seed.summed and not sealed:
                kind = "misread"
            line = {"kind": kind, "number": number, "told": told}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def _judge(seed: Seed, folder: Path, sound: list[np.ndarray]) -> tuple[str, str]:
    Path("/proc/self/clear_refs").write_text("5")
    began = _cpu_s()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        kind, told = _read(seed, folder, sound)
    if warned:
        return "cryptic", f"warns of {warned[0].message}"
    spent, peak = _cpu_s() - began, max(_peak_mb(pid) for pid in ("self", *_decoders()))
    if spent > CPU_S:
        return "hang", f"{spent:.1f} s of processor time, {kind}: {told}"
    if peak > MEMORY_MB:
        return "memory", f"{peak:.0f} MB, {kind}: {told}"
    return kind, told


def _read(seed: Seed, folder: Path, sound: list[np.ndarray]) -> tuple[str, str]:
    where = str(folder if seed.several else folder / seed.file)
    try:
        values, left_out, remarks = _read_all(seed, folder)
    except MedclfError as problem:
        told = str(problem)
        clear = told.startswith(where) and _is_clear(told)
        return ("refused" if clear else "cryptic"), told
    except BaseException as problem:
        return "cryptic", f"{type(problem).__name__}: {problem}"
    unclear = next((told for told in (*left_out, *remarks) if not _is_clear(told)), None)
    if unclear is not None:
        return "cryptic", unclear
    alike = len(values) == len(sound)
    if alike and all(map(_are_same, values, sound)):
        return "same", ""
    if left_out:
        return "refused", left_out[0]
    lost = sum(one.size for one in values) != sum(one.size for one in sound)
    return ("misread" if seed.several and lost and not remarks else "changed"), ""


def _is_clear(told: str) -> bool:
    return told.isprintable() and len(told) <= LONGEST


def _are_same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and np.array_equal(one, other)


def _read_all(seed: Seed, folder: Path) -> tuple[list[np.ndarray], list[str], list[str]]:
    """Read all images of a seed; collect why files were left out, and what was remarked."""
    if seed.find is None:
        return [read_image(_source(seed, folder)).values], [], []
    found = find_series(folder / seed.find)
    images = [read_image(one.source) for one in found.series]
    remarks = [remark for image in images for remark in image.remarks]
    return (
        [image.values for image in images],
        [file.reason for file in found.left_out],
        [remark.message for remark in remarks],
    )


def _source(seed: Seed, folder: Path) -> Source:
    if not seed.several:
        return Source(folder / seed.file, index=seed.index)
    parts = tuple(Source(folder / name) for name in sorted({seed.file, *seed.beside}))
    return Source(folder, "series", parts=parts)


def _decoders() -> list[str]:
    return [str(worker._process.pid) for worker in decoders._idle]


def _cpu_s() -> float:
    spent = time.process_time()
    for pid in _decoders():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent += (int(fields[11]) + int(fields[12])) / 100
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent + children.ru_utime + children.ru_stime


def _peak_mb(pid: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
