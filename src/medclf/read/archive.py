"""Bytes of a file, or of a member of an archive, without unpacking to disk.

A zip's table of contents is read once and shared by all threads; each read opens the file, seeks
and inflates, so that no lock is held and ten thousand members are read as fast as loose files. A
.tar.gz has no such table and is walked from its start: fit for few large members, and refused with
many. What the archive claims is checked first: sizes, ratios, and names that would leave a folder.

Source: PKWARE, APPNOTE 6.3.10, sections 4.3.7 and 4.4.
"""

import os
import re
import tarfile
import zlib
from collections.abc import Iterable
from gzip import BadGzipFile
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.inflate import LIMIT, inflate_bare
from medclf.read.once import once
from medclf.read.refuse import one_line, open_file, unreadable

ZIP_SUFFIXES = (".zip", ".npz")
PACKED_TAR_SUFFIXES = (".tar.gz", ".tgz")
TAR_SUFFIXES = (*PACKED_TAR_SUFFIXES, ".tar")

RATIO = 500
"""Unpacked to packed, above which a large member is a bomb. Shape masks reach 220."""

MEMBERS = 1000
"""The most files that are read of a packed tar: each is reached by unpacking all before it."""

_LARGE = 64 * 2**20
_PIECE = 2**20
_ENCRYPTED = 1
_LOCAL_HEADER = 30
_UNSAFE = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)")
_NESTED = re.compile(r"^(.+?\.(?:zip|npz))!(.+)$", re.IGNORECASE)


def is_archive(path: Path) -> bool:
    """Tell by its name whether a file holds members that can be read in place."""
    return path.name.lower().endswith(ZIP_SUFFIXES + TAR_SUFFIXES)


def list_members(path: Path, inner: str = "") -> list[str]:
    """List the files in an archive, sorted, without folders and what systems hide in archives.

    Args:
        path: A .zip, .npz, .tar, .tar.gz or .tgz.
        inner: The zip within it that is meant.

    Raises:
        ReadError: it is no such archive, a member's name would leave the folder, or a packed tar
            holds more than `MEMBERS` files.
    """
    index = _tar_index(path, inner) if _is_tar(path) else _zip_index(path, inner)
    names = sorted(name for name in index if not name.endswith("/") and not _hidden(name))
    if path.name.lower().endswith(PACKED_TAR_SUFFIXES) and len(names) > MEMBERS:
        raise ReadError(
            f"{path}: {len(names):,} files; at most {MEMBERS:,} are read of a packed tar, where "
            "each is reached by unpacking all before it: unpack it, or make it a zip"
        )
    return names


def read_bytes(source: Source, limit: int = LIMIT) -> bytes:
    """Read a whole file, or one member of an archive.

    Args:
        source: The file, and the member where it is an archive. A zip within a zip is parted by
            "!", as in `Source(path, "inner.npz!train_images.npy")`. Its index is not looked at.
        limit: The most bytes that a member may unpack to.

    Raises:
        ReadError: the file or the member is absent, damaged, encrypted, unpacks to too much, or
            changes while it is read.
    """
    try:
        if not source.member:
            return _read_whole(source.path)
        if _is_tar(source.path):
            return _untar(source, limit)
        return _unzip(source, limit)
    except OSError as problem:
        raise unreadable(source, problem) from problem


def _read_whole(path: Path) -> bytes:
    """Read a file, and see that nobody wrote to it meanwhile."""
    with open_file(path) as file:
        before = os.fstat(file.fileno()).st_mtime_ns
        raw = file.read()
        if os.fstat(file.fileno()).st_mtime_ns != before:
            raise ReadError(f"{path}: this file changed while it was read")
    return raw


def read_start(source: Source, count: int) -> bytes:
    """Read the first bytes of a file or a member, fewer where it has fewer.

    No more is unpacked, so that the whole is not checked: what it claims, and its checksum, are
    for `read_bytes` to judge.

    Raises:
        ReadError: as `read_bytes` does.
    """
    try:
        if source.member and (_is_tar(source.path) or _NESTED.match(source.member)):
            return read_bytes(source)[:count]
        if source.member:
            return _unzip(source, LIMIT, count)
        with open_file(source.path) as file:
            return file.read(count)
    except OSError as problem:
        raise unreadable(source, problem) from problem


def check_unpacked(unpacked: int, packed: int, limit: int, where: object) -> None:
    """Refuse what would unpack to too much, by the sizes that an archive claims.

    Raises:
        ReadError: it is more than `limit` bytes, or large and packed too well to be an image.
    """
    if unpacked > limit:
        raise ReadError(f"{where}: unpacks to {unpacked:,} bytes; at most {limit:,} are read")
    if unpacked > _LARGE and unpacked > RATIO * packed:
        ratio = unpacked // max(packed, 1)
        raise ReadError(f"{where}: unpacks {ratio}-fold; more than {RATIO}-fold is a bomb")


def _is_tar(path: Path) -> bool:
    return path.name.lower().endswith(TAR_SUFFIXES)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _check_names(names: Iterable[str], path: Path) -> None:
    for name in names:
        if _UNSAFE.search(name):
            raise ReadError(f"{path}: refused, since the member {name!r} leaves its folder")


