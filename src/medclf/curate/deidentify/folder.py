"""A whole folder, de-identified by all cores: it appears when all of it is done, or not at all.

The work is done in a hidden folder beside the new one. A journal there tells which files are done,
so that a run that was ended goes on where it was. Files are called by number: their names may tell
who the patient is. Which number is which file stands in a list of its own, to be kept with the key.
"""

import csv
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from filecmp import cmp
from io import StringIO
from pathlib import Path

from filelock import FileLock, Timeout

from medclf.core.record import Source
from medclf.curate.deidentify.crew import work_through
from medclf.curate.deidentify.job import part_path
from medclf.curate.deidentify.key import Key
from medclf.curate.deidentify.options import Options
from medclf.curate.deidentify.outcome import Outcome, doubt_patients
from medclf.errors import CohortError, RunError, SettingError
from medclf.read.archive import is_archive, list_members

Progress = Callable[[int, int], None]
Finish = Callable[[Path, Mapping[str, Outcome]], None]

JOURNAL = ".journal.jsonl"


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
    """
    _expect_new(out, given)
    sources = find_files(given)
    if not sources:
        raise CohortError(f"{given}: no file to de-identify here")
    work = out.absolute().parent / f".{out.name}.deidentify"
    with _held(work, out):
        outcomes = _go_on(work, key, options, given)
        journal = (work / JOURNAL).open("a", encoding="utf-8")
        marks = {n: _mark(key, s, name) for n, (s, name) in enumerate(sources, 1)}
        done = {o.number: o for o in outcomes if marks.get(o.number) == o.mark}
        todo = [(n, s, name) for n, (s, name) in enumerate(sources, 1) if n not in done]
        taken = {o.path: o.number for o in done.values() if o.path}
        with journal:
            for outcome in work_through(todo, key, options, work, workers):
                placed = _place(work, outcome, taken, marks[outcome.number])
                done[placed.number] = placed
                journal.write(json.dumps(placed.to_json()) + "\n")
                journal.flush()
                if progress is not None:
                    progress(len(done), len(sources))
        ordered = doubt_patients([done[n] for n in sorted(done)])
        names = [name for _, name in sources]
        _finish(work, out, dict(zip(names, ordered, strict=True)), finish)
    return ordered, _list_links(sources, ordered)


def find_files(given: Path) -> list[tuple[Source, str]]:
    """List the files of a folder or zip, with their names in it, sorted; hidden ones left out.

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
    found = []
    for folder, inner, names in os.walk(given):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        links = [name for name in inner if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *links]):
            if not name.startswith("."):
                path = Path(folder) / name
                found.append((Source(path), path.relative_to(given).as_posix()))
    return sorted(found, key=lambda pair: pair[1])


def _expect_new(out: Path, given: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SettingError(f"{out}: a new or empty folder wanted, found one with files in it")
    place, source = out.resolve(), given.resolve()
    if place == source or source in place.parents:
        raise SettingError(f"{out}: must lie outside of {given}")
    if not out.absolute().parent.is_dir():
        raise SettingError(f"{out}: there is no folder {out.absolute().parent}")


@contextmanager
def _held(work: Path, out: Path) -> Iterator[None]:
    """Hold the hidden folder, so that no other run works in it."""
    lock = FileLock(work.with_name(work.name + ".lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as problem:
        raise SettingError(f"{out}: another run is at work here") from problem
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _go_on(work: Path, key: Key, options: Options, given: Path) -> list[Outcome]:
    """Read the journal of an unfinished run, or begin one.

    Raises:
        SettingError: it was begun with other settings, or another key or folder.
    """
    settings = [sorted(options.retain), sorted(options.clean), options.dates, options.others]
    heading = key.word("journal", f"{given.resolve()}\0{settings}", 32)
    path = work / JOURNAL
    if not path.exists():
        work.mkdir(exist_ok=True)
        path.write_text(heading + "\n", encoding="utf-8")
        return []
    first, *lines = path.read_text(encoding="utf-8").split("\n")
    if first != heading:
        raise SettingError(
            f"{work}: a run with another key, folder or options was not finished here: give the "
            "same again, or remove this folder"
        )
    # A line that a killed run did not finish is not followed by a line break.
    whole = "\n".join([first, *lines[:-1], ""])
    path.write_text(whole, encoding="utf-8")
    outcomes = [Outcome.from_json(json.loads(line)) for line in lines[:-1]]
    return [o for o in outcomes if not o.path or (work / o.path).exists()]


def _mark(key: Key, source: Source, name: str) -> str:
    """Name what a file is, as far as its name, size and time tell."""
    try:
        told = source.path.lstat()
    except OSError:
        return ""
    return key.word("mark", f"{name}\0{told.st_size}\0{told.st_mtime_ns}", 24)


def _place(work: Path, outcome: Outcome, taken: dict[str, int], mark: str) -> Outcome:
    """Move a result to its place; where another lies already, one of the two is refused."""
    if not outcome.path:
        return replace(outcome, mark=mark)
    part, place = part_path(work, outcome.number), work / outcome.path
    if outcome.path in taken:
        same = cmp(part, place, shallow=False)
        part.unlink()
        other = f"file {taken[outcome.path]}"
        why = f"a copy of {other}" if same else f"bears the SOPInstanceUID of {other}, yet differs"
        return Outcome(outcome.number, refused=why, mark=mark)
    place.parent.mkdir(parents=True, exist_ok=True)
    part.replace(place)
    taken[outcome.path] = outcome.number
    return replace(outcome, mark=mark)


def _finish(work: Path, out: Path, by_name: Mapping[str, Outcome], finish: Finish) -> None:
    """Add the report and let the folder appear.

    Raises:
        CohortError: nothing came through; then nothing appears.
        RunError: the system does not let it.
    """
    outcomes = list(by_name.values())
    if not any(o.path for o in outcomes):
        shutil.rmtree(work)
        reason = outcomes[0].refused
        raise CohortError(f"none of {len(outcomes):,} files could be de-identified: {reason}")
    try:
        _sweep(work, {o.path for o in outcomes})
        finish(work, by_name)
        if out.exists():
            out.rmdir()
        work.replace(out)
    except OSError as problem:
        raise RunError(f"{out}: cannot be written: {problem.strerror}") from problem


def _sweep(work: Path, kept: set[str]) -> None:
    """Remove what a killed run left: the journal, results without a place, files long gone."""
    for path in sorted(work.rglob("*"), reverse=True):  # What lies in a folder before the folder.
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(work).as_posix() not in kept:
            path.unlink()


def _list_links(sources: Sequence[tuple[Source, str]], outcomes: Sequence[Outcome]) -> str:
    """Write the list that joins each given file with what became of it."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["number", "file", "path", "refused"])
    for outcome, (_, name) in zip(outcomes, sources, strict=True):
        table.writerow([outcome.number, name, outcome.path, outcome.refused])
    return text.getvalue()
