"""Microbleeds and their mimics planted into a real brain, so that the truth about it is exact.

Matter as dark as asked, relative to the tissue about each place, takes the share of each voxel that
a lesion fills after partial volume and point spread. It bears the grain of the tissue about it.
Voxels that no lesion reaches keep their values to the bit.

Source: the task, Dou et al. Automatic Detection of Cerebral Microbleeds From MR Images via 3D
Convolutional Neural Networks. IEEE Transactions on Medical Imaging 2016.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, median_filter

from medclf.core.image import Image
from medclf.curate.phantom.bleeds.lesion import (
    DRAW,
    LARGEST_MM,
    SMALLEST_MM,
    Shape,
    draw_bleed,
    fill_voxels,
)
from medclf.curate.phantom.bleeds.tissue import Mask, Places, find_brain, find_fluid
from medclf.curate.phantom.shapes import Array
from medclf.errors import SettingError

TRIES = 60
APART_MM = 4.0
"""Least distance between the surfaces of two lesions."""

RING_MM = 4.0
"""How far about a lesion the tissue is that its contrast refers to."""

MAD = 1.4826
WITHIN = 0.95
"""Least share of a lesion's voxels that lie in the brain."""


@dataclass(frozen=True)
class Planting:
    """What is planted.

    Args:
        bleeds, veins, calcifications: How many of each; fewer where the brain has no room.
        contrast: Least and most of the tissue's brightness that is lost.
        beside: Share of the lesions that lie beside vessels or fluid.
        psf_mm: Standard deviation of the point spread.
        sizes_mm: Diameter of the smallest bleed and of the largest.
    """

    bleeds: int = 6
    veins: int = 4
    calcifications: int = 3
    contrast: tuple[float, float] = (0.35, 0.85)
    beside: float = 0.5
    psf_mm: float = 0.8
    sizes_mm: tuple[float, float] = (SMALLEST_MM, LARGEST_MM)

    @property
    def kinds(self) -> list[str]:
        counts = (self.bleeds, self.veins, self.calcifications)
        return [kind for kind, count in zip(DRAW, counts, strict=True) for _ in range(count)]

    def draw(self, kind: str, rng: np.random.Generator) -> Shape:
        """Draw the shape of a lesion."""
        return draw_bleed(rng, self.sizes_mm) if kind == "bleed" else DRAW[kind](rng)


@dataclass(frozen=True)
class Planted:
    """One lesion as it was planted: the truth.

    Args:
        kind: "bleed", "vein" or "calcification".
        at_mm: (z, y, x) of the patient; of a vein, its middle.
        diameter_mm: Of the ball of the same volume, the section of the vein, the largest grain.
        contrast: Share of the tissue's brightness that is lost.
        tissue: Brightness of the tissue about it.
        beside: Whether it lies beside a vessel or fluid.
    """

    kind: str
    at_mm: tuple[float, float, float]
    diameter_mm: float
    contrast: float
    tissue: float
    beside: bool


def plant_bleeds(
    image: Image,
    planting: Planting,
    rng: np.random.Generator,
    labels: Image | None = None,
    fluid: tuple[int, ...] = (),
) -> tuple[Image, tuple[Planted, ...]]:
    """Plant lesions into a brain.

    Args:
        image: One still channel of a volume that knows where its samples lie: T1, T2* or SWI.
        planting: What is planted.
        rng: Chance; the same makes the same lesions.
        labels: Of the same samples, above 0 in the brain.
        fluid: Labels of vessels and fluid; empty to know them by their brightness.

    Returns:
        The image in the type of its values, and what was planted, bleeds first.

    Raises:
        SettingError: the image is no such volume, the labels are of other samples, a setting is
            out of its range, or there is no brain.
    """
    brain = _brain(image, planting, labels, fluid)
    rng_of_places, rng_of_matter = rng.spawn(2)
    values = image.values[0].copy()
    planted = []
    for kind in planting.kinds:
        beside = bool(rng_of_places.random() < planting.beside)
        shape = planting.draw(kind, rng_of_places)
        room = brain.find_room(shape, beside, planting.psf_mm, rng_of_places)
        if room is None:
            continue
        contrast = float(rng_of_matter.uniform(*planting.contrast))
        tissue, grain = brain.tissue_about(room)
        grains = rng_of_matter.normal(0, grain, room.share.shape)
        _mix(values[room.part], room.share, (1 - contrast) * tissue + grains)
        z, y, x = (float(mm) for mm in image.grid.to_mm(room.at))
        size = room.shape.diameter_mm
        planted.append(Planted(kind, (z, y, x), size, contrast, tissue, beside))
    return replace(image, values=values[None]), tuple(planted)


