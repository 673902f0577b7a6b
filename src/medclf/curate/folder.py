"""Folders of images, on disk or in a zip: list what lies there, and find what a table names.

A listing sets apart images, tables and archives and counts the rest.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from medclf.core.record import Point, Source
from medclf.curate.problem import count
from medclf.errors import CohortError, ReadError
from medclf.read.archive import list_members
from medclf.read.datasets.table import DATASETS
from medclf.read.image import is_image
from medclf.read.partners import HEADER_SUFFIXES, PARTNER_SUFFIXES

TABLES = (".csv", ".tsv", ".parquet", ".xlsx")
HIDDEN = (".", "~$")  # "~$" begins the file that Excel keeps beside an open workbook


@dataclass(frozen=True)
class Listing:
    """What lies below a folder or inside a zip; names are relative, with slashes, in order.

    Args:
        root: The folder or the zip.
        images: Where each image is, by name.
        tables: Likewise the tables.
        archives: Likewise the zips in a folder.
        skipped: How many other files there are, by suffix; hidden ones count as "hidden".
        outside: How many files lie behind links that lead out of the folder.
    """

    root: Path
    images: Mapping[str, Source]
    tables: Mapping[str, Source]
    archives: Mapping[str, Source]
    skipped: Mapping[str, int]
    outside: int = 0

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Full names by their last part, and by that without suffix."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.images:
            last = name.rpartition("/")[2]
            shorter = last.removesuffix(".gz").rpartition(".")[0]
            for key in {last, shorter} - {""}:
                found[key].append(name)
        return found

    @cached_property
    def _below(self) -> dict[str, set[str]]:
        """The folders that lie in each folder."""
        found: dict[str, set[str]] = defaultdict(set)
        for folder in {name.rpartition("/")[0] for name in self.images} - {""}:
            parts = folder.split("/")
            for depth, part in enumerate(parts):
                found["/".join(parts[:depth])].add(part)
        return found

    def find(self, text: str) -> Source | None:
        """Find an image by path, by file name, or by file name without suffix.

        Where several files bear the name, the one whose folders agree with the text is meant. A
        file in another folder than the text names is none, if there is a choice of such folders;
        else that of the files may merely be called otherwise here than where the text was written.

        Raises:
            CohortError: several do so equally well.
        """
        text = text.replace("\\", "/").removeprefix("./")
        if text in self.images:
            return self.images[text]
        parts = text.split("/")
        names = self._by_name.get(parts[-1], [])
        if not names:
            return None
        exact = [name for name in names if name.rpartition("/")[2] == parts[-1]] or names
        shared = {name: _shared(name.split("/")[:-1], parts[:-1]) for name in exact}
        most = max(shared.values())
        best = [name for name in exact if shared[name] == most]
        if len(best) > 1:
            told = ", ".join(best[:3])
            raise CohortError(f"{self.root}: {text!r} names {len(best)} images: {told}")
        above = best[0].split("/")[: -1 - most]
        chosen = above and len(parts) - 1 > most and len(self._below["/".join(above[:-1])]) > 1
        return None if chosen else self.images[best[0]]

    def tell_skipped(self) -> list[str]:
        """Note what was left out, and what was followed, if anything was."""
        notes = []
        if self.skipped:
            kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(self.skipped.items()))
            notes.append(f"Files that are no images were left out: {kinds}.")
        if self.outside:
            notes.append(f"Links lead to {count(self.outside, 'file')} outside of the folder.")
        return notes


def list_files(root: Path) -> Listing:
    """List the images and tables below a folder or inside a zip, without reading them.

    Raises:
        ReadError: neither a folder nor a zip, or damaged.
    """
    if root.is_dir():
        found = ((name, Source(root / name)) for name in _walk(root))
    elif root.exists():
        found = ((name, Source(root, name)) for name in sorted(list_members(root)))
    else:
        raise ReadError(f"{root}: a folder or a zip wanted, nothing found")
    images, tables, archives = {}, {}, {}
    skipped: Counter[str] = Counter()
    for name, source in found:
        suffix = PurePosixPath(name).suffix.lower()
        if name.endswith("/"):
            continue
        if any(part.startswith(HIDDEN) or part == "__MACOSX" for part in name.split("/")):
            skipped["hidden"] += 1
        elif suffix in TABLES:
            tables[name] = source
        elif suffix == ".zip":
            archives[name] = source
        elif is_image(source) and not (suffix == ".npz" and _packs_a_data_set(source)):
            images[name] = source
        else:
            skipped[suffix or "without suffix"] += 1
    if any(name.lower().endswith(HEADER_SUFFIXES) for name in images):
        skipped = Counter({kind: n for kind, n in skipped.items() if kind not in PARTNER_SUFFIXES})
    outside = _count_outside(root, images.values()) if root.is_dir() else 0
    return Listing(root, images, tables, archives, skipped, outside)


def _count_outside(root: Path, files: Iterable[Source]) -> int:
    """Count files that a link, or a link among their folders, takes out of the root."""
    real = os.path.realpath(root) + os.sep
    paths = [file.path for file in files]
    leaves = {
        p: not f"{os.path.realpath(p)}{os.sep}".startswith(real) for p in {q.parent for q in paths}
    }
    own = (p.is_symlink() and not os.path.realpath(p).startswith(real) for p in paths)
    return sum(leaves[path.parent] or out for path, out in zip(paths, own, strict=True))


def _packs_a_data_set(source: Source) -> bool:
    """Tell whether a file packs the images of many exams, and is therefore no image itself."""
    return not source.member and any(dataset.recognise(source.path) for dataset in DATASETS)


def _walk(root: Path) -> Iterator[str]:
    """Name all files below a folder in order; follow links, but into no folder twice."""
    seen: set[str] = set()
    for folder, below, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below.sort()
        inside = Path(folder).relative_to(root).as_posix()
        before = "" if inside == "." else f"{inside}/"
        yield from (before + file for file in sorted(files))


def _shared(one: list[str], other: list[str]) -> int:
    """Count the last folders that two paths share."""
    together = zip(reversed(one), reversed(other), strict=False)
    return next((i for i, (a, b) in enumerate(together) if a != b), min(len(one), len(other)))


def find_beside(folder: Path, text: str) -> Source | None:
    """Find a file by its path from a folder, also if written with backslashes."""
    for name in dict.fromkeys((text, text.replace("\\", "/"))):
        try:
            if (folder / name).is_file():
                return Source(folder / name)
        except (OSError, ValueError):  # Too long or otherwise impossible as a path.
            return None
    return None


def locate(
    texts: Sequence[Mapping[str, str]],
    find: Callable[[str], Source | None],
    where: str,
    points: Sequence[Point | None] = (),
    names: Sequence[str] = (),
) -> list[dict[str, Source]]:
    """Find the file of every cell; refuse missing files, and files that two cells name.

    Args:
        texts: The cells of each row, by image.
        find: Finds the file that a cell names.
        where: The table, for messages.
        points: What is marked in each row; a file may then be named once for each of its points.
        names: What each row is called in messages, where not by its cells.
    """
    sources: list[dict[str, Source]] = []
    missing: list[str] = []
    users: dict[Source, list[str]] = defaultdict(list)
    for row, (some, point) in enumerate(zip(texts, points or [None] * len(texts), strict=True)):
        found = {image: _mark(find(text), point) for image, text in some.items()}
        missing += [some[image] for image, source in found.items() if source is None]
        here = {image: source for image, source in found.items() if source is not None}
        for image, source in here.items():
            users[source].append(names[row] if names else some[image])
        sources.append(here)
    if missing:
        total = sum(map(len, texts))
        raise CohortError(
            f"{where}: {len(missing):,} of {count(total, 'file')} missing: {_first(missing)}; "
            "if they lie elsewhere, say --images FOLDER"
        )
    if twice := [" and ".join(dict.fromkeys(some)) for some in users.values() if len(some) > 1]:
        raise CohortError(
            f"{where}: one row per image wanted, {count(len(twice), 'image')} in several rows: "
            f"{_first(twice)}; several lesions of one image are told apart by points (--point), "
            "not by masks"
        )
    return sources


def _mark(source: Source | None, point: Point | None) -> Source | None:
    return source if source is None or point is None else replace(source, point=point)


def _first(names: Sequence[str]) -> str:
    """Tell the first three of many names, the long ones cut."""
    told = [name if len(name) <= 100 else f"{name[:100]}…" for name in names[:3]]
    return ", ".join([*told, "…"] if len(names) > 3 else told)
