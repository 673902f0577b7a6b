"""What the tests of the commands share: the program itself, small pictures, and a quick recipe."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medclf.cli.main import main

RECIPE = """\
[prepare]
size = [16, 16]
channels = 1

[net]
name = "sprint"
options = { width = 16 }

[fit]
members = 2
epochs = 2
batch = 8

[decide]
resamples = 200
"""


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it said where."""

    code: int
    out: str
    err: str


Command = Callable[..., Told]
Refuse = Callable[..., str]


@pytest.fixture
def medclf(monkeypatch, capfd) -> Command:
    """Run the program as a person would, but in this process: torch is imported only once."""

    def run(*words: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["medclf", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        told = capfd.readouterr()
        return Told(int(end.value.code or 0), told.out, told.err)

    return run


def draw(number: int, size: tuple[int, int] = (16, 16)) -> np.ndarray:
    """Draw a picture that is brighter above if its number is odd, and brighter below if even."""
    values = np.random.default_rng(number).integers(0, 100, size).astype(np.uint8)
    half = size[0] // 2
    values[slice(0, half) if number % 2 else slice(half, None)] += 120
    return values


def write_pictures(folder: Path, count: int = 40, split: bool = True) -> Path:
    """Write pictures of two classes, in a folder per class, below a folder per split."""
    for number in range(count):
        part = ("train", "train", "val", "test")[number * 4 // count] if split else ""
        place = folder / part / ("above" if number % 2 else "below")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw(number)).save(place / f"{number:03d}.png")
    return folder


@pytest.fixture
def pictures(tmp_path) -> Path:
    """40 pictures in the folders of three splits and two classes."""
    return write_pictures(tmp_path / "pictures")


@pytest.fixture
def recipe(tmp_path) -> Path:
    """A recipe that trains within a second."""
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A run that has come to its end, to read from only."""
    from medclf import verbs
    from medclf.learn.recipe import read_recipe

    home = tmp_path_factory.mktemp("trained")
    (home / "recipe.toml").write_text(RECIPE)
    data = write_pictures(home / "pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCLF_CACHE", str(home / "cache"))
        verbs.train(data, home / "run", recipe=read_recipe(home / "recipe.toml"))
    return home / "run"


@pytest.fixture
def refuse(medclf, tmp_path, monkeypatch) -> Refuse:
    """Run a command that must fail in one line that names all `words`, and leave no file behind."""
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "cache"))

    def listing() -> set[Path]:
        """All files but the cache, which may keep what is whole."""
        return {
            path for path in tmp_path.rglob("*") if tmp_path / "cache" not in (path, *path.parents)
        }

    def check(*command: object, words: tuple[object, ...]) -> str:
        before = listing()
        told = medclf(*command)
        assert (told.code, told.out) == (1, ""), told
        assert told.err.startswith("error: ")
        assert told.err.endswith("\n")
        assert told.err.count("\n") == 1
        assert [str(word) for word in words if str(word) not in told.err] == [], told.err
        assert listing() == before
        unfinished = ("making", "lock", "part")
        kept = (tmp_path / "cache").rglob("*")
        assert [path for path in kept if path.name.endswith(unfinished)] == []
        return told.err

    return check


@pytest.fixture
def train(refuse, recipe, tmp_path) -> Refuse:
    """Train with the quick recipe, which must be refused."""

    def check(data: Path, *more: object, words: tuple[object, ...]) -> str:
        command = ("train", data, "--recipe", recipe, "--out", tmp_path / "runs" / "new", *more)
        return refuse(*command, words=words)

    return check
