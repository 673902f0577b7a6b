"""Label and fill: about located vertebrae a simple map of labels, grown over bone.

It serves every system of landmarks, and needs no training of its own: how far a label may grow
goes by how far landmarks lie apart in training scans. Bone is what is bright on CT, from 350 HU
on, so it is for CT only. Where bones touch each other the border lies midway, ribs belong to their
vertebra for a part of their way, metal is taken for bone, and a vertebra that was not found is
shared out among its neighbours or left out.

Source: that located vertebrae start a segmentation, Suzani et al. Fast Automatic Vertebrae
Detection and Localization in Pathological CT Scans - A Deep Learning Approach. MICCAI 2015; the way
is that of `medclf.locate.grow`, not the paper's.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medclf.core.finding import Finding, Findings
from medclf.core.image import Image
from medclf.core.record import Source
from medclf.core.whole import whole_file
from medclf.errors import ReadError, SettingError
from medclf.locate.grow import FAR, Seeds, grow
from medclf.locate.row import local_axes
from medclf.locate.scans import Scan
from medclf.prepare.crop import Box, crop
from medclf.read.image import read_image
from medclf.read.write import write_image
from medclf.systems.measure import targets_mm
from medclf.systems.search import Folder

BONE_HU = 350.0

MOST_KINDS = 255
"""Numbers of a label map, beside 0."""

KEY = "labels.csv"
"""What the numbers of label maps mean."""


def learn_sizes(scans: Sequence[Scan], kinds: Sequence[str]) -> dict[str, float]:
    """Learn how far each landmark lies from its nearest neighbour, in mm, on average.

    Args:
        scans: Of training, with their targets in mm.
        kinds: Those that never have a neighbour are as all are on average.
    """
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for scan in scans:
        if len(scan.targets) > 1:
            for target, size in zip(scan.targets, _nearest(targets_mm(scan)), strict=True):
                found[target.kind].append(float(size))
    usual = [size for some in found.values() for size in some]
    return {kind: float(np.mean(some or usual)) for kind, some in found.items() if some or usual}


def expect_fillable(folder: Folder, files: Sequence[Path]) -> tuple[dict[str, float], list[str]]:
    """Check that label maps can be made, before anything is searched.

    Returns:
        The sizes that were learnt, and the names of maps.

    Raises:
        SettingError: the system finds other things than landmarks, or too many, or two files have
            one name.
    """
    sizes: dict[str, float] = folder.facts.get("sizes_mm", {})
    if not sizes:
        raise SettingError(f"{folder.path}: a run that locates several landmarks wanted, to fill")
    if len(folder.search.kinds) > MOST_KINDS:
        found = len(folder.search.kinds)
        raise SettingError(f"{folder.path}: {MOST_KINDS} landmarks at most wanted, found {found}")
    names = [_plain(path) for path in files]
    if len(set(names)) < len(names):
        raise SettingError(f"files of different names wanted, found {', '.join(names)}")
    return sizes, names


def fill_files(
    folder: Folder, searched: Sequence[Findings], out: Path, series: str | None = None
) -> list[str]:
    """Write label maps of scans that were searched, and what their numbers mean.

    Args:
        folder: Of a system of landmarks.
        searched: What it found, in each file that could be searched.
        out: A folder; it comes to hold a NIfTI file for each, on the voxels of the file.
        series: Which volume of a folder is meant, as `Folder.find_image` has it.

    Returns:
        Why some have no map: a file says that it is no CT.

    Raises:
        SettingError: as `expect_fillable` says.
        RunError: a map cannot be written.
    """
    paths = [Path(one.name) for one in searched]
    sizes, names = expect_fillable(folder, paths)
    kinds, refused = folder.search.kinds, []
    with whole_file(out / KEY) as part:
        out.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as file:
            rows = [("number", "kind"), *enumerate(kinds, start=1)]
            csv.writer(file, lineterminator="\n").writerows(rows)
    for path, name, one in zip(paths, names, searched, strict=True):
        try:
            image = _read_ct(folder.find_image(path, series))
        except ReadError as problem:
            refused.append(str(problem))
            continue
        sure = [finding for finding in one.found if finding.sure]
        filled = Image(fill_scan(image, sure, kinds, sizes)[None], image.grid)
        with whole_file(out / f"{name}.nii.gz") as part:
            part.write_bytes(write_image(filled, ".nii.gz")[0])
    return refused


def _read_ct(source: Source) -> Image:
    """Read a scan in HU; what does not say what it is counts as one."""
    image = read_image(source)
    found = "" if image.modality in ("", "CT") else image.modality
    if image.phases or image.channels > 1:
        found = "phases" if image.phases else "colours"
    if found:
        raise ReadError(f"{source}: a still CT in HU wanted, to fill, found {found}")
    return image


def fill_scan(
    image: Image, sure: Sequence[Finding], kinds: Sequence[str], sizes_mm: Mapping[str, float]
) -> NDArray[np.uint8]:
    """Label the voxels of a scan in HU.

    Args:
        image: (1, Z, Y, X), in its place.
        sure: Landmarks in it.
        kinds: Their numbers are counted from 1.
        sizes_mm: As `learn_sizes` gives them.

    Returns:
        (Z, Y, X).
    """
    labels = np.zeros(image.space, np.uint8)
    if not sure:
        return labels
    places = np.array([one.at_mm for one in sure])
    sizes = np.array([sizes_mm[one.kind] for one in sure])
    main = np.linalg.svd(places - places.mean(0))[2][0] if len(sure) > 1 else np.array([1.0, 0, 0])
    axes = local_axes(places, np.ones(len(sure)), main, 2 * float(sizes.max()))
    reach = (1 + FAR) * float(sizes.max()) / np.array(image.grid.spacing_mm)
    samples = image.grid.from_mm(places)
    low = np.clip(np.floor(samples.min(0) - reach), 0, np.array(image.space) - 1).astype(int)
    high = np.clip(np.ceil(samples.max(0) + reach) + 1, low + 1, image.space).astype(int)
    part, _ = crop(image, Box(tuple(low.tolist()), tuple(high.tolist())))
    grown = grow(part.values[0], part.grid, Seeds(places, axes, sizes), BONE_HU)
    numbers = np.array([0, *(kinds.index(one.kind) + 1 for one in sure)], np.uint8)
    labels[tuple(slice(*ends) for ends in zip(low, high, strict=True))] = numbers[grown]
    return labels


def _nearest(places_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    far = np.linalg.norm(places_mm[:, None] - places_mm[None], axis=-1)
    np.fill_diagonal(far, np.inf)
    return np.asarray(far.min(1))


def _plain(path: Path) -> str:
    """Take the name of a file without its ending; "." and ".." are called what they lead to."""
    if path.name in ("", ".."):
        return path.resolve().name
    return path.name if path.is_dir() else path.name.removesuffix(".gz").rsplit(".", 1)[0]
