"""The page of a de-identification: what was done, and above all what a person must still look at.

It names files by their new names, or by number, and holds no word of who anybody was.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medclf.report.headline import Head
from medclf.report.page import render_page, write_page
from medclf.report.words import count, percent

TITLES = {
    "look": "Look at these",
    "sample": "And at a sample of the rest",
    "stays": "What still stands in the files",
    "refused": "Refused",
    "done": "Done",
    "profile": "Profile and options",
    "release": "Release",
}
FILES_SHOWN, REASONS_SHOWN = 3, 40
"""Files named for one reason, and reasons told; the table of files holds all."""

_NUMBER = re.compile(r"file \d+")

SIGNED = ("Listed files looked at", "Sample looked at", "May be given to", "Name and date")
"""What a person fills in by hand."""


@dataclass(frozen=True)
class Group:
    """Files of which the same is told.

    Args:
        detail: What is told.
        names: All of them.
    """

    detail: str
    names: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The first of them, and how many more there are."""
        more = len(self.names) - FILES_SHOWN
        return ", ".join(self.names[:FILES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def group(files: Sequence[tuple[str, str]]) -> tuple[Group, ...]:
    """Put files together by what is told of them, most first.

    Args:
        files: Name and detail of each.
    """
    found: dict[str, list[str]] = {}
    for name, detail in files:
        found.setdefault(detail, []).append(name)
    groups = (Group(detail, tuple(names)) for detail, names in found.items())
    return tuple(sorted(groups, key=lambda it: -len(it.names)))


@dataclass(frozen=True)
class Look:
    """Files that a person must look at for one reason.

    Args:
        kind: Names the reason.
        meaning: What to do, in a sentence.
        files: New name and detail of each.
    """

    kind: str
    meaning: str
    files: tuple[tuple[str, str], ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """Those of which the same is told together, most first."""
        return group(self.files)[:REASONS_SHOWN]


@dataclass(frozen=True)
class Deidentified:
    """All that the page tells.

    Args:
        version: The medclf that did it.
        date: When, as it should be read.
        files: How many were found.
        patients: How many pseudonyms were given.
        refused: Number and reason of each file that was left out.
        looks: What to look at, by reason.
        modalities: Files that went through, by modality.
        changed: Attributes by what was done to them.
        codes: Code and meaning of the profile and of each option.
        stays: What the options let stay, in sentences.
        sample: New names of a few files of which nothing is told.
        mark: Tells the key from others.
        columns: What became of each column of the table of exams.
    """

    version: str
    date: str
    files: int
    patients: int
    refused: tuple[tuple[int, str], ...]
    looks: tuple[Look, ...]
    modalities: Mapping[str, int]
    changed: Mapping[str, int]
    codes: Sequence[tuple[str, str]]
    stays: Sequence[str]
    sample: Sequence[str]
    mark: str
    columns: Mapping[str, str]
    title: str = "De-identified files"


def write_deidentified(path: Path, contents: Deidentified) -> Path:
    """Write the page as one HTML file, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    return write_page(path, render_deidentified(contents))


def render_deidentified(contents: Deidentified) -> str:
    """Make the page. The same contents always make the same page."""
    facts = [(name or "no modality", f"{n:,}") for name, n in contents.modalities.items()]
    facts += [(f"attributes {what}", f"{n:,}") for what, n in contents.changed.items()]
    facts.append(("mark of the key", contents.mark))
    refused = group([(str(n), _NUMBER.sub("another", why)) for n, why in contents.refused])
    parts = {
        "look": contents.looks,
        "sample": contents.sample,
        "stays": contents.stays,
        "refused": refused[:REASONS_SHOWN],
        "done": facts,
        "profile": contents.codes,
        "release": SIGNED,
    }
    return render_page(contents, _head(contents), TITLES, parts)


def _head(contents: Deidentified) -> Head:
    through = contents.files - len(contents.refused)
    share = f" ({percent(through / contents.files)})" if contents.files else ""
    statement = [
        f"{count(through, 'file')} of {contents.files:,}{share} came through, of "
        f"{count(contents.patients, 'patient')}."
    ]
    cautions = (
        "No program can promise that a picture tells nothing of its patient. A person must look at "
        "what is listed here, and at a sample of the rest, before anything is given away.",
        "Faces can be rebuilt from scans of the head: they were not removed.",
    )
    return Head((contents.date, f"medclf {contents.version}"), tuple(statement), (), cautions)
