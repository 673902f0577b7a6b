"""Hard DICOM cases: what medclf makes of them, and what other readers do.

    python bench/hard_cases.py [--peers] [--out docs/dicom-cases.md] [--seed 0]

Writes each case to a temporary folder, reads it, and holds the result against the truth. With
`--peers` the readers of `bench/peers.py` that can be imported are asked too, each in a process of
its own, since some crash. A case whose input is a zip or a DICOMDIR is put to medclf alone. The
table goes to a page of Markdown.

How a result counts:

- right: every image came out, each voxel at its place with its value, and what was lost or left
  out was said; or nothing came out of a case that must be refused;
- refused: an error where the case can be read;
- told: wrong or incomplete, but with a warning;
- wrong: silently wrong or incomplete;
- crash: the process died, or was not done after a minute.
"""

import argparse
import importlib
import importlib.util
import io
import logging
import multiprocessing
import os
import re
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np

from medclf.curate.phantom.hard.case import Case, Picture, Truth
from medclf.curate.phantom.hard.judge import REFUSED, RIGHT, TOLD, WRONG, Output, judge
from medclf.curate.phantom.hard.table import CASES
from medclf.curate.phantom.hard.trial import try_medclf
from peers import PEERS

CRASH, NOT_ASKED = "crash", "–"
SECONDS = 60
OURS = "medclf"
MUST_TELL = ("duplicate", "cut", "apart", "damaged", "uneven", "pictures")
"""Of what is lost or changed a peer must say so too; how it names images is its own affair."""

ALARM = re.compile(r"warn|error|missing|inconsistent|not supported|unable|fail", re.IGNORECASE)
SHOWN = {RIGHT: "right", REFUSED: "refused", TOLD: "told", WRONG: "**wrong**", CRASH: "**crash**"}
FLIPS = ((), (-1,), (-2,), (-1, -2))


def main() -> None:
    """Read the options, ask everyone, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", action="store_true", help="ask the other readers too")
    parser.add_argument("--out", type=Path, default=Path("docs/dicom-cases.md"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = {OURS: [_ask_medclf(case, options.seed) for case in CASES]}
    if options.peers:
        for name, (package, _) in PEERS.items():
            if importlib.util.find_spec(package) is None:
                print(f"{name}: not installed")
                continue
            importlib.import_module(package)  # Once, here, and not in every process of a case.
            usual = _usual(name, options.seed)
            found[name] = [_ask_apart(name, case, options.seed, usual) for case in CASES]
            print(f"{name}: {dict(Counter(found[name]))}", file=sys.stderr)
    options.out.write_text(_page(found, options.seed), encoding="utf-8")
    print(f"{OURS}: {dict(Counter(found[OURS]))}; {options.out} written")


def _verdict(truth: Truth, found: str) -> str:
    """A refusal of what must be refused is right."""
    return RIGHT if found == REFUSED and not truth.images else found


def _ask_medclf(case: Case, seed: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        truth = case.write(Path(folder), np.random.default_rng(seed))
        attempt = try_medclf(Path(folder) / truth.root)
        return _verdict(truth, judge(truth, attempt.outputs, attempt.remarks, attempt.loud))


def _usual(name: str, seed: int) -> frozenset[str]:
    """Collect what a peer says of a plain series: it warns of nothing."""
    with tempfile.TemporaryDirectory() as folder:
        CASES[0].write(Path(folder), np.random.default_rng(seed))
        with _heard() as said, suppress(Exception):
            PEERS[name][1](Path(folder))
    return _lines(said.getvalue())


def _lines(text: str) -> frozenset[str]:
    """Part what was said into lines, without names of files and numbers."""
    return frozenset(re.sub(r"/\S+|\d+", "", line).strip() for line in text.splitlines())


def _ask_apart(name: str, case: Case, seed: int, usual: frozenset[str]) -> str:
    """Ask a peer in a process of its own."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_ask_peer, args=(name, case, seed, usual, theirs))
    process.start()
    theirs.close()
    try:
        verdict = ours.recv() if ours.poll(SECONDS) else CRASH
    except EOFError:
        verdict = CRASH
    process.kill()
    process.join()
    return verdict


