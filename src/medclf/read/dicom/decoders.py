"""Decoders in processes of their own: what crashes, hangs or swells there harms nothing here.

A process is started when it is first needed, and kept for the next file, since its start takes
longer than most files. As many work at once as threads ask, up to the processor's cores. One that
fails is ended, its file is refused, and the next file gets a new one. They end with the program
that started them.
"""

import atexit
import json
import os
import subprocess
import sys
from io import BufferedReader
from threading import BoundedSemaphore, Lock, Timer
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from medclf.errors import ReadError
from medclf.read.dicom.decode import send

PATIENCE_S = 4.0
"""Seconds that any file may take."""

_PER_BYTE_S = 1e-6
"""Seconds more for each byte of the image: some ten times what the slowest decoder takes."""

_START_S = 60.0

_PIPE = 2**20
"""Bytes that a pipe should hold, where the system lets it be chosen: with the usual 64 KB both
sides wait for each other many times for a frame, and threads each time for their turn."""


class Worker:
    """One process that decodes, with a pipe in and a pipe out.

    Raises:
        ReadError: it cannot be started.
    """

    def __init__(self) -> None:
        line = [sys.executable, "-P", "-m", "medclf.read.dicom.decode"]
        try:
            self._process = subprocess.Popen(  # noqa: S603
                line,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pipesize=_PIPE,
            )
            self._listen(_START_S)
        except (OSError, ValueError, EOFError) as problem:
            raise ReadError(f"no process for decoders can be started: {problem}") from problem

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytearray]:
        """Send a request and wait for its answer.

        Raises:
            EOFError: the process ended instead; it is never asked again.
        """
        patience_s = PATIENCE_S + _PER_BYTE_S * request["size"]
        try:
            if self._process.stdin is not None:
                send(self._process.stdin, request, body)
        except OSError as problem:
            raise EOFError("the decoder is gone") from problem
        return self._listen(patience_s)

    def end(self) -> None:
        """Stop the process, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                _close(pipe)
        self._process.wait()

    def _listen(self, patience_s: float) -> tuple[dict[str, Any], bytearray]:
        pipe, late = cast(BufferedReader, self._process.stdout), False

        def lose_patience() -> None:
            nonlocal late
            late = True
            self._process.kill()

        timer = Timer(patience_s, lose_patience)
        timer.daemon = True
        timer.start()
        try:
            line = pipe.readline()
            answer = json.loads(line) if line else {}
            body = bytearray(answer.get("bytes", 0))
            found = pipe.readinto(body)
        finally:
            timer.cancel()
        if not answer or found < len(body):
            raise EOFError(f"no end after {patience_s:.0f} s" if late else "the decoder crashed")
        return answer, body


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # What was still to be written has no reader any more.


_idle: list[Worker] = []
_foreign: list[Worker] = []
_lock = Lock()
_places = BoundedSemaphore(os.cpu_count() or 1)


def decode_apart(
    syntax: str, options: dict[str, Any], body: bytes, size: int, where: str
) -> NDArray[Any]:
    """Decode the compressed frames of a file.

    Args:
        syntax: The transfer syntax's UID.
        options: pydicom's decoding options.
        body: The pixel data as encapsulated.
        size: Bytes that must come out, all frames and colours together.
        where: Names the file in messages.

    Returns:
        (Y, X), (Z, Y, X), or with a last axis of colours, as pydicom orders them.

    Raises:
        ReadError: the decoder refuses the frames, crashes, takes too long, or too much memory.
    """
    if offsets := options.get("extended_offsets"):
        options = {**options, "extended_offsets": [part.hex() for part in offsets]}
    request = {"syntax": syntax, "options": options, "size": size}
    with _places:
        try:
            answer, pixels = _ask_one(request, body)
        except ReadError as problem:
            raise ReadError(f"{where}: cannot be decoded: {problem}") from problem
        except (EOFError, OSError, ValueError) as problem:
            raise ReadError(f"{where}: the compressed pixels are damaged: {problem}") from problem
    if "refused" in answer:
        raise ReadError(f"{where}: the compressed pixels are damaged: {answer['refused']}")
    return np.frombuffer(pixels, answer["dtype"]).reshape(answer["shape"])


def _ask_one(request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytearray]:
    worker = _take()
    try:
        found = worker.ask(request, body)
    except BaseException:
        worker.end()
        raise
    with _lock:
        _idle.append(worker)
    return found


def _take() -> Worker:
    """Take a process that waits for work, or start one; those that have ended are forgotten."""
    while True:
        with _lock:
            worker = _idle.pop() if _idle else None
        if worker is None:
            return Worker()
        if worker.alive:
            return worker
        worker.end()


def end_decoders() -> None:
    """End all processes that wait for work."""
    with _lock:
        while _idle:
            _idle.pop().end()


def _forget() -> None:
    """Leave the processes to the parent: two programs must not talk into one pipe."""
    global _lock, _places
    _foreign.extend(_idle)  # Kept, since one that is forgotten would be waited for.
    _idle.clear()
    _lock, _places = Lock(), BoundedSemaphore(os.cpu_count() or 1)


atexit.register(end_decoders)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
