"""Work in a process of its own: its memory is its own, and it may fail or be killed alone."""

import json
import signal
import subprocess
import sys
import tempfile
from typing import IO, Any

from medclf.contest.outcome import Job, Outcome, Step, Tell
from medclf.contest.work import pack

PATIENCE_S = 10.0


def work_apart(job: Job, tell: Tell | None = None) -> Outcome:
    """Do a job in a process of its own, and wait for its end.

    Args:
        job: What is to be done.
        tell: Called with each step.

    Raises:
        KeyboardInterrupt: the person interrupted; the process has been ended too.
    """
    line = [sys.executable, "-P", "-m", "medclf.contest.work"]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=errors) as process,  # noqa: S603
    ):
        try:
            _send(process, job)
            ended = _listen(process, tell)
            code = process.wait()
        finally:
            _end(process)
        return ended or Outcome(reason=_explain(code, errors))


def _send(process: "subprocess.Popen[bytes]", job: Job) -> None:
    if process.stdin is None:
        return
    try:
        with process.stdin as pipe:
            pipe.write(pack(job).encode())
    except BrokenPipeError:
        return  # It ended before it had read its job; its exit code tells more.


def _listen(process: "subprocess.Popen[bytes]", tell: Tell | None) -> Outcome | None:
    ended = None
    for line in process.stdout or ():
        message = _parse(line)
        if "step" in message and tell is not None:
            tell(Step(**message["step"]))
        elif "ended" in message:
            ended = Outcome.from_json(message["ended"])
    return ended


def _parse(line: bytes) -> dict[str, Any]:
    """Read a message; what else a library may have printed is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _explain(code: int, errors: IO[bytes]) -> str:
    """Say how a process ended that told nothing itself."""
    errors.seek(0)
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    said = f": {lines[-1]}" if lines else ""
    if code < 0:
        name = signal.Signals(-code).name
        memory = ", as when memory runs out" if code == -signal.SIGKILL else ""
        return f"its process was ended by {name}{memory}{said}"
    return f"its process ended with exit code {code}{said}"