@dataclass(frozen=True)
class Room:
    """Where a shape lies: its middle in samples, and its share of the voxels of a part."""

    shape: Shape
    at: Array
    part: tuple[slice, ...]
    share: Array

    def widened(self, by_mm: float, spacing_mm: Array) -> tuple[slice, ...]:
        """Give its part of the volume with a margin."""
        more = np.ceil(by_mm / spacing_mm).astype(int)
        pairs = zip(self.part, more, strict=True)
        return tuple(slice(max(p.start - int(n), 0), p.stop + int(n)) for p, n in pairs)


class Brain:
    """A brain, and where in it there is still room.

    Args:
        values: (Z, Y, X) as they are before planting.
        mask, fluid: (Z, Y, X) of the brain, and of what in it is vessel or fluid.
        spacing_mm: (3,).
    """

    def __init__(self, values: Array, mask: Mask, fluid: Mask, spacing_mm: Array) -> None:
        self.values, self.mask, self.spacing_mm = values, mask, spacing_mm
        self.places = Places(mask, fluid, spacing_mm)
        self.taken = np.zeros(mask.shape, bool)

    def find_room(
        self, shape: Shape, beside: bool, psf_mm: float, rng: np.random.Generator
    ) -> Room | None:
        """Find a place for a shape, apart from others and within the brain, and take it."""
        for at in self.places.draw(shape.diameter_mm / 2, beside, rng, TRIES):
            if not self._is_free(at + shape.centres * shape.stretch / self.spacing_mm):
                continue
            part, share = fill_voxels(shape, at, self.spacing_mm, psf_mm, self.mask.shape)
            room = Room(shape, at, part, share)
            filled = share > 0
            if self.mask[part][filled].mean() > WITHIN and not self.taken[part][filled].any():
                self._take(room)
                return room
        return None

    def _is_free(self, places: Array) -> bool:
        """Tell whether places (N, 3) in samples all lie in the brain and are not taken."""
        nearest = np.rint(places).astype(int)
        if (nearest < 0).any() or (nearest >= self.mask.shape).any():
            return False
        here = tuple(nearest.T)
        return bool(self.mask[here].all() and not self.taken[here].any())

    def _take(self, room: Room) -> None:
        """Keep others away from what a lesion fills."""
        near = room.widened(APART_MM, self.spacing_mm)
        filled = np.zeros(self.mask.shape, bool)
        filled[room.part] = room.share > 0
        apart = distance_transform_edt(~filled[near], sampling=self.spacing_mm)
        self.taken[near] |= apart < APART_MM

    def tissue_about(self, room: Room) -> tuple[float, float]:
        """Tell how bright the tissue about a place is, and how much neighbours differ by chance."""
        near = room.widened(RING_MM, self.spacing_mm)
        values, tissue = self.values[near], self.places.tissue[near]
        rough = np.abs(values - median_filter(values, 3))[tissue]
        return float(np.median(values[tissue])), float(MAD * np.median(rough))


def _brain(image: Image, planting: Planting, labels: Image | None, fluid: tuple[int, ...]) -> Brain:
    """Check what is given, and find the brain in it."""
    spacing = image.grid.spacing_mm
    if len(image.space) != 3 or image.channels != 1 or image.phases or spacing is None:
        raise SettingError(
            "one still channel of a volume with its spacing wanted to plant bleeds, found "
            f"{image.values.shape}, {len(image.phases)} phases, spacing {spacing}"
        )
    if labels is not None and labels.space != image.space:
        raise SettingError(f"labels of {image.space} samples wanted, found {labels.space}")
    least, most = planting.contrast
    smallest, largest = planting.sizes_mm
    shares = 0 < least <= most <= 1 and 0 <= planting.beside <= 1
    if not shares or planting.psf_mm < 0 or not 0 < smallest <= largest:
        raise SettingError(
            "contrasts and a share from 0 to 1, no negative spread and sizes above 0 mm wanted, "
            f"not {planting}"
        )
    values = image.values[0].astype(np.float64)
    mask = find_brain(values, np.array(spacing)) if labels is None else labels.values[0] > 0
    if not mask.any():
        raise SettingError("a brain wanted, found no label above 0")
    wet = find_fluid(values, mask)
    if labels is not None and fluid:
        wet = np.isin(labels.values[0], fluid)
    return Brain(values, np.asarray(mask), np.asarray(wet), np.array(spacing))


def _mix(values: NDArray[np.generic], share: Array, matter: Array) -> None:
    """Mix matter into a part of a volume, in place and in the type of its values."""
    here = share > 0
    mixed = (1 - share[here]) * values[here].astype(np.float64) + share[here] * matter[here]
    if np.issubdtype(values.dtype, np.integer):
        limits: Any = np.iinfo(str(values.dtype))
        mixed = np.rint(mixed).clip(limits.min, limits.max)
    values[here] = mixed.astype(values.dtype)
