"""A whole folder, de-identified by all cores: it appears when all of it is done, or not at all.

Files are called by number: their names may tell who the patient is. Which number is which file
stands in a list of its own, to be kept with the key.
"""

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path

from medclf.core.record import Source
from medclf.curate.deidentify.crew import work_through
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.outcome import Outcome, doubt_patients
from medclf.curate.deidentify.unfinished import Unfinished
from medclf.errors import CohortError, SettingError
from medclf.read.archive import is_archive, list_members

Progress = Callable[[int, int], None]
Finish = Callable[[Path, Mapping[str, Outcome]], None]


def deidentify_folder(
    given: Path,
    out: Path,
    key: Key,
    options: Options,
    finish: Finish,
    progress: Progress | None = None,
    workers: int = 1,
) -> tuple[tuple[Outcome, ...], str]:
    """De-identify every file of a folder or zip.

    Args:
        given: A folder, a zip or a single file.
        out: The new folder; it must not be there, or be empty.
        key: Where pseudonyms come from.
        options: What stays and what is cleaned.
        finish: Called with the unfinished folder, and with what became of each file by its name in
            the given one, to add a report before the folder appears.
        progress: Told how many of how many files are done.
        workers: Processes; with 1 all is done in this one.

    Returns:
        What became of each file, by number, and the list that tells which number is which file:
        CSV text, as secret as the key.

    Raises:
        SettingError: the new folder is not empty, or lies in the given one, or an unfinished run
            with other settings is there.
        CohortError: there is no file, or none could be de-identified.
        RunError: the new folder cannot be written.
    """
    _expect_new(out, given)
    sources = find_files(given)
    if not sources:
        raise CohortError(f"{given}: no file to de-identify here")
    names = [name for _, name in sources]
    work = Unfinished(out)
    with work.held():
        before = work.go_on(_heading(key, options, given))
        marks = {n: _mark(key, source, name) for n, (source, name) in enumerate(sources, 1)}
        done = {o.number: o for o in before if marks.get(o.number) == o.mark}
        work.keep(list(done.values()))
        todo = [(n, *source) for n, source in enumerate(sources, 1) if n not in done]
        for outcome in work_through(todo, key, options, work.folder, workers):
            number = outcome.number
            done[number] = work.settle(outcome, marks[number])
            if progress is not None:
                progress(len(done), len(sources))
        ordered = doubt_patients([done[n] for n in sorted(done)])
        by_name = dict(zip(names, ordered, strict=True))
        work.appear(ordered, lambda folder: finish(folder, by_name))
    return ordered, _list_links(names, ordered)


def find_files(given: Path) -> list[tuple[Source, str]]:
    """List the files of a folder or zip, with their names in it, sorted; hidden ones left out.

    A folder within that cannot be opened is listed as if it were a file, to be refused as one.

    Raises:
        ReadError: the zip cannot be read.
        CohortError: nothing is there.
    """
    if given.is_file():
        if is_archive(given):
            return [(Source(given, member), member) for member in list_members(given)]
        return [(Source(given), given.name)]
    if not given.is_dir():
        raise CohortError(f"{given}: a folder, a zip or a file wanted, found nothing")
    closed: list[OSError] = []
    found = []
    for folder, inner, names in os.walk(given, onerror=closed.append):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        links = [name for name in inner if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *links]):
            if not name.startswith("."):
                path = Path(folder) / name
                found.append((Source(path), path.relative_to(given).as_posix()))
    for problem in closed:
        path = Path(problem.filename)
        found.append((Source(path), path.relative_to(given).as_posix()))
    return sorted(found, key=lambda pair: pair[1])


def _expect_new(out: Path, given: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        found = "one with files in it" if out.is_dir() else "a file"
        raise SettingError(f"{out}: a new or empty folder wanted, found {found}")
    place, source = out.resolve(), given.resolve()
    if place == source or source in place.parents:
        raise SettingError(f"{out}: must lie outside of {given}")
    if not out.absolute().parent.is_dir():
        raise SettingError(f"{out}: there is no folder {out.absolute().parent}")


def _heading(key: Key, options: Options, given: Path) -> str:
    """Name a run by its key, its options and what is given."""
    settings = [sorted(options.retain), sorted(options.clean), options.dates, options.others]
    return key.word("journal", f"{given.resolve()}\0{settings}", 32)


def _mark(key: Key, source: Source, name: str) -> str:
    """Name what a file is, as far as its name, size and time tell."""
    try:
        told = source.path.lstat()
    except OSError:
        return ""
    return key.word("mark", f"{name}\0{told.st_size}\0{told.st_mtime_ns}", 24)


def _list_links(names: Sequence[str], outcomes: Sequence[Outcome]) -> str:
    """Write the list that joins each given file with what became of it."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["number", "file", "path", "refused"])
    for outcome, name in zip(outcomes, names, strict=True):
        table.writerow([outcome.number, name, outcome.path, outcome.refused])
    return text.getvalue()
