"""Download a published file: resumed where it broke off, compared with its checksum.

Bytes go to `NAME.part`, which a broken download leaves behind and the next one continues by a
Range request. Only when the checksum fits does the part take its final name, so that a file of
that name is always whole. With MEDCLF_OFFLINE=1 in the environment nothing is asked for.

Source: checksums of MedMNIST from the package medmnist 3.0.2; of MNIST and CIFAR from
torchvision 0.29 and the data pages.
"""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from medclf.errors import FetchError, SettingError
from medclf.read.datasets.medmnist_sets import SETS
from medclf.read.refuse import one_line

Progress = Callable[[str, int, int | None], None]
"""Told while bytes come: the file's name, bytes so far, bytes in all where the server says."""

TRIES = 4
TIMEOUT_SECONDS = 30.0

_CHUNK = 2**18
_ZENODO = "https://zenodo.org/records/10519652/files"
_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist"
_CIFAR = "https://www.cs.toronto.edu/~kriz"


@dataclass(frozen=True)
class Remote:
    """One published file.

    Args:
        url: Where it lies.
        md5: Its checksum, all 32 digits.
        sha256: Where there is no `md5`, this one: the first digits, as many as were published.
    """

    url: str
    md5: str = ""
    sha256: str = ""

    @property
    def checksum(self) -> str:
        return self.md5 or self.sha256

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]


REMOTES: dict[str, tuple[Remote, ...]] = {
    **{name: (Remote(f"{_ZENODO}/{name}.npz", one.md5),) for name, one in SETS.items()},
    "mnist": (
        Remote(f"{_MNIST}/train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        Remote(f"{_MNIST}/train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        Remote(f"{_MNIST}/t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        Remote(f"{_MNIST}/t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ),
    "cifar10": (Remote(f"{_CIFAR}/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),),
    "cifar100": (Remote(f"{_CIFAR}/cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"),),
}
"""What can be fetched, by name."""


def fetch(name: str, folder: Path, progress: Progress | None = None) -> Path:
    """Download a data set, unless it is there already.

    Args:
        name: A key of `REMOTES`, such as "breastmnist".
        folder: Where the file goes; for a set of several files, the folder `name` in it.
        progress: Told how far each file is.

    Returns:
        What to read: the file, or the folder of a set with several.

    Raises:
        SettingError: no such name.
        FetchError: the server cannot be reached, what it sends is not what was published, or
            another file bears the name.
    """
    if name not in REMOTES:
        near = get_close_matches(name, REMOTES, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(REMOTES))}"
        raise SettingError(f"no data set is called {name!r}: {hint}")
    remotes = REMOTES[name]
    place = folder / name if len(remotes) > 1 else folder
    for remote in remotes:
        download(remote, place, progress)
    return place if len(remotes) > 1 else place / remotes[0].name


def download(remote: Remote, folder: Path, progress: Progress | None = None) -> Path:
    """Download one file, continuing what an earlier call left, and compare its checksum.

    Raises:
        FetchError: as `fetch`; or the file is not there and MEDCLF_OFFLINE is set.
    """
    path = folder / remote.name
    part = path.with_name(path.name + ".part")
    try:
        if path.exists():
            _refuse_other(path, remote)
            return path
        if os.environ.get("MEDCLF_OFFLINE", "0") not in ("", "0"):
            raise FetchError(f"{path}: not there, and MEDCLF_OFFLINE forbids to get {remote.url}")
        _fill(part, remote, path, progress)
        if not fits(part, remote):
            part.unlink()
            raise FetchError(
                f"{remote.url}: the file is not the published one "
                f"(checksum {remote.checksum} wanted); it was removed"
            )
        part.replace(path)
    except OSError as problem:
        why = problem.strerror or one_line(problem)
        raise FetchError(f"{part}: cannot be written: {why}") from problem
    return path


def _refuse_other(path: Path, remote: Remote) -> None:
    if not fits(path, remote):
        raise FetchError(
            f"{path}: not the published file (checksum {remote.checksum} wanted): "
            "move it away first"
        )


def fits(path: Path, remote: Remote) -> bool:
    """Tell whether a file has the published checksum."""
    kind = "md5" if remote.md5 else "sha256"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    return bool(remote.checksum) and digest.hexdigest().startswith(remote.checksum)


def _fill(part: Path, remote: Remote, path: Path, progress: Progress | None) -> None:
    """Bring the part to its full length, asking again where the connection breaks."""
    for attempt in range(TRIES):
        time.sleep(0.2 * attempt)
        try:
            if _append(part, remote, progress):
                return
            reason = "the connection broke off"
        except HTTPError as problem:
            problem.close()
            reason = f"the server answered {problem.code} {problem.reason}"
            if problem.code < 500:
                break
        except URLError as problem:
            reason = one_line(problem if isinstance(problem.reason, str) else problem.reason)
            break
        except (HTTPException, ConnectionError, TimeoutError) as problem:
            reason = one_line(problem)
    raise FetchError(
        f"{remote.url}: cannot be downloaded: {reason}; if you have the file, put it at {path}"
    )


def _append(part: Path, remote: Remote, progress: Progress | None) -> bool:
    """Add to the part what the server still has. Tell whether that was everything."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "medclf", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    # The addresses are those of the table above, or a test's own server.
    request = Request(remote.url, headers=headers)  # noqa: S310
    try:
        response: HTTPResponse = urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
    except HTTPError as problem:
        if problem.code != 416:
            raise
        problem.close()
        return True  # Nothing is left to send; the checksum decides whether the part is right.
    with response:
        if response.status != 206:
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab" if have else "wb") as file:
            while chunk := _read(response):
                file.write(chunk)
                have += len(chunk)
                if progress is not None:
                    progress(remote.name, have, total)
    return total is None or have == total


def _read(response: HTTPResponse) -> bytes:
    """Read some bytes. What goes wrong here is the line's fault, not the disk's."""
    try:
        return response.read(_CHUNK)
    except OSError as problem:
        raise ConnectionError(one_line(problem)) from problem
