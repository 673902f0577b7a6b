"""Every DICOM file of pydicom's package, and damaged ones, with identities planted: is any left?

    python bench/deidentify_files.py --mutants 600 --seed 1

Identities in a dozen character sets are written all over each file (`identities.py`), the file is
de-identified under three sets of options, and everything that comes out is searched for them: the
bytes, what is packed in them, the new name, the remarks and the reason of a refusal. Then planted
files are damaged by a seed, as `bench/fuzz.py` does it, and treated alike. Prints a table.
"""

import argparse
import logging
import re
import tempfile
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import dcmread

from dicom_files import list_files
from fuzz_mutate import mutate
from fuzz_seeds import Seed, same
from identities import NAMES, Person, find_left, plant
from medclf.core.record import Source
from medclf.curate.deidentify.job import do_job, part_path
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options

ALL = frozenset({"uids", "device", "institution", "patient", "private"})
CLEAN = frozenset({"pixels", "descriptors", "structured", "graphics"})
SETS = {
    "as it is": (Options(), frozenset()),
    "dates removed": (Options(dates="remove"), frozenset()),
    "all kept and cleaned": (Options(ALL, CLEAN), ALL),
}
"""Options, and what of the identity they let stay."""

KEY = Key(b"a key for the bench".ljust(32, b"."))
LARGEST = 60_000
"""Bytes of the files that are damaged: larger ones would take the most time for the least."""

DEFLATED = "1.2.840.10008.1.2.1.99"
HEADS = ("input", "options", "files", "written", "refused", "with an identity left", "slowest, s")


@dataclass
class Tally:
    """What became of files under one set of options."""

    written: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    left: list[str] = field(default_factory=list)
    slowest: float = 0.0


def main() -> None:
    """Print the table, the reasons of refusals, and whatever was left."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--options", choices=SETS, action="append", help="all, if not given")
    given = parser.parse_args()
    sets = given.options or list(SETS)
    planted, bare = plant_all()
    undated, _ = plant_all(dated=False)
    print(f"{len(planted)} files planted, {len(bare)} that pydicom cannot write.\n")
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    tallies = [measure("planted", name, planted) for name in sets]
    tallies.append(measure("not planted", "as it is", bare))
    for name in sets:
        damaged = list(damage(undated, given.mutants // len(sets), given.seed))
        tallies.append(measure("planted, then damaged", name, damaged))
    print("\nRefused, in all rows together:\n")
    for reason, count in sum((tally.refused for tally in tallies), Counter()).most_common():
        print(f"- {count:,}: {reason}")
    for line in (line for tally in tallies for line in tally.left):
        print(f"LEFT in {line}")


Planted = tuple[str, bytes, Person]


def plant_all(dated: bool = True) -> tuple[list[Planted], list[Planted]]:
    """Plant a person into every file, each time the next of the character sets."""
    planted, bare = [], []
    for number, path in enumerate(list_files()):
        person = Person(*NAMES[number % len(NAMES)])
        before = path.read_bytes()
        raw = plant(before, person, dated)
        (bare if raw is None else planted).append((path.name, raw or before, person))
    return planted, bare


def damage(planted: list[Planted], number: int, seed: int) -> Iterator[Planted]:
    """Damage planted files, so many in all."""
    small = [(name, raw, person) for name, raw, person in planted if len(raw) <= LARGEST]
    for index in range(number):
        name, raw, person = small[index % len(small)]
        rng = np.random.default_rng([seed, index])
        yield f"{name}, mutant {index}", mutate(Seed(name, "x.dcm", raw, same), rng)[0], person


def measure(what: str, options: str, files: list[Planted]) -> Tally:
    """De-identify files and print a row."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for name, raw, person in files:
            judge(name, raw, person, options, Path(folder), tally)
    refused = tally.refused.total()
    told = (what, options, f"{len(files):,}", f"{tally.written:,}", f"{refused:,}",
            f"{len(tally.left):,}", f"{tally.slowest:.1f}")  # fmt: skip
    print(f"| {' | '.join(told)} |", flush=True)
    return tally


def judge(name: str, raw: bytes, person: Person, options: str, folder: Path, tally: Tally) -> None:
    """De-identify one file, whose own name tells who it is, and look for the person."""
    given, (chosen, kept) = folder / f"{person.parts[0]} {name}.dcm", SETS[options]
    given.write_bytes(raw)
    start = time.perf_counter()
    outcome = do_job(1, Source(given), given.name, KEY, chosen, folder)
    tally.slowest = max(tally.slowest, time.perf_counter() - start)
    given.unlink()
    told = repr(outcome).encode()
    if outcome.refused:
        tally.refused[re.sub(r"\d+", "N", outcome.refused)] += 1
        found = find_left(told, told, person, frozenset())
    else:
        tally.written += 1
        part = part_path(folder, 1)
        out, beside = unpacked(part.read_bytes())
        part.unlink()
        found = find_left(out + told, beside + told, person, kept)
    if found:
        tally.left.append(f"{name}, {options}: {', '.join(found)}")


def unpacked(raw: bytes) -> tuple[bytes, bytes]:
    """Inflate a deflated file; give all of it, and all but its pixels."""
    dataset = dcmread(BytesIO(raw))
    pixels = dataset.get("PixelData") or b""
    if str(dataset.file_meta.TransferSyntaxUID) == DEFLATED:
        head = raw.index(DEFLATED.encode())
        for start in range(head, head + 64):
            try:
                raw = raw[:start] + zlib.decompress(raw[start:], -zlib.MAX_WBITS)
                break
            except zlib.error:
                continue
    return raw, raw.replace(pixels, b"", 1) if pixels else raw


if __name__ == "__main__":
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    main()
