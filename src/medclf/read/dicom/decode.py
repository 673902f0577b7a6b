"""The process in which compressed DICOM frames are decoded: requests come in, pixels go out.

    python -P -m medclf.read.dicom.decode

A request is a line of JSON and then bytes, as many as the line says; so is an answer. The process
ends when its input does. Before each request it lowers its own limit of memory to what the
image should need, so that a frame that lies about its size fails here, alone, and soon.

Source: pydicom's guide to decoding options.
"""

import json
import signal
import sys
from typing import IO, TYPE_CHECKING, Any

from medclf.read.refuse import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPARE = 256 * 2**20
"""Bytes that a decoder may take beside several times the image's own."""

_TIMES = 12
"""Decoders keep one or two copies of 32 bits for a sample of 8, pydicom and the pipe two more."""

_FAST = "imagecodecs"

_DECODERS = (_FAST, "pylibjpeg", "pillow", "pydicom")
"""In the order in which they are asked; others that may be installed are not, so that a file
reads alike everywhere."""


def main() -> None:
    """Answer requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The program decides what an interrupt ends.
    add_codecs()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # What a library prints must not stand between the answers.
    send(sink, {"ready": True}, b"")
    while line := source.readline():
        request = json.loads(line)
        body = source.read(request["bytes"])
        try:
            answer, pixels = _answer(request, body)
        except MemoryError:
            answer, pixels = {"refused": "it wants more memory than its size allows"}, b""
        except Exception as problem:  # pydicom has no closed list of what damaged frames raise.
            answer, pixels = {"refused": _reason(problem)}, b""
        except BaseException as problem:  # A panic of Rust is no Exception.
            answer, pixels = {"refused": f"the decoder failed: {one_line(problem)}"}, b""
        send(sink, answer, pixels)


def send(sink: IO[bytes], head: dict[str, Any], body: "bytes | memoryview") -> None:
    """Write a line of JSON, and the bytes that belong to it."""
    sink.write(json.dumps({**head, "bytes": len(body)}).encode() + b"\n")
    sink.write(body)
    sink.flush()


def add_codecs() -> None:
    """Make the fast decoders known to pydicom."""
    from pydicom.pixels.decoders.base import get_decoder

    from medclf.read.dicom.codec import DECODER_DEPENDENCIES

    for uid in DECODER_DEPENDENCIES:
        get_decoder(uid).add_plugin(_FAST, ("medclf.read.dicom.codec", "decode_frame"))


def _answer(request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], "bytes | memoryview"]:
    options = request["options"]
    if offsets := options.pop("extended_offsets", None):
        options["extended_offsets"] = tuple(bytes.fromhex(part) for part in offsets)
    _limit_memory(request["size"])
    values = _decode(request["syntax"], options, body)
    pixels = values.reshape(-1).view("u1").data
    return {"shape": values.shape, "dtype": values.dtype.str}, pixels


def _decode(syntax: str, options: dict[str, Any], body: bytes) -> "NDArray[Any]":
    """Decode all frames by the first decoder that does not refuse them."""
    from pydicom.pixels.decoders.base import get_decoder

    from medclf.read.dicom.codec import decodes_alone

    decoder, problems = get_decoder(syntax), list[Exception]()
    alone = decodes_alone(syntax, options["samples_per_pixel"], body)
    asked = (_FAST,) if alone else _DECODERS
    for name in (name for name in asked if name in decoder.available_plugins):
        try:
            values: NDArray[Any] = decoder.as_array(body, decoding_plugin=name, **options)[0]
            return values
        except Exception as problem:  # No closed list again.
            problems.append(problem)
    raise problems[0]


def _reason(problem: Exception) -> str:
    """Say what a decoder said, without what pydicom says of all that it tried."""
    lines = [line.strip() for line in str(problem).splitlines()]
    told = lines[1] if len(lines) > 1 and lines[0].startswith("Unable to decode") else ""
    return one_line(ValueError(told) if told else problem)


def _limit_memory(size: int) -> None:
    """Allow a decoder its share beyond what the process has now; not every system can."""
    try:
        import resource
        from pathlib import Path

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        allowed = pages * resource.getpagesize() + _TIMES * size + _SPARE
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (allowed, most))
    except (ImportError, OSError, ValueError):
        return


if __name__ == "__main__":
    main()
