"""The folder of a contest: what it was begun with, how each entry ended, and their own folders.

`contest.json` says on what data and terms, `recipe.toml` what is common to all, `exams.csv` who
stands in which split, `outcomes.json` how entries ended. Whatever is there is whole, so a contest
that was cut short goes on.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from medclf import __version__
from medclf.contest.outcome import Outcome
from medclf.core.task import Task
from medclf.core.whole import write_whole
from medclf.errors import RunError
from medclf.learn.ready import Ready
from medclf.learn.recipe import Recipe, format_recipe, read_recipe
from medclf.learn.run import LOCK, write_exams

FORMAT = 2
TERMS = ("minutes", "folds", "seed", "pretrained")
STARTED = re.compile(r"exams\.csv|recipe\.toml|\..*\.part")
"""What a start may leave that is killed before `contest.json` is there."""


@dataclass(frozen=True)
class Contest:
    """A contest that has been begun.

    Args:
        folder: Where it is.
        recipe: Common to all entries.
        facts: What `contest.json` holds.
    """

    folder: Path
    recipe: Recipe
    facts: Mapping[str, Any]

    @property
    def task(self) -> Task:
        return Task.from_plain(self.facts["task"])

    @property
    def networks(self) -> tuple[str, ...]:
        """Those that take part, by name."""
        return tuple(self.facts["networks"])

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that take part, by name."""
        return tuple(self.facts.get("methods", ()))

    @property
    def given(self) -> str:
        """Digest of the recipe that it was begun with; "" where the plan made its own."""
        return str(self.facts.get("recipe", ""))

    @property
    def unserved(self) -> dict[str, str]:
        """Methods that were asked for and that the exams cannot serve: what each needs."""
        return dict(self.facts.get("unserved", {}))

    def place(self, entry: str) -> Path:
        """Name the folder of an entry."""
        return self.folder / entry.replace(":", "-").replace("/", "-")

    def outcomes(self) -> dict[str, Outcome]:
        """Read how entries have ended so far.

        Raises:
            RunError: the file is damaged.
        """
        path = self.folder / "outcomes.json"
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return {name: Outcome.from_json(plain) for name, plain in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise RunError(f"{path}: cannot read it: {problem}") from problem

    def keep(self, entry: str, outcome: Outcome) -> None:
        """Write down how an entry ended."""
        found = {name: kept.to_json() for name, kept in self.outcomes().items()}
        found[entry] = outcome.to_json()
        write_whole(self.folder / "outcomes.json", json.dumps(found, indent=1))

    def update(self, **facts: Any) -> "Contest":
        """Write new facts, and return the contest that has them."""
        new = Contest(self.folder, self.recipe, {**self.facts, **facts})
        write_whole(self.folder / "contest.json", json.dumps(new.facts, indent=1))
        return new


def expect_folder(folder: Path) -> bool:
    """Tell whether a folder holds a contest; it may also be empty, or not be there yet.

    Raises:
        RunError: it holds something else, or is no folder.
    """
    try:
        held = sorted(path.name for path in folder.iterdir() if path.name != LOCK)
    except FileNotFoundError:
        return False
    except OSError as problem:
        raise RunError(
            f"{folder}: a folder for a comparison wanted, found none: {problem.strerror}"
        ) from problem
    strange = [name for name in held if not STARTED.fullmatch(name)]
    if strange and "contest.json" not in held:
        raise RunError(
            f"{folder}: a comparison wants an empty folder or its own, found {strange[0]}; "
            "name another with --out"
        )
    return "contest.json" in held


def create_contest(folder: Path, recipe: Recipe, ready: Ready, facts: Mapping[str, Any]) -> Contest:
    """Begin a contest in a folder that `expect_folder` found free.

    Raises:
        RunError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise RunError(f"{folder}: cannot make a folder here: {problem.strerror}") from problem
    write_exams(folder / "exams.csv", ready.cohort.records, ready.known)
    write_whole(folder / "recipe.toml", format_recipe(recipe, facts["reasons"]))
    kept = {"format": FORMAT, "medclf": __version__, "task": asdict(ready.cohort.task)}
    # contest.json comes last: a folder without it was never begun.
    return Contest(folder, recipe, kept | {"data": ready.data}).update(**facts)


def open_contest(folder: Path) -> Contest:
    """Open the folder of a contest.

    Raises:
        RunError: it is damaged, or a newer medclf wrote it.
    """
    path = folder / "contest.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        found = facts["format"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise RunError(f"{path}: cannot read it: {problem}") from problem
    if found != FORMAT:
        raise RunError(f"{folder}: a comparison of format {FORMAT} wanted, found format {found}")
    lacking = [key for key in ("task", "data", "networks", "reasons", *TERMS) if key not in facts]
    if lacking:
        raise RunError(f"{path}: damaged: {', '.join(lacking)} wanted, not found")
    return Contest(folder, read_recipe(folder / "recipe.toml"), facts)


def digest_recipe(recipe: Recipe | None) -> str:
    """Find by what a recipe that a person gives is known again; "" where none is given."""
    return "" if recipe is None else sha256(format_recipe(recipe).encode()).hexdigest()


def expect_recipe(contest: Contest, recipe: Recipe | None) -> None:
    """Check that a recipe is the one that a contest was begun with, or what it made of it.

    Raises:
        RunError: it is another one, or the contest was begun with none.
    """
    if recipe in (None, contest.recipe) or digest_recipe(recipe) == contest.given:
        return
    begun = "another recipe" if contest.given else "a recipe that was planned for it"
    raise RunError(
        f"{contest.folder}: the comparison here was begun with {begun}, not the one that is given; "
        "leave out --recipe to go on, or name another folder with --out"
    )


def expect_terms(contest: Contest, **asked: float | None) -> None:
    """Check that what is asked for is what a contest was begun with.

    Args:
        asked: A value for each of `TERMS`; `None` for what was not said.

    Raises:
        RunError: a term differs.
    """
    for name in TERMS:
        if asked[name] is not None and asked[name] != contest.facts[name]:
            raise RunError(
                f"{contest.folder}: the comparison here was begun with {name} "
                f"{contest.facts[name]}, not {asked[name]}; name another folder with --out"
            )
