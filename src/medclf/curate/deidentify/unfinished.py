"""The hidden folder in which a de-identification is at work, beside the one that it becomes.

A journal in it tells which files are done, so that a run that was ended goes on where it was. What
became of a file is placed first and noted then: a line of the journal is never ahead of its file.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from filecmp import cmp
from pathlib import Path

from filelock import FileLock, Timeout

from medclf.curate.deidentify.job import part_path
from medclf.curate.deidentify.outcome import Outcome
from medclf.errors import CohortError, RunError, SettingError

JOURNAL = ".journal.jsonl"


class Unfinished:
    """A folder in the making.

    Args:
        out: Where it is to appear.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.folder = out, out.absolute().parent / f".{out.name}.deidentify"
        self._taken: dict[str, int] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it, so that no other run works in it.

        Raises:
            SettingError: another run does.
            RunError: the system does not let it be written.
        """
        lock = FileLock(self.folder.with_name(self.folder.name + ".lock"), timeout=0)
        try:
            lock.acquire()
            try:
                yield
            finally:
                Path(lock.lock_file).unlink(missing_ok=True)
                lock.release()
        except Timeout as problem:
            raise SettingError(f"{self.out}: another run is at work here") from problem
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            begun = self.folder.exists()
            further = "; give the same command again to go on" if begun else ""
            raise RunError(f"{self.out}: cannot be written: {reason}{further}") from problem

    def go_on(self, heading: str) -> list[Outcome]:
        """Read what an unfinished run has done, or begin one.

        Args:
            heading: Of the journal; it tells one key, given folder and choice of options from
                another, to whoever has the key.

        Raises:
            SettingError: it was begun with others.
        """
        path = self.folder / JOURNAL
        if not path.exists():
            self.folder.mkdir(exist_ok=True)
            path.write_text(heading + "\n", encoding="utf-8")
            return []
        first, *lines = path.read_text(encoding="utf-8").split("\n")
        if first != heading:
            raise SettingError(
                f"{self.folder}: a run with another key, folder or options was not finished here: "
                "give the same again, or remove this folder"
            )
        # A line that a killed run did not finish is not followed by a line break.
        whole = "\n".join([first, *lines[:-1], ""])
        path.write_text(whole, encoding="utf-8")
        done = [Outcome.from_json(json.loads(line)) for line in lines[:-1]]
        return [it for it in done if not it.path or (self.folder / it.path).exists()]

    def keep(self, done: Sequence[Outcome]) -> None:
        """Take over what was done before, so that its places stay taken."""
        self._taken = {it.path: it.number for it in done if it.path}

    def settle(self, outcome: Outcome, mark: str) -> Outcome:
        """Move a result to its place, and note it.

        Where another lies already, one of the two is refused.

        Args:
            outcome: What became of a file, whose result waits under its number.
            mark: What the file was, by which a resumed run knows it.
        """
        settled = replace(self._place(outcome), mark=mark)
        with (self.folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(settled.to_json()) + "\n")
        return settled

    def _place(self, outcome: Outcome) -> Outcome:
        if not outcome.path:
            return outcome
        part, place = part_path(self.folder, outcome.number), self.folder / outcome.path
        if outcome.path in self._taken:
            same = cmp(part, place, shallow=False)
            part.unlink()
            other = f"file {self._taken[outcome.path]}"
            twin = f"bears the SOPInstanceUID of {other}, yet differs"
            return Outcome(outcome.number, refused=f"a copy of {other}" if same else twin)
        place.parent.mkdir(parents=True, exist_ok=True)
        part.replace(place)
        self._taken[outcome.path] = outcome.number
        return outcome

    def appear(self, outcomes: Sequence[Outcome], finish: Callable[[Path], None]) -> None:
        """Add the report and let the folder appear.

        Args:
            outcomes: What became of all files.
            finish: Writes the report into the folder.

        Raises:
            CohortError: nothing came through; then nothing appears.
        """
        if not any(it.path for it in outcomes):
            shutil.rmtree(self.folder)
            reason = outcomes[0].refused
            raise CohortError(f"none of {len(outcomes):,} files could be de-identified: {reason}")
        self._sweep({it.path for it in outcomes})
        finish(self.folder)
        if self.out.exists():
            self.out.rmdir()
        self.folder.replace(self.out)

    def _sweep(self, kept: set[str]) -> None:
        """Remove what a killed run left: the journal, results without a place, files long gone."""
        for path in sorted(self.folder.rglob("*"), reverse=True):  # What lies in a folder first.
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(self.folder).as_posix() not in kept:
                path.unlink()
