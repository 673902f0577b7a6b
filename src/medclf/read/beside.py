"""Files that belong to an image and lie beside it: the pixels of a header that stands alone.

A header may name its partner as it likes; only a file in the header's own folder, or below it, is
opened. In an archive, the partner is another member of it.
"""

import re
from pathlib import PurePosixPath

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.archive import list_members, read_bytes
from medclf.read.refuse import quote

_OUTSIDE = re.compile(r"^[/\\~]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|[\0\r\n]")

_PATTERN = re.compile(
    r"([^%]*)%(0?\d?)d([^%]*?) +(\d{1,9}) +(\d{1,9})(?: +(\d{1,9})(?: +\d)?)?", re.ASCII
)


def beside(source: Source, name: str) -> Source:
    """Tell where the partner of a file is.

    Args:
        source: The header: a file, or a member of an archive.
        name: The partner's path as the header says it, from the header's folder.

    Raises:
        ReadError: it would lie outside of that folder, also by a symbolic link.
    """
    name = name.strip().replace("\\", "/")
    if not name or _OUTSIDE.search(name):
        told = f"its data {quote(name)} would lie outside its folder"
        raise ReadError(f"{source}: refused, since {told}")
    if source.member:
        outer, bang, inner = source.member.rpartition("!")
        member = str(PurePosixPath(inner).parent / name)
        return Source(source.path, f"{outer}{bang}{member}")
    folder = source.path.parent
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise ReadError(f"{source}: refused, since its data {quote(name)} lead out of its folder")
    return Source(folder / name)


def read_beside(source: Source, name: str) -> bytes:
    """Read the partner of a file.

    Raises:
        ReadError: it would lie outside of the folder, or is absent, or cannot be read.
    """
    partner = beside(source, name)
    try:
        return read_bytes(partner)
    except ReadError as problem:
        raise ReadError(f"{source}: its data are not there: {problem}") from problem


def number_names(pattern: str, most: int) -> list[str]:
    """List the files that a pattern with a range of numbers stands for.

    Args:
        pattern: As C's printf wants it, then first, last and perhaps a step.
        most: Names at which to stop.

    Returns:
        Nothing where it is no such pattern.

    Example:
        >>> number_names("slice%02d.raw 8 10", 99)
        ['slice08.raw', 'slice09.raw', 'slice10.raw']
    """
    parts = _PATTERN.fullmatch(pattern)
    if parts is None:
        return []
    before, width, after, *numbers = parts.groups()
    first, last, step = (int(number or 1) for number in numbers)
    numbered = range(first, last + 1, max(step, 1))[:most]
    return [f"{before}{number:{width}d}{after}" for number in numbered]


def find_beside(source: Source, *suffixes: str) -> Source:
    """Find the file that bears the same name but another ending.

    Args:
        source: The header.
        suffixes: Endings of the partner, in the order in which they are tried, in small letters;
            in capitals if the header's is.

    Raises:
        ReadError: none is there.
    """
    file = PurePosixPath(source.member or source.path.name).name
    stem, _, ending = file.removesuffix(".gz").rpartition(".")
    names = [stem + (suffix.upper() if ending.isupper() else suffix) for suffix in suffixes]
    for partner in (beside(source, name) for name in names):
        if _is_there(partner):
            return partner
    raise ReadError(f"{source}: a header alone: {' or '.join(names)} with its pixels wanted beside")


def _is_there(source: Source) -> bool:
    if not source.member:
        return source.path.exists()
    outer, _, inner = source.member.rpartition("!")
    return inner in list_members(source.path, outer)
