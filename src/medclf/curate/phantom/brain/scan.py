"""A head laid into voxels, tissue over tissue, as a gradient echo shows it, and a map of its brain.

What is smooth, as outlines and fields, is measured at coarse voxels and interpolated; tissues then
take the share of each voxel that their depth tells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medclf.curate.phantom.bleeds.lesion import Shape, fill_voxels
from medclf.curate.phantom.brain.deep import NUCLEI, draw_chalk, nucleus_depth, ventricle_depth
from medclf.curate.phantom.brain.folds import fluid_wide, fold
from medclf.curate.phantom.brain.head import Head, coarse, refine
from medclf.curate.phantom.brain.outline import AIR, EYE, ball_depth, melted, outline
from medclf.curate.phantom.brain.signal import (
    FLESH,
    FLUID,
    GREY,
    MARROW,
    NUCLEAR,
    SCALP,
    WHITE,
    Scanner,
    Tissue,
    blur,
    coil,
    dephasing,
)
from medclf.curate.phantom.brain.veins import cortical_veins, deep_veins, sinuses
from medclf.curate.phantom.chest.tree import Tree, fill_cloud
from medclf.curate.phantom.ct import Frame, Values, cloudy, mix

STEP_MM = 2.5
"""Of the coarse voxels."""

CORTEX_MM, FOLIA_MM = 2.6, 7.0
FOLIUM_MM = 4.6
"""From one sheet of fluid in the cerebellum to the next."""

SOLID, WET = 1, 2
"""What stands in the map of a brain, for tissue and for fluid or vessel."""


@dataclass(frozen=True)
class Scene:
    """A head in voxels.

    Args:
        signal: (Z, Y, X), blurred by the scanner, without its coil and noise.
        coil: (Z, Y, X) how bright its coil sees each place.
        labels: (Z, Y, X) of `SOLID` and `WET` in the brain, and 0 about it.
    """

    signal: NDArray[np.float32]
    coil: Values
    labels: NDArray[np.uint8]


class Painter:
    """Lays a head into voxels.

    Args:
        head: Whose.
        frame: Where the voxels lie.
        scanner: By which signals are.
        rng: Chance.
    """

    def __init__(
        self, head: Head, frame: Frame, scanner: Scanner, rng: np.random.Generator
    ) -> None:
        self.head, self.frame, self.scanner, self.rng = head, frame, scanner, rng
        self.wide = coarse(frame, STEP_MM)
        self.at = head.at(self.wide)
        self.scalp_mm, self.skull_mm = 4 + 0.15 * head.person.fat_mm, rng.uniform(5.5, 8.5)
        self.out = outline(self.at, head.shrunk, self.scalp_mm, self.skull_mm)
        self.folds = fold(self.at, self.out, STEP_MM, rng)
        self.voxel_mm = np.float32(np.prod(frame.spacing_mm) ** (1 / 3))
        self.signal = np.zeros(frame.shape, np.float32)

    def paint(self) -> Scene:
        """Lay all of the head, from outside to inside."""
        self._lay_about()
        brain, hull = self._lay_brain()
        wet = brain < 0
        for nucleus in NUCLEI:
            iron = nucleus.iron_at(self.head.person.age_years) * self.head.iron
            self._lay(NUCLEAR, self._fine(nucleus_depth(self.at, nucleus)), iron)
        ventricles = self._fine(ventricle_depth(self.at, self.head.shrunk))
        self._lay(FLUID, ventricles)
        cloud = self._fine(cloudy(self.wide, 4.0, self.rng))
        self.signal *= 1 + 0.02 * cloud
        wet |= (ventricles > 0) | self._lay_veins()
        self._lay_chalk()
        lost = dephasing(self.at, self.scanner.te_ms, float(self.rng.uniform(0.6, 1.4)))
        self.signal *= self._fine(lost)
        labels = np.where(hull > 0, np.where(wet, WET, SOLID), 0).astype(np.uint8)
        seen = self._fine(coil(self.at, self.rng))
        return Scene(blur(self.signal, self.frame, self.scanner), seen, labels)

    def _fine(self, values: Values) -> Values:
        """Interpolate what is known at the coarse voxels."""
        return refine(values.astype(np.float32), self.wide, self.frame)

    def _share(self, depth: Values) -> Values:
        """Tell the share of a voxel that lies within, by its middle's depth."""
        return np.asarray((0.5 + depth / self.voxel_mm).clip(0, 1))

    def _lay(self, tissue: Tissue, depth: Values, iron: float = 0.0) -> None:
        mix(self.signal, self.scanner.signal(tissue, iron), self._share(depth))

    def _lay_about(self) -> None:
        """Lay skin, flesh, skull, sinuses of the nose, eyes and the fluid about the brain."""
        skin, cavity = self._fine(self.out.skin), self._fine(self.out.cavity)
        self._lay(SCALP, skin)
        cloud = self._fine(cloudy(self.wide, 3.0, self.rng))
        self._lay(FLESH, np.minimum(skin - self.scalp_mm - 2, 3 * cloud + 2))
        self._lay(FLUID, self._fine(ball_depth(self.at, EYE)))
        air = self._fine(melted([ball_depth(self.at, one) for one in AIR], 2))
        # The floor of the skull is thinner than its vault.
        thick = self._fine(self.skull_mm * (0.4 + 0.6 * ((self.at.up + 35) / 35).clip(0, 1)))
        bone, cells = cavity + thick, np.minimum(air + 2 * cloud, skin - 4)
        mix(self.signal, 0.0, self._share(np.maximum(bone, cells)))
        self._lay(MARROW, 0.2 * thick - np.abs(bone - thick / 2))
        self._lay(FLUID, cavity)

    def _lay_brain(self) -> tuple[Values, Values]:
        """Lay cortex and white matter, and tell the depths in them and in their hull."""
        out = self.out
        apart = np.maximum(-out.stem - 2, self.at.up + 4)
        hull = self._fine(np.minimum(out.cerebrum, apart))
        little = self._fine(np.minimum(out.cerebellum, -out.cerebrum - 1.2))
        stem = self._fine(out.stem)
        sulcus, gap, sylvian = (np.float32(mm) for mm in fluid_wide(self.head.shrunk))
        side = np.abs(self._fine(self.folds.aside)) - sulcus
        below = self._fine(self.folds.below)
        sheet = np.hypot(np.maximum(side, 0), np.maximum(below, 0))
        sheet += np.minimum(np.maximum(side, below), 0)
        for wall, half in ((self.folds.falx, gap), (self.folds.sylvian, sylvian)):
            np.minimum(sheet, self._fine(wall) - half, out=sheet)
        pia = np.minimum(hull, sheet)
        folia = np.minimum(little, self._folia(little))
        brain = np.maximum(np.maximum(pia, folia), stem)
        self._lay(GREY, brain)
        white = np.maximum(np.maximum(pia - CORTEX_MM, little - FOLIA_MM), stem)
        self._lay(WHITE, white)
        return brain, np.maximum(np.maximum(hull, little), stem)

    def _folia(self, depth: Values) -> Values:
        """Measure the distance to the sheets of fluid between the leaves of the cerebellum."""
        up, back = self.at.up + 32, self.at.back - 46
        turns = np.arctan2(up, back) * 30 / FOLIUM_MM
        wavy = self._fine(turns + 0.25 * np.sin(self.at.left / 5))
        gap = np.abs((wavy + 0.5) % 1 - 0.5) * FOLIUM_MM
        wide = 0.3 + 0.4 * self.head.shrunk
        return np.asarray(np.maximum(gap - wide, depth - 0.8 * FOLIA_MM))

    def _lay_veins(self) -> NDArray[np.bool_]:
        """Lay veins and sinuses, and tell where they are."""
        upward = self.head.turn[:, 0] / np.linalg.norm(self.head.turn[:, 0])
        veins = (
            cortical_veins(self.wide, self.folds, self.out.cerebrum, upward, self.rng),
            deep_veins(self.head, self.rng),
        )
        share = np.zeros_like(self.signal)
        for tree in veins:
            share = np.maximum(share, self._fill(tree))
        mix(self.signal, self.signal * self.scanner.dark, share)
        large = self._fill(sinuses(self.head, 2.2 + 2.2 * self.head.shrunk))
        flow = float(self.rng.uniform(0, 0.5))
        mix(self.signal, flow * self.scanner.signal(GREY), large)
        return np.asarray(np.maximum(share, large) > 0.3)

    def _fill(self, tree: Tree) -> Values:
        """Share of each voxel that veins fill."""
        return self.frame.fill(fill_cloud(tree, 0.6)).astype(np.float32)

    def _lay_chalk(self) -> None:
        """Lay what has turned to chalk."""
        middles, radii = draw_chalk(self.head.person.age_years, self.rng)
        spacing = np.array(self.frame.spacing_mm)
        starts = (self.head.place(middles) - self.frame.start_mm) / spacing
        for at, radius in zip(starts, radii, strict=True):
            grain = Shape("calcification", np.zeros((1, 3)), np.array([radius]), np.ones(3))
            part, share = fill_voxels(grain, at, spacing, 0.0, self.frame.shape)
            mix(self.signal[part], 0.0, share.astype(np.float32))
