"""DICOMDIR, the index of a disc, names the files that belong to it.

Each name is a list of folders and a file below the DICOMDIR. Discs are often copied with other
cases of letters than the index has, so that these do not count where the exact name is absent.

Source: DICOM PS3.10, 8.6, and PS3.3, F.3.
"""

import re
from io import BytesIO
from pathlib import Path

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.archive import read_bytes
from medclf.read.quiet import PYDICOM
from medclf.read.refuse import quote

NAME = "DICOMDIR"

_UNSAFE = re.compile(r"^$|^\.{1,2}$|[/\\\0]|^[A-Za-z]:")


def read_dicomdir(path: Path) -> list[str]:
    """List the files that a DICOMDIR names, as paths with slashes below its folder.

    Raises:
        ReadError: it is no DICOMDIR, names no file, or one outside of its folder.
    """
    from pydicom import dcmread

    raw = read_bytes(Source(path))
    try:
        with PYDICOM:
            dataset = dcmread(BytesIO(raw), specific_tags=["DirectoryRecordSequence"])
            records = list(dataset.DirectoryRecordSequence)
            stated = [record.get("ReferencedFileID") for record in records]
            named = [
                [one] if isinstance(one, str) else list(map(str, one)) for one in stated if one
            ]
    except Exception as problem:  # pydicom has no closed list of what damaged files raise.
        kind = type(problem).__name__
        raise ReadError(
            f"{path}: a DICOMDIR wanted, its index cannot be read ({kind})"
        ) from problem
    found = []
    for parts in named:
        if any(_UNSAFE.search(part) for part in parts):
            raise ReadError(
                f"{path}: refused, since the entry {quote('/'.join(parts))} leaves its folder"
            )
        found.append("/".join(parts))
    if not found:
        raise ReadError(f"{path}: a DICOMDIR that names files wanted, found none in its index")
    return found


def resolve(folder: Path, name: str) -> Path | None:
    """Find a named file below a folder, in another case of letters if need be."""
    try:
        return _find(folder, name)
    except OSError:  # Its name is longer than any may be, or a folder may not be looked into.
        return None


def _find(folder: Path, name: str) -> Path | None:
    if (folder / name).is_file():
        return folder / name
    here = folder
    for part in name.split("/"):
        mates = sorted(p for p in here.iterdir() if p.name.casefold() == part.casefold())
        if not mates:
            return None
        here = mates[0]
    return here if here.is_file() else None
