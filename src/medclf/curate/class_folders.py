"""Folders of images tell class and split: a folder per class, with or without splits above.

Folders named train, val or test state the split; the folders below are the classes, and images may
lie at any depth in them.
"""

from collections import Counter
from pathlib import Path

from medclf.core.record import Record, Source
from medclf.curate.folder import Listing
from medclf.curate.problem import count
from medclf.curate.task import Worded
from medclf.errors import CohortError

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


def read_class_folders(listing: Listing) -> Worded:
    """Take each image as an exam whose class is the folder that it lies in; patients are not known.

    Raises:
        CohortError: no image lies in a folder, folders lie beside those of the splits, or a volume
            has slices in folders of several classes or splits.
    """
    paths = {name: name.split("/")[:-1] for name in listing.images}
    top = _top(list(paths.values()), in_zip=listing.root.is_file())
    notes = listing.tell_skipped()
    if top:
        notes.append(f"Everything lies in {'/'.join(next(iter(paths.values()))[:top])}/.")
    splits = _splits({folders[top] for folders in paths.values() if len(folders) > top}, listing)
    at = top + bool(splits)
    for name, source in listing.images.items():
        _expect_one_class(name, source, at, listing.root)
    inside = {name: folders for name, folders in paths.items() if len(folders) > at}
    if not inside:
        raise CohortError(
            f"{listing.root}: a folder per class wanted, found {len(paths)} images in no folder"
        )
    if above := len(paths) - len(inside):
        notes.append(f"Left out: {count(above, 'image')} above the folders of the classes.")
    notes.append("The classes are the names of the folders.")
    records = tuple(
        Record(name, {"image": listing.images[name]}, "", split=splits.get(folders[top], ""))
        for name, folders in inside.items()
    )
    return Worded(records, tuple(folders[at] for folders in inside.values()), tuple(notes))


def _expect_one_class(name: str, source: Source, at: int, root: Path) -> None:
    """Refuse a volume whose slices lie in folders of several classes, which are then of slices."""
    names = (part.member or part.path.relative_to(root).as_posix() for part in source.parts)
    found = sorted({"/".join(file.split("/")[:-1][: at + 1]) for file in names})
    if len(found) > 1:
        told = " and ".join(f"{folder}/" if folder else "no folder" for folder in found[:2])
        raise CohortError(
            f"{root}: each volume in the folder of one class wanted, found slices of {name!r} in "
            f"{told}: say --slices where each file has a class of its own"
        )


def _top(folders: list[list[str]], *, in_zip: bool) -> int:
    """Count the folders that everything lies in and that are neither split nor class.

    A zip often holds one folder that holds all. In a folder we take the person at their word,
    unless splits lie below.
    """
    top = 0
    while folders and all(len(some) > top for some in folders):
        here = {some[top].lower() for some in folders}
        below = {some[top + 1].lower() for some in folders if len(some) > top + 1}
        if len(here) > 1 or here <= set(SPLIT_WORDS) or not below:
            break
        if not in_zip and not below <= set(SPLIT_WORDS):
            break
        top += 1
    return top


def _splits(first: set[str], listing: Listing) -> dict[str, str]:
    """Tell the split of each folder, or nothing where the folders are no splits."""
    found = {
        folder: SPLIT_WORDS[folder.lower()] for folder in first if folder.lower() in SPLIT_WORDS
    }
    if len(found) < len(first) and "train" not in found.values():
        return {}
    if beside := sorted(first - set(found)):
        raise CohortError(
            f"{listing.root}: beside {', '.join(sorted(found))} only folders of splits are wanted, "
            f"found {', '.join(beside[:3])}"
        )
    twice = [split for split, n in Counter(found.values()).items() if n > 1]
    if twice:
        told = ", ".join(sorted(folder for folder in found if found[folder] == twice[0]))
        raise CohortError(f"{listing.root}: one folder for {twice[0]} wanted, found {told}")
    return found
