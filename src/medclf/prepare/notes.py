"""What readers remarked of images, kept with what was prepared of them.

A store is made once and read by no reader after that: remarks lie in its folder, beside the values,
under what an image is made of, whatever it is called.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from medclf.core.record import Source
from medclf.core.remark import Remark
from medclf.prepare.digest import FileDigest, digest_parts, write_row

REMARKS = "remarks.json"

KEY_LETTERS = 32

Noted = dict[str, tuple[Remark, ...]]
"""Remarks by what an image is made of; of those images only of which there is any."""


def name_image(source: Source, files: Mapping[Path, FileDigest]) -> str:
    """Name an image by what it is made of, whatever is marked in it."""
    whole = replace(source, point=None, mask=None)
    line = write_row(whole, digest_parts(whole, files))
    return hashlib.sha256(line).hexdigest()[:KEY_LETTERS]


def list_noted(noted: Noted) -> list[Any]:
    """List remarks as JSON can hold them."""
    return [[key, [asdict(remark) for remark in found]] for key, found in noted.items()]


def unlist_noted(told: list[Any]) -> Noted:
    """Take remarks from what `list_noted` gave.

    Raises:
        ValueError: it gave no such thing.
        TypeError: likewise.
    """
    return {key: tuple(Remark(**remark) for remark in found) for key, found in told}


def read_noted(store: Path) -> Noted:
    """Read what was remarked of the images of a store; no file tells that nothing was."""
    try:
        return unlist_noted(json.loads((store / REMARKS).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return {}
