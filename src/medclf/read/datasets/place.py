"""The files of a data set by bare name, whether they lie in a folder or in an archive."""

import os
import re
from collections import Counter
from pathlib import Path, PurePosixPath

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.archive import is_archive, list_members


def files_in(path: Path, names: re.Pattern[str]) -> dict[str, Source]:
    """Find the files of a data set whose bare names fit a pattern.

    Args:
        path: A folder, an archive, or one of the files: then the folder that it lies in is meant.
        names: What a whole bare name must match.

    Returns:
        Sources by bare name. A name that an archive holds twice, in different folders, is left
        out. Nothing where the path is another file or none, or a damaged archive.
    """
    if path.is_file() and is_archive(path):
        try:
            members = [m for m in list_members(path) if names.fullmatch(PurePosixPath(m).name)]
        except ReadError:  # Whoever reads this path, by whatever form, says what is wrong with it.
            return {}
        times = Counter(PurePosixPath(m).name for m in members)
        found = {PurePosixPath(m).name: Source(path, m) for m in members}
        return {name: source for name, source in found.items() if times[name] == 1}
    if path.is_file():
        return files_in(path.parent, names) if names.fullmatch(path.name) else {}
    if not path.is_dir():
        return {}
    with os.scandir(path) as entries:
        here = sorted(e.name for e in entries if names.fullmatch(e.name) and e.is_file())
    return {name: Source(path / name) for name in here}
