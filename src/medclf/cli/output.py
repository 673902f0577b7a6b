"""Files that a command writes because the person named them: whole, or not at all.

Whether a file can come to its place is asked before the work that makes it, not after.
"""

import os
from collections.abc import Callable
from pathlib import Path

from medclf.core.whole import whole_file, write_whole
from medclf.errors import SettingError


def expect_place(path: Path | None) -> None:
    """Check that a file can come to be at a path.

    Args:
        path: As named by --out; `None` where it was not.

    Raises:
        SettingError: it is a folder, or its folder is not there or not to be written in.
    """
    if path is None:
        return
    if path.is_dir():
        raise SettingError(f"{path}: the name of a file to write wanted, found a folder")
    if not path.parent.is_dir():
        raise SettingError(f"{path}: cannot be written: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise SettingError(f"{path}: cannot be written: the folder may not be written in")


def expect_folder(path: Path | None) -> None:
    """Check that files can come to be in a folder, which is made where it is not there.

    Args:
        path: As named by an option; `None` where it was not.

    Raises:
        SettingError: it is a file, or it cannot be made or not be written in.
    """
    if path is None:
        return
    there = next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
    if not there.is_dir():
        raise SettingError(f"{path}: the name of a folder to write in wanted, {there} is a file")
    if not os.access(there, os.W_OK):
        raise SettingError(f"{path}: cannot be written: the folder {there} may not be written in")


def write_output(path: Path, content: str | Callable[[Path], None]) -> None:
    """Write a file.

    Args:
        content: The text, or what writes the file to a path that it is given.

    Raises:
        RunError: it cannot be written; nothing of it stays, and what was there before does.
    """
    if isinstance(content, str):
        write_whole(path, content)
        return
    with whole_file(path) as part:
        content(part)
