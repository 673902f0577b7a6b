"""What a training leaves on disk after every epoch, so that a killed one goes on to the same end.

Beside the run's files stand the whole state of each member, and a row of the log for each of its
epochs.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from medclf.core.whole import write_whole
from medclf.errors import RunError
from medclf.learn.member import Member, load_tensors, save_tensors
from medclf.method.contract import Learner

LOG, WEIGHTS = "log.jsonl", "weights.safetensors"


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Args:
        done: Epochs done by all members.
        total: Epochs of all members.
        row: The newest row of the log.
    """

    done: int
    total: int
    row: Mapping[str, float]


Tell = Callable[[Progress], None]


def checkpoint(folder: Path, number: int) -> Path:
    """Name the file that a member in training is kept in."""
    return folder / "checkpoint" / f"member-{number}.safetensors"


def take_up(folder: Path, members: Sequence[Member[Any]]) -> None:
    """Bring each member to where its last complete epoch left it, and the log with them.

    Raises:
        RunError: a checkpoint is damaged, or the log cannot be written.
    """
    for member in members:
        if checkpoint(folder, member.number).exists():
            member.load(checkpoint(folder, member.number))
    rows = [row for member in members for row in member.log]
    write_whole(folder / LOG, "".join(json.dumps(row) + "\n" for row in rows))


def save_kept(folder: Path, members: Sequence[Member[Any]], notes: Mapping[str, str]) -> None:
    """Write the weights that the run keeps of all members to one file, each under its number."""
    tensors = {
        f"{member.number}.{name}": tensor
        for member in members
        for name, tensor in member.kept.state_dict().items()
    }
    save_tensors(folder / WEIGHTS, tensors, notes)


def load_kept(path: Path, members: Sequence[Learner]) -> None:
    """Put the kept weights of all members from a run's file into freshly built ones.

    Raises:
        RunError: the file is damaged, or of other networks.
    """
    tensors, _ = load_tensors(path)
    for number, member in enumerate(members):
        start = f"{number}."
        own = {k[len(start) :]: tensor for k, tensor in tensors.items() if k.startswith(start)}
        try:
            member.load_state_dict(own)
        except RuntimeError as problem:
            # The first line names our class, the next ones what is missing or of another shape.
            why = " ".join(str(problem).splitlines()[1][:200].split())
            raise RunError(f"{path}: weights of another network: {why}") from problem


class Keeper:
    """After each epoch: save the member, log the row, tell the person, watch the clock."""

    def __init__(
        self,
        folder: Path,
        members: Sequence[Member[Any]],
        deadline: float | None,
        tell: Tell | None,
    ) -> None:
        self.folder, self.members, self.deadline, self.tell = folder, members, deadline, tell
        self.lock = Lock()
        (folder / "checkpoint").mkdir(exist_ok=True)

    def __call__(self, member: Member[Any]) -> bool:
        member.save(checkpoint(self.folder, member.number))
        row = member.log[-1]
        with self.lock:
            self._add(row)
            if self.tell is not None:
                total = member.fit.epochs * len(self.members)
                self.tell(Progress(sum(m.epoch for m in self.members), total, row))
        return self.in_time(row["seconds"])

    def in_time(self, seconds: float = 0.0) -> bool:
        """Tell whether so many seconds are left."""
        return self.deadline is None or time.monotonic() + seconds < self.deadline

    def _add(self, row: Mapping[str, float]) -> None:
        path = self.folder / LOG
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as problem:
            raise RunError(f"{path}: cannot be written: {problem.strerror}") from problem
