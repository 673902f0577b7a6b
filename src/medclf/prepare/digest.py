"""What a store is made from, as one number: the contents of the files and the settings.

A file's digest is SHA-256 of its bytes. It is remembered under the file's path, size and times,
so that only new and changed files are read again; a file that changed within the last seconds is
not remembered, since it could change again unseen. Names and folders do not count: the same
images moved elsewhere are the same.

Source: Git, Documentation/technical/racy-git.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from medclf.core.record import Source
from medclf.core.threads import in_order
from medclf.prepare.exam import Prepare
from medclf.read.partners import files_of
from medclf.read.refuse import open_file

SETTLED_NS = 2 * 10**9
"""Age at which a file's times can be trusted to tell its next change."""

PART_FILES = 32
"""Files that a thread digests at a time."""

PIECE = 2**16
"""Bytes that are read at a time; most pictures are one piece."""

Stamp = tuple[int, int, int]
"""Size, time of the last change of contents, time of the last change of any kind."""

Key = tuple[str, int, int, int]


@dataclass(frozen=True)
class FileDigest:
    """A file's contents at one moment.

    Args:
        digest: SHA-256 in hex.
        stamp: Size and times of the file, taken before it was read.
    """

    digest: str
    stamp: Stamp

    def still(self, path: Path) -> bool:
        """Tell whether the file has not been touched since."""
        try:
            return take_stamp(path) == self.stamp
        except OSError:
            return False


def take_stamp(path: Path) -> Stamp:
    """Look at a file's size and times.

    Raises:
        OSError: there is no such file, or it may not be looked at.
    """
    now = path.stat()
    return now.st_size, now.st_mtime_ns, now.st_ctime_ns


def digest_files(
    paths: Iterable[Path], remembered: Path
) -> tuple[dict[Path, FileDigest], dict[Path, str]]:
    """Digest files, several at once.

    Args:
        paths: The files.
        remembered: A file of JSON lines that keeps digests for the next time.

    Returns:
        Digests by path; and by path, why a file could not be read.
    """
    known = _recall(remembered)
    found: dict[Path, FileDigest] = {}
    failures: dict[Path, str] = {}
    new: list[tuple[Path, Stamp]] = []
    for path in paths:
        try:
            stamp = take_stamp(path)
        except OSError as problem:
            failures[path] = _reason(path, problem)
            continue
        digest = known.get(_key(path, stamp))
        if digest is None:
            new.append((path, stamp))
        else:
            found[path] = FileDigest(digest, stamp)
    parts = (new[start : start + PART_FILES] for start in range(0, len(new), PART_FILES))
    for path, seen in chain.from_iterable(in_order(_look_at, parts)):
        if isinstance(seen, FileDigest):
            found[path] = seen
        else:
            failures[path] = seen
    _remember(remembered, {path: found[path] for path, _ in new if path in found})
    return found, failures


def digest_rows(rows: Sequence[tuple[Source, str]], settings: Prepare) -> str:
    """Digest what a store holds: the images in their order, and how they are prepared.

    Args:
        rows: Where each image is, and the digest of the files that it is made of.
        settings: How images are prepared.
    """
    total = hashlib.sha256(write_settings(settings))
    for source, digest in rows:
        total.update(write_row(source, digest))
    return total.hexdigest()


def write_settings(settings: Prepare) -> bytes:
    """Write settings as one line."""
    return json.dumps(asdict(settings), sort_keys=True).encode()


def write_row(source: Source, digest: str) -> bytes:
    """Write as one line what an image is made of: the contents of files, and its place in them."""
    form = "" if source.parts else source.path.suffix.lower()
    members = "".join(f" {part.member!r}" for part in source.parts if part.member)
    place = "" if source.point is None else f" {source.point.at} {source.point.unit}"
    if source.mask is not None:
        place += f" mask {source.mask.member!r} {source.mask.index}"
    line = f"\n{digest} {form} {source.member!r} {source.index}{members}{place}"
    return line.encode(errors="surrogateescape")  # Names need not be UTF-8.


def digest_parts(source: Source, files: Mapping[Path, FileDigest]) -> str:
    """Digest what an image is made of, as far as its files have digests."""
    lying = [files[path] for path in files_of(source) if path in files]
    if source.parts:  # The names of a series' files, and so their order, do not count.
        lying.sort(key=lambda file: file.digest)
    return digest_image(lying)


def digest_image(files: Sequence[FileDigest]) -> str:
    """Digest an image by the files that it is made of: one file is its own digest."""
    if len(files) == 1:
        return files[0].digest
    return hashlib.sha256(" ".join(file.digest for file in files).encode()).hexdigest()


def _look_at(files: Sequence[tuple[Path, Stamp]]) -> list[tuple[Path, FileDigest | str]]:
    return [(path, _look(path, stamp)) for path, stamp in files]


def _look(path: Path, stamp: Stamp) -> FileDigest | str:
    total = hashlib.sha256()
    try:
        with open_file(path) as file:
            while piece := file.read(PIECE):
                total.update(piece)
    except OSError as problem:
        return _reason(path, problem)
    return FileDigest(total.hexdigest(), stamp)


def _reason(path: Path, problem: OSError) -> str:
    return f"{path}: cannot be read: {problem.strerror or problem}"


def _key(path: Path, stamp: Stamp) -> Key:
    return (str(path.absolute()), *stamp)


def _recall(remembered: Path) -> dict[Key, str]:
    """Read what is remembered; lines that a crash cut short are passed over."""
    try:
        lines = remembered.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    known: dict[Key, str] = {}
    for line in lines:
        try:
            path, size, changed, touched, digest = json.loads(line)
        except (ValueError, TypeError):
            continue
        known[path, size, changed, touched] = digest
    return known


def _remember(remembered: Path, files: Mapping[Path, FileDigest]) -> None:
    """Append lines, all in one write, so that two processes do not mix theirs."""
    now = time.time_ns()
    lines = [
        json.dumps([*_key(path, file.stamp), file.digest]) + "\n"
        for path, file in files.items()
        if now - max(file.stamp[1:]) > SETTLED_NS
    ]
    if lines:
        with remembered.open("ab", buffering=0) as store:
            store.write("".join(lines).encode())