def _ask_peer(
    name: str,
    case: Case,
    seed: int,
    usual: frozenset[str],
    pipe: "multiprocessing.connection.Connection",
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with _hushed():
            truth = case.write(Path(folder), np.random.default_rng(seed))
        root = Path(folder) / truth.root
        if root.is_file():
            pipe.send(NOT_ASKED)
            return
        outputs: Sequence[Output] = []
        with _heard() as said:
            try:
                outputs = PEERS[name][1](root)
            except Exception as problem:
                print(f"Error: {problem}")
        loud = any(ALARM.search(line) for line in _lines(said.getvalue()) - usual)
        needs = truth.told in MUST_TELL
        remarks = [] if needs or not truth.told else [truth.told]
        pipe.send(_best(truth, outputs, remarks, loud))


def _best(truth: Truth, outputs: Sequence[Output], remarks: Sequence[str], loud: bool) -> str:
    """Judge, and let pictures without a place be turned over, as NIfTI has it."""
    flips = FLIPS if any(isinstance(image, Picture) for image in truth.images) else ((),)
    verdicts = []
    for flip in flips:
        turned = [_turned(one, flip) for one in outputs]
        told = judge(truth, turned, remarks, loud or bool(remarks and not truth.images))
        verdicts.append(told)
    best = RIGHT if RIGHT in verdicts else verdicts[0]
    if best == TOLD and not loud:
        best = WRONG
    return _verdict(truth, best)


def _turned(output: Output, axes: tuple[int, ...]) -> Output:
    if not axes:
        return output
    places = output.places_mm
    turned = None if places is None else np.flip(places, [axis - 1 for axis in axes])
    return Output(np.flip(output.values, axes), turned)


@contextmanager
def _hushed() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _heard() -> Iterator[io.StringIO]:
    """Collect all that is said, by Python or by C."""
    said = io.StringIO()
    logging.basicConfig(stream=said, level=logging.WARNING, force=True)
    keep = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as file, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sys.stdout.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, kept in zip((1, 2), keep, strict=True):
                os.dup2(kept, number)
                os.close(kept)
            file.seek(0)
            said.write(file.read().decode(errors="replace"))
            for one in caught:
                if not issubclass(one.category, (DeprecationWarning, FutureWarning)):
                    said.write(f"warning: {one.message}\n")


def _page(found: dict[str, list[str]], seed: int) -> str:
    """Lay out the tables."""
    names = list(found)
    lines = [
        "# Hard DICOM cases",
        "",
        f"{len(CASES)} cases of known truth, written and read by",
        f"`python bench/hard_cases.py --peers --seed {seed}`. A case is *right* where every image",
        "comes out with each voxel at its place and what was lost is said, or where nothing comes",
        "out of what must be refused; *refused* where an error stands instead of an image that can",
        "be read; *told* where the result is wrong or incomplete, but with a warning; **wrong**",
        "where it is silently so; **crash** where the process died. – means not asked: the input",
        "is a zip or a DICOMDIR.",
        "",
        "| | " + " | ".join(_titles(names)) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for verdict in (RIGHT, REFUSED, TOLD, WRONG, CRASH, NOT_ASKED):
        counts = [Counter(found[name])[verdict] for name in names]
        lines.append(f"| {SHOWN.get(verdict, 'not asked')} | {' | '.join(map(str, counts))} |")
    for group in dict.fromkeys(case.group for case in CASES):
        lines += ["", f"## {group.capitalize()}", "", "| case | " + " | ".join(names) + " |"]
        lines.append("|---" * (len(names) + 1) + "|")
        for number, case in enumerate(CASES):
            if case.group == group:
                verdicts = [SHOWN.get(found[n][number], NOT_ASKED) for n in names]
                lines.append(f"| {case.name}: {case.about} | {' | '.join(verdicts)} |")
    return "\n".join(lines) + "\n"


def _titles(names: Sequence[str]) -> list[str]:
    return [n if n == OURS else f"{n} {version(PEERS[n][0])}" for n in names]


if __name__ == "__main__":
    main()
