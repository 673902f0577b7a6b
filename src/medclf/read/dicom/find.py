"""Find the DICOM series in a folder tree, a zip, or the disc that a DICOMDIR describes.

Headers alone are read, in several threads. Files are grouped by patient, study and series, and
a series is parted where it holds more than one image. All else, from reports to hidden files, is
listed with the reason why it is no image. Links that lead out of the folder are not followed.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from medclf.core.record import Source
from medclf.core.remark import Remark
from medclf.errors import ReadError
from medclf.read.archive import is_archive, list_members, read_bytes
from medclf.read.dicom.dicomdir import NAME, read_dicomdir, resolve
from medclf.read.dicom.glance import LeftOut, Seen, look
from medclf.read.dicom.part import part
from medclf.read.refuse import legible


@dataclass(frozen=True)
class Series:
    """One image, found by the headers of its files.

    Args:
        source: Its file, or its files as `parts`; with remarks on why it was parted from others
            of its series, and on files that are damaged.
        patient: PatientID.
        study: StudyInstanceUID.
        accession: AccessionNumber.
        uid: SeriesInstanceUID; several images may share it.
        modality: The DICOM code.
        description: SeriesDescription.
    """

    source: Source
    patient: str
    study: str
    accession: str
    uid: str
    modality: str
    description: str

    @property
    def files(self) -> int:
        """How many files it lies in."""
        return len(self.source.parts) or 1


@dataclass(frozen=True)
class Found:
    """What was found.

    Args:
        root: Where was searched.
        series: All images, by patient, study and series.
        left_out: All other files, in order.
    """

    root: Path
    series: tuple[Series, ...]
    left_out: tuple[LeftOut, ...]


def find_series(root: Path) -> Found:
    """Find every image in DICOM files.

    Args:
        root: A folder, a zip, or a DICOMDIR.

    Raises:
        ReadError: it is none of these, damaged, or names files outside of its folder.
    """
    return sort_files(root, list(_list_files(root)))


def sort_files(root: Path, listed: Sequence[Source | LeftOut]) -> Found:
    """Find every image in DICOM files that were listed before.

    Args:
        root: Where they lie.
        listed: Files, those among them that are left out unread.
    """
    seen: dict[tuple[str, ...], list[Seen]] = {}
    left_out = []
    with ThreadPoolExecutor() as pool:
        looked = pool.map(look, (file for file in listed if isinstance(file, Source)))
        for file in listed:
            found = next(looked) if isinstance(file, Source) else file
            if isinstance(found, LeftOut):
                left_out.append(found)
            else:
                seen.setdefault(_key(found), []).append(found)
    for key, some in seen.items():
        seen[key], copies = _part_copies(some)
        left_out += copies
    hurt = Counter(file.series for file in left_out if file.series)
    series = [one for key in sorted(seen) for one in _part_series(seen[key], hurt)]
    return Found(root, tuple(series), tuple(left_out))


def _list_files(root: Path) -> Iterator[Source | LeftOut]:
    if root.is_dir():
        yield from _walk(root)
    elif root.name.upper() == NAME and root.is_file():
        yield from _list_disc(root)
    elif root.is_file() and is_archive(root):
        yield from (Source(root, name) for name in list_members(root))
    else:
        raise ReadError(f"{root}: a folder, a zip or a DICOMDIR of DICOM files wanted")


def _list_disc(index: Path) -> Iterator[Source | LeftOut]:
    """List what a DICOMDIR names, and files beside those that it should have named."""
    real, named = index.parent.resolve(), {index}
    for name in read_dicomdir(index):
        path = resolve(index.parent, name)
        if path is None:
            yield LeftOut(Source(index.parent / name), "named by the DICOMDIR, but absent")
            continue
        found = _inside(path, real)  # Its folders may be links, too.
        yield found
        if isinstance(found, Source):
            named.add(path)
    for folder in sorted({path.parent for path in named - {index}}):
        for path in sorted(folder.iterdir()):
            if path.is_file() and path not in named:
                yield LeftOut(Source(path), "not named by the DICOMDIR")


def _walk(root: Path) -> Iterator[Source | LeftOut]:
    real = root.resolve()
    for folder, below, files in os.walk(root):
        here = Path(folder)
        for name in sorted(below):
            hidden = name.startswith(".")
            if hidden or (here / name).is_symlink():
                reason = "hidden" if hidden else "a link to a folder, which is not followed"
                yield LeftOut(Source(here / name), reason)
                below.remove(name)
        below.sort()
        for name in sorted(files):
            if name.startswith("."):
                yield LeftOut(Source(here / name), "hidden")
            else:
                path = here / name
                yield _inside(path, real) if path.is_symlink() else Source(path)


def _inside(path: Path, real: Path) -> Source | LeftOut:
    if not path.resolve().is_relative_to(real):
        return LeftOut(Source(path), "a link that leaves the folder")
    return Source(path)


def _key(seen: Seen) -> tuple[str, ...]:
    """Group by patient, study and series; a file that names no series stands by its folder."""
    patient, study, _, series, _ = seen.whose
    source = seen.header.source
    folder = "" if series else f"{source.path.parent}/{source.member.rpartition('/')[0]}"
    return patient, study, series, folder


def _part_copies(seen: Sequence[Seen]) -> tuple[list[Seen], list[LeftOut]]:
    """Part from images without a place the exact copies of them; others are the reader's."""
    firsts: dict[str, Source] = {}
    kept, copies = list[Seen](), list[LeftOut]()
    for one in seen:
        instance, source = one.header.instance, one.header.source
        alone = instance and not one.header.placed and not one.header.concatenation
        first = firsts.setdefault(instance, source) if alone else source
        if first is not source and read_bytes(first) == read_bytes(source):
            copies.append(LeftOut(source, "an exact copy of another file"))
        else:
            kept.append(one)
    return kept, copies


def _part_series(seen: Sequence[Seen], hurt: Mapping[str, int]) -> Iterator[Series]:
    """Part the files of one series into images; say why, and whether files of it are damaged."""
    headers = [one.header for one in seen]
    groups = part(headers)
    for group in groups:
        files = sorted(headers[i].source for i in group.members)
        first = seen[group.members[0]]
        patient, study, accession, uid, description = first.whose
        name = legible(", ".join(filter(None, (uid or "no series", group.name))), "")
        remarks = []
        if len(groups) > 1:
            told = f"the series holds {len(groups)} images; this is {group.name}"
            remarks.append(Remark("parted", legible(told, "")))
        if hurt.get(uid):
            told = f"files of the series that cannot be read and are left out: {hurt[uid]}"
            remarks.append(Remark("damaged", told, grave=True))
        modality = first.header.form.modality
        source = replace(_join(files, name), remarks=tuple(remarks))
        yield Series(source, patient, study, accession, uid, modality, description)


def _join(files: Sequence[Source], name: str) -> Source:
    """Make one source of the files of an image: in their archive, or the folder that holds all."""
    if len(files) == 1:
        return files[0]
    if files[0].member:
        return Source(files[0].path, name, parts=tuple(files))
    folder = os.path.commonpath([file.path.parent for file in files])
    return Source(Path(folder), name, parts=tuple(files))
