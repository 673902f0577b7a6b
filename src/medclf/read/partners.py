"""Which files on disk an image is made of: its own, and those that its header names.

What is kept under the digest of an image's files must change when any of them does, so the files
are found without reading pixels: the beginning of a header tells them.
"""

from dataclasses import replace
from pathlib import Path

from medclf.core.record import Source
from medclf.errors import ReadError
from medclf.read.analyze import SIGNATURES as ANALYZE
from medclf.read.beside import beside, find_beside
from medclf.read.metaimage import SIGNATURES as META
from medclf.read.metaimage import name_metaimage_data
from medclf.read.nifti import PIXELS
from medclf.read.nrrd import SIGNATURE as NRRD
from medclf.read.nrrd import name_nrrd_data
from medclf.read.refuse import open_file

HEADER_SUFFIXES = (".hdr", ".hdr.gz", ".mhd", ".mha", ".nhdr", ".nrrd")
"""Endings of files that may be headers alone."""

PARTNER_SUFFIXES = (".img", ".img.gz", ".raw", ".raw.gz", ".zraw")
"""Pixels without a header, which belong to another file and are no images of their own."""

_HEAD = 2**20


def files_of(source: Source) -> tuple[Path, ...]:
    """List the files on disk that an image is made of.

    Args:
        source: The image; of several parts, the files of all of them.

    Returns:
        Its own file first. What a damaged header does not tell is left out: reading refuses it.
    """
    if source.mask is not None:
        return (*files_of(replace(source, mask=None)), *files_of(source.mask))
    if source.parts:
        return tuple(dict.fromkeys(path for part in source.parts for path in files_of(part)))
    if source.member or not source.path.name.lower().endswith(HEADER_SUFFIXES):
        return (source.path,)
    try:
        return (source.path, *_beside(source))
    except (OSError, ReadError):
        return (source.path,)


def _beside(source: Source) -> list[Path]:
    with open_file(source.path) as file:
        head = file.read(_HEAD)
    name = None
    if head.startswith(META):
        name = name_metaimage_data
    elif head.startswith(NRRD):
        name = name_nrrd_data
    elif not head.startswith(ANALYZE) and not source.path.name.lower().endswith(".gz"):
        return []
    if name is None:
        return [find_beside(source, *PIXELS).path]
    return [beside(source, each).path for each in name(head, str(source))]
