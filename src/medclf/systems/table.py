"""The systems by name: what `medclf train --task locate --method NAME` may ask for.

Each line names the system's file, which has `OPTIONS`, `learn(work)` and
`open_finder(folder, search)`, which loads what searches scans; it may have `CHOICES` and
`expect_options(options)`. To add a system, write its file, its page and its line here.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medclf.errors import CohortError, SettingError

if TYPE_CHECKING:
    from medclf.locate.scans import Scan
    from medclf.systems.candidates import Find
    from medclf.systems.search import Search
    from medclf.systems.work import Work


@dataclass(frozen=True)
class System:
    """A system that finds.

    Args:
        idea: In a few words.
        source: Its paper.
        landmarks: Whether each kind is in a scan at most once.
        one_size: Whether scans get one size.
        finest_mm: Samples are not finer.
        fewest: Kinds that it needs.
    """

    idea: str
    source: str
    landmarks: bool = False
    one_size: bool = False
    finest_mm: float = 1.0
    fewest: int = 1


SYSTEMS = {
    "screen_then_judge": System(
        "a small network screens the volume, a second judges what it found", "Dou et al. 2016"
    ),
    "landmark_slices": System(
        "which slices of each axis show a landmark; three profiles cross",
        "Yang et al. 2015",
        True,
        True,
    ),
    "heat_map": System(
        "a map of chances for each landmark over the whole scan", "Payer et al. 2016", True, True
    ),
    "vertebra_votes": System(
        "every place votes where the landmarks are", "Suzani et al. 2015", True, True, 12.0
    ),
    "vertebra_chain": System(
        "candidates in a row are named together, by their looks and their neighbours",
        "Chen et al. 2015",
        landmarks=True,
        finest_mm=3.0,
        fewest=2,
    ),
}


COMMON = {"epochs": 0}
"""What every system lets be chosen: passes of each training; 0 for what the budget allows."""


@dataclass(frozen=True)
class Loaded:
    """What a system's file has.

    Args:
        options: That may be chosen, with what they are if not.
        choices: What some of them may be, where not everything of their type will do.
        learn: Trains it.
        open_finder: Loads what it learnt, from its folder.
        expect: Checks all options together, before anything is read.
    """

    options: Mapping[str, Any]
    choices: Mapping[str, tuple[Any, ...]]
    learn: "Callable[[Work], None]"
    open_finder: "Callable[[Path, Search], Find]"
    expect: Callable[[Mapping[str, Any]], None]


def load_system(name: str) -> Loaded:
    """Import a system.

    Raises:
        SettingError: there is none of that name; the nearest is told.
    """
    if name not in SYSTEMS:
        near = get_close_matches(name, SYSTEMS, n=1, cutoff=0.0)[0]
        raise SettingError(f"no system is called {name!r}; did you mean {near!r}?")
    file = importlib.import_module(f"medclf.systems.{name}")
    choices = getattr(file, "CHOICES", {})
    expect = getattr(file, "expect_options", lambda options: None)
    return Loaded({**file.OPTIONS, **COMMON}, choices, file.learn, file.open_finder, expect)


def choose_system(scans: "Sequence[Scan]") -> str:
    """Choose heat maps where several kinds are marked, each at most once in a scan."""
    kinds = {target.kind for scan in scans for target in scan.targets}
    return "heat_map" if len(kinds) > 1 and not _doubled(scans) else "screen_then_judge"


def expect_landmarks(scans: "Sequence[Scan]") -> None:
    """Check that no kind is marked twice in a scan.

    Raises:
        CohortError: one is.
    """
    for name, kind in _doubled(scans)[:1]:
        raise CohortError(
            f"{name}: each landmark once in a scan wanted, found {kind} more than once; "
            "screen_then_judge finds any number"
        )


def expect_kinds(name: str, kinds: Sequence[str]) -> None:
    """Check that a system is asked for as many kinds as it needs.

    Raises:
        CohortError: they are fewer.
    """
    if len(kinds) < SYSTEMS[name].fewest:
        raise CohortError(
            f"{name}: {SYSTEMS[name].fewest} kinds of landmarks or more wanted, found "
            f"{', '.join(kinds)}; heat_map finds a single one"
        )


def _doubled(scans: "Sequence[Scan]") -> list[tuple[str, str]]:
    counted = Counter((scan.name, target.kind) for scan in scans for target in scan.targets)
    return [pair for pair, count in counted.items() if count > 1]


def choose_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Check the options of a system, and fill in those that were not said.

    Raises:
        SettingError: the system has no such option, or it may not be this.
    """
    loaded = load_system(name)
    known = loaded.options
    for key, value in options.items():
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise SettingError(f"{name} has no option {key!r}; the nearest is {near}")
        if not isinstance(value, type(known[key])):
            wanted = type(known[key]).__name__
            raise SettingError(f"{name}: {key} is of the type {wanted}, not {value!r}")
        if value not in loaded.choices.get(key, (value,)):
            do = ", ".join(map(str, loaded.choices[key]))
            raise SettingError(f"{name}: {key} is one of {do}, not {value!r}")
    chosen = {**known, **options}
    loaded.expect(chosen)
    return chosen