@once(keep=8)
def _zip_index(path: Path, member: str) -> dict[str, ZipInfo]:
    """Read the table of contents of a zip, or of a zip that is a member of one."""
    try:
        with ZipFile(BytesIO(read_bytes(Source(path, member))) if member else path) as archive:
            index = _index(archive, Source(path, member))
    except (BadZipFile, ValueError, NotImplementedError) as problem:
        where = Source(path, member)
        raise ReadError(f"{where}: no zip archive, or damaged: {one_line(problem)}") from problem
    except OSError as problem:
        raise unreadable(path, problem) from problem
    _check_names(index, path)
    return index


def _index(archive: ZipFile, where: Source) -> dict[str, ZipInfo]:
    """List members by name; copies count once, and two under one name are refused."""
    index: dict[str, ZipInfo] = {}
    for info in archive.infolist():
        other = index.setdefault(info.filename, info)
        if (other.CRC, other.file_size) != (info.CRC, info.file_size):
            raise ReadError(f"{where}: two different members are called {info.filename!r}")
    return index


def _unzip(source: Source, limit: int, start: int | None = None) -> bytes:
    nested = _NESTED.match(source.member)
    outer, name = nested.groups() if nested else ("", source.member)
    info = _zip_index(source.path, outer).get(name)
    if info is None:
        raise ReadError(f"{source}: the archive has no such member")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ReadError(f"{source}: encrypted, or not packed by deflate: pack it anew")
    check_unpacked(info.file_size, info.compress_size, limit, source)
    if outer:
        return _inflate(BytesIO(read_bytes(Source(source.path, outer), limit)), info, source)
    with open_file(source.path) as file:
        return _inflate(file, info, source, start)


def _inflate(file: BinaryIO, info: ZipInfo, where: Source, start: int | None = None) -> bytes:
    """Read one member, or its start: its local header tells how far its data lie behind it."""
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER)
    if not header.startswith(b"PK\x03\x04") or len(header) < _LOCAL_HEADER:
        raise ReadError(f"{where}: the archive is damaged: no member where its table says")
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    file.seek(info.header_offset + _LOCAL_HEADER + names)
    if start is not None:
        return _inflate_start(file, info, where, start)
    raw = file.read(info.compress_size)
    if info.compress_type == ZIP_DEFLATED:
        raw = inflate_bare(raw, info.file_size, str(where))
    if len(raw) != info.file_size or zlib.crc32(raw) != info.CRC:
        raise ReadError(f"{where}: damaged or cut short: its checksum does not fit")
    return raw


def _inflate_start(file: BinaryIO, info: ZipInfo, where: Source, start: int) -> bytes:
    """Read as much of a member as its start takes, which deflate makes little longer at most."""
    packed = file.read(min(info.compress_size, start + start // 8 + 1024))
    if info.compress_type == ZIP_STORED:
        return packed[:start]
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, start)
    except zlib.error as problem:
        raise ReadError(f"{where}: damaged: {one_line(problem)}") from problem


@once(keep=2)
def _tar_index(path: Path, _: str) -> dict[str, tarfile.TarInfo]:
    """Walk a tar once. Links and devices are left out: they are no images."""
    index, total = {}, 0
    try:
        with tarfile.open(path) as archive:
            for info in archive:
                total += info.size
                check_unpacked(total, total, 2 * LIMIT, Source(path))
                if info.isreg() and info.name in index:
                    raise ReadError(f"{path}: two members are called {info.name!r}")
                if info.isreg():
                    index[info.name] = info
            _check_end(archive, total, path)
    except (tarfile.TarError, EOFError, zlib.error, BadGzipFile) as problem:
        raise ReadError(f"{path}: damaged or cut short: {one_line(problem)}") from problem
    except OSError as problem:
        raise unreadable(path, problem) from problem
    _check_names(index, path)
    return index


def _check_end(archive: tarfile.TarFile, total: int, path: Path) -> None:
    """Refuse a tar that does not end with empty blocks, which tarfile takes for its end anyway.

    All that follows is unpacked too, since the checksum of what gzip has packed stands last.
    """
    packed = archive.fileobj
    if packed is None:
        return
    packed.seek(archive.offset)
    if packed.read(tarfile.BLOCKSIZE) != tarfile.NUL * tarfile.BLOCKSIZE:
        raise ReadError(f"{path}: damaged or cut short: no end behind its last member")
    while piece := packed.read(_PIECE):
        total += len(piece)
        check_unpacked(total, total, 2 * LIMIT, Source(path))


def _untar(source: Source, limit: int) -> bytes:
    info = _tar_index(source.path, "").get(source.member)
    if info is None:
        raise ReadError(f"{source}: the archive has no such member")
    check_unpacked(info.size, info.size, limit, source)
    try:
        with tarfile.open(source.path) as archive:
            member = archive.extractfile(info)
            raw = b"" if member is None else member.read()
    except (tarfile.TarError, EOFError, zlib.error, BadGzipFile) as problem:
        raise ReadError(f"{source}: damaged or cut short: {one_line(problem)}") from problem
    if len(raw) != info.size:
        raise ReadError(f"{source}: cut short: {len(raw)} of {info.size} bytes")
    return raw
