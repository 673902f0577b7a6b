"""Where what can be made again is kept: prepared images, digests of files, downloads.

One folder for each person, which may be deleted at any time. The environment variable
MEDCLF_CACHE names it; without it the place is that of the XDG specification.

Source: freedesktop.org, XDG Base Directory Specification 0.8.
"""

import os
from pathlib import Path

from medclf.errors import SettingError


def cache_folder() -> Path:
    """Name the cache folder; it need not exist yet.

    Returns:
        MEDCLF_CACHE, else `medclf` in XDG_CACHE_HOME, else `~/.cache/medclf`.

    Raises:
        SettingError: none of them is set and there is no home folder.
    """
    named = os.environ.get("MEDCLF_CACHE")
    if named:
        return Path(named)
    shared = os.environ.get("XDG_CACHE_HOME", "")
    if Path(shared).is_absolute():
        return Path(shared) / "medclf"
    try:
        return Path.home() / ".cache" / "medclf"
    except RuntimeError as problem:
        raise SettingError(
            "a folder for the cache wanted, found no home: set MEDCLF_CACHE"
        ) from problem
