"""DICOM series as the images of exams: the files of a volume joined, and folders that hold one.

Scanners export a volume as hundreds of files, and a study as several series. Files that make one
image count as one; which of several is meant, `kinds` chooses.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from os.path import commonpath
from pathlib import Path

from medclf.core.record import Source
from medclf.curate.folder import Listing
from medclf.curate.headers import may_be_dicom
from medclf.curate.kinds import choose_images, part_pattern
from medclf.curate.problem import count, tell
from medclf.errors import ReadError, SettingError
from medclf.read.dicom.find import Found, Series, find_series, sort_files
from medclf.read.dicom.glance import LeftOut

NO_PICTURE = "holds no picture"


def join_files(listing: Listing) -> tuple[Listing, list[str]]:
    """Make one image of the DICOM files of each volume; what holds no picture is left out.

    Returns:
        The listing, in which a volume bears the name of the folder of its files, and notes.
    """
    names = {source: name for name, source in listing.images.items() if may_be_dicom(source)}
    if not names:
        return listing, []
    found = sort_files(listing.root, list(names))
    silent = {file.source for file in found.left_out if file.reason.startswith(NO_PICTURE)}
    images = {name: s for name, s in listing.images.items() if s not in names}
    images |= {names[f.source]: f.source for f in found.left_out if f.source not in silent}
    volumes = 0
    for series in found.series:
        if not series.source.parts:
            images[names[series.source]] = series.source
            continue
        volumes += 1
        inside = [names[part].rpartition("/")[0] for part in series.source.parts]
        folder = commonpath(inside) if all(inside) else ""
        name = series.description.replace("/", " ") or "series"  # A slash would part folders.
        images[free_name(f"{folder}/{name}" if folder else name, images)] = series.source
    notes = tell_left_out(f for f in found.left_out if f.source in silent)
    if volumes:
        files = sum(len(series.source.parts) for series in found.series)
        notes.append(
            f"{files:,} DICOM files are slices of {count(volumes, 'volume')}; --slices takes each "
            "file as an exam."
        )
    return replace(listing, images=dict(sorted(images.items()))), notes


def free_name(name: str, taken: Mapping[str, Source]) -> str:
    """Add a number to a name that is taken."""
    names = (name if n == 1 else f"{name} ({n})" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def read_folder(folder: Path, pattern: str | None) -> Source | None:
    """Find the one image in a folder of DICOM files; `None` where there is none.

    Raises:
        CohortError: there are several, and no pattern tells which is meant.
        SettingError: the pattern names several.
    """
    _expect_one(folder, pattern)
    return next(iter(_read_images(folder, pattern).values()), None)


def _read_images(folder: Path, pattern: str | None, usual: str | None = None) -> dict[str, Source]:
    exams = {folder.name: series} if (series := find_series(folder).series) else {}
    chosen = choose_images(exams, pattern, str(folder), usual).images
    return {image: one.source for some in chosen.values() for image, one in some.items()}


def find_images(path: Path, pattern: str | None, usual: str | None = None) -> dict[str, Source]:
    """Take a file as it is, and a folder as the volumes whose DICOM files lie in it, by name.

    Args:
        path: The file or folder.
        pattern: Which of several images are meant, as the person says.
        usual: Which kind is, where nobody says it and there are several.

    Raises:
        CohortError: the folder holds several images, and no pattern tells which is meant.
        ReadError: it holds none.
    """
    if not path.is_dir():
        return {"image": Source(path)}
    if found := _read_images(path, pattern, usual):
        return found
    told = "".join(f". {note}" for note in tell_left_out(find_series(path).left_out))
    raise ReadError(f"{path}: a file, or a folder with the DICOM files of a volume, wanted{told}")


def find_image(path: Path, pattern: str | None, usual: str | None = None) -> Source:
    """Do so where there is one image.

    Raises:
        SettingError: the pattern names several.
    """
    _expect_one(path, pattern)
    (found,) = find_images(path, pattern, usual).values()
    return found


def _expect_one(path: Path, pattern: str | None) -> None:
    if len(part_pattern(pattern)) > 1:
        raise SettingError(f"{path}: one series wanted here, --series {pattern!r} names several")


def by_key(found: Found, key: str) -> dict[str, list[Series]]:
    """Group series by what a table may name of them.

    Args:
        found: All of them.
        key: "uid", "study", "accession" or "patient".
    """
    groups: dict[str, list[Series]] = defaultdict(list)
    for series in found.series:
        if value := getattr(series, key):
            groups[value].append(series)
    return dict(groups)


def tell_left_out(files: Iterable[LeftOut]) -> list[str]:
    """Note how many files are no images, and why."""
    reasons = Counter(file.reason for file in files)
    if not reasons:
        return []
    told = tell((f"{reason} ({n:,})" for reason, n in reasons.most_common()), most=4)
    return [f"Left out: {count(sum(reasons.values()), 'file')}: {told}."]
