"""Kill training at random moments: it resumes every time, and ends as if nothing had happened.

    python bench/kill.py --kills 20

First one training goes through undisturbed. Then trainings of the same data and recipe are killed
(SIGKILL, which no program can catch): at random moments from their start to their end, and at
aimed ones: while prepared images are written, while an epoch is saved, between weights and scores,
while the report is written. After every kill the run folder is opened and each of its files read;
then the training is resumed, or begun anew where there is no run yet. A run that comes to its end
must have the very bytes of the undisturbed one in weights, predictions and scores, and no file
that was left unfinished. Prints a table, a line per kill; exits with 1 if anything was not so.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from medclf.errors import MedclfError
from medclf.evaluate.table import read_predictions
from medclf.learn.member import load_tensors
from medclf.learn.run import Run, open_run

PROGRAM = [sys.executable, "-c", "from medclf.cli.main import main; main()"]
SAME = ("weights.safetensors", "predictions.csv", "scores.json", "exams.csv", "recipe.toml")
RECIPE = """\
[prepare]
size = [32, 32]
channels = 1

[net]
name = "sprint"
options = {{ width = 16 }}

[fit]
members = 2
epochs = {epochs}
batch = 16

[decide]
resamples = 500
"""


@dataclass
class Place:
    """Where everything of the bench lies.

    Args:
        home: A temporary folder.
        epochs: Of each of the two members.
        number: Of the run that is being killed; 0 is the undisturbed one.
    """

    home: Path
    epochs: int
    number: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def run(self) -> Path:
        return self.home / f"run-{self.number}"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    def command(self) -> list[str]:
        """Resume the run where there is one, else begin it."""
        if (self.run / "run.json").exists():
            return ["train", "--json", "--resume", str(self.run)]
        recipe = str(self.home / "recipe.toml")
        return [
            *("train", str(self.home / "data"), "--json"),
            *("--recipe", recipe, "--out", str(self.run)),
        ]

    def start(self) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, "MEDCLF_CACHE": str(self.cache)}
        return subprocess.Popen(
            [*PROGRAM, *self.command()],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    @property
    def ended(self) -> bool:
        """Whether the run has come to its end; its process may still have been alive."""
        return self.facts().get("state") == "done" and (self.run / "report.html").exists()

    def facts(self) -> dict[str, object]:
        """Read `run.json`, which may be replaced at any moment; empty where there is none."""
        try:
            return dict(json.loads((self.run / "run.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20, help="at random moments")
    parser.add_argument("--aimed", type=int, default=2, help="at each of the aimed moments")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--exams", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as home:
        place = Place(Path(home), options.epochs)
        write_pictures(place.home / "data", options.exams, rng)
        (place.home / "recipe.toml").write_text(RECIPE.format(epochs=options.epochs))
        span = run_undisturbed(place)
        place.number = 1
        moments = ["random"] * options.kills + [*AIMED][1:] * options.aimed
        rng.shuffle(moments)
        print("| kill | moment | after | doing | run | epochs | left behind |")
        print("|---:|---|---:|---|---|---:|---|")
        for number, moment in enumerate(moments, 1):
            kill(place, number, moment, span, rng)
        finish(place)
        same = place.number - len(place.faults)
        told = f"{len(moments)} kills, {place.number} runs, {same} as the undisturbed one"
        print("\n".join([told, *place.faults]))
        sys.exit(bool(place.faults))


def write_pictures(folder: Path, count: int, rng: np.random.Generator) -> None:
    """Write pictures that are slightly brighter above or below, large enough to take a while."""
    for number in range(count):
        values = rng.integers(0, 200, (256, 256)).astype(np.uint8)
        values[slice(0, 128) if number % 2 else slice(128, 256)] += 20
        part = ("train", "train", "val", "test")[number * 4 // count]
        place = folder / part / ("above" if number % 2 else "below")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(place / f"{number:04d}.png")


def run_undisturbed(place: Place) -> tuple[float, float]:
    """Train once in peace. Return when it begins to prepare images and when it ends, in seconds."""
    start, process = time.perf_counter(), place.start()
    begun = 0.0
    while process.poll() is None:
        if not begun and (place.cache / "stores").exists():
            begun = time.perf_counter() - start
        time.sleep(0.005)
    end = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"the undisturbed run failed: {process.stderr.read().decode()}")
    print(f"undisturbed: images from {begun:.1f} s on, all done after {end:.1f} s\n")
    return begun, end


def kill(
    place: Place, number: int, moment: str, span: tuple[float, float], rng: np.random.Generator
) -> None:
    """Start or resume, kill at the moment, and look at what is left; begin anew if it was done."""
    while True:
        if moment == "store":
            shutil.rmtree(place.cache, ignore_errors=True)
        doing = "resume" if "--resume" in place.command() else "train"
        wait = rng.uniform(0.9 * span[0], span[1] if moment == "random" else 1.2 * span[0])
        start, process = time.perf_counter(), place.start()
        while process.poll() is None:
            late = time.perf_counter() - start > wait
            if AIMED[moment](place) and (late or moment == "store"):
                break
            time.sleep(0.0005)
        after = time.perf_counter() - start
        process.kill()
        process.wait()
        killed, row = process.returncode < 0, look(place, number)
        if process.returncode > 0:
            place.faults.append(f"kill {number}: {process.stderr.read().decode().strip()}")
        if place.ended:
            check_end(place)
        if place.ended or process.returncode > 0:
            place.number += 1
        if killed:
            print(f"| {number} | {moment} | {after:.2f} s | {doing} | {' | '.join(row)} |")
            sys.stdout.flush()
            return


def _always(place: Place) -> bool:
    return True


def _being_stored(place: Place) -> bool:
    return any(place.cache.glob("stores/*.making/values.bin"))


def _being_saved(place: Place) -> bool:
    return any(place.run.glob("checkpoint/.*"))


def _being_scored(place: Place) -> bool:
    return (place.run / "weights.safetensors").exists() and not _being_told(place)


def _being_told(place: Place) -> bool:
    return place.facts().get("state") == "done"


AIMED: dict[str, Callable[[Place], bool]] = {
    "random": _always,
    "store": _being_stored,
    "epoch": _being_saved,
    "scores": _being_scored,
    "report": _being_told,
}
"""The moments, and how they are known from outside."""


def look(place: Place, number: int) -> tuple[str, str, str]:
    """Read everything in the run folder. Return its state, its epochs, and unfinished files."""
    left = [path.name for path in place.run.rglob(".*") if path.name != ".lock"]
    told = ", ".join(sorted(left)) or "nothing"
    if not (place.run / "run.json").exists():
        names = sorted(p.name for p in place.run.glob("[!.]*"))
        return f"not begun {' '.join(names)}", "0", told
    try:
        run = open_run(place.run)
        for _ in _read(run):
            pass
    except (MedclfError, ValueError, KeyError) as problem:
        place.faults.append(f"kill {number}: {problem}")
        return "UNREADABLE", "", told
    state = "done, no report" if run.done and not place.ended else str(run.facts["state"])
    return state, str(len(run.log())), told


def _read(run: Run) -> Iterator[object]:
    """Read each file of a run that is there."""
    for path in (run.weights, *run.folder.glob("checkpoint/*.safetensors")):
        if path.exists():
            yield load_tensors(path)
    if (run.folder / "predictions.csv").exists():
        yield read_predictions(run.folder / "predictions.csv", run.task)
    if (run.folder / "scores.json").exists():
        yield json.loads((run.folder / "scores.json").read_text(encoding="utf-8"))


def finish(place: Place) -> None:
    """Let the last run come to its end."""
    process = place.start()
    _, told = process.communicate()
    if process.returncode:
        place.faults.append(f"run {place.number} does not end: {told.decode().strip()}")
    else:
        check_end(place)


def check_end(place: Place) -> None:
    """Compare a run that has ended with the undisturbed one, byte by byte."""
    truth = place.home / "run-0"
    for name in SAME:
        if (place.run / name).read_bytes() != (truth / name).read_bytes():
            place.faults.append(f"run {place.number}: {name} differs from the undisturbed run's")
            return
    files = [{path.name for path in folder.iterdir()} for folder in (truth, place.run)]
    if files[0] != files[1]:
        place.faults.append(f"run {place.number}: left behind {sorted(files[0] ^ files[1])}")


if __name__ == "__main__":
    main()
