"""Findings in a lung, whose severity from 0 to 1 is known: nodules and consolidations.

Severity says how plain the finding is: the more severe, the larger and the denser it is, so that it
alone decides how well it can be seen. A nodule is a ball whose density falls smoothly to its edge;
its shadow has a closed form. A consolidation is a region about a bronchial segment, ragged and
cloudy, which stops where the lung stops, and so hides the border of the heart that it touches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from medclf.curate.phantom.body import Body
from medclf.curate.phantom.screen import Screen, smooth_noise
from medclf.curate.phantom.shapes import Array, Stretch, ellipsoid, union_within

Kind = Literal["nodule", "consolidation"]
KINDS: tuple[Kind, ...] = ("nodule", "consolidation")
SMALLEST_MM, LARGEST_MM = 6.0, 30.0


@dataclass(frozen=True)
class Finding:
    """What a lung has.

    Args:
        kind: "nodule" or "consolidation".
        lung: 0 is the right, 1 the left.
        place: Its middle, in mm.
        outward: Direction from the hilum, of length 1, along which a consolidation stretches.
        severity: 0 to 1.
        build: By how much this one is larger than usual for its severity, as a factor.
        seed: Of its ragged outline.
    """

    kind: Kind
    lung: int
    place: Array
    outward: Array
    severity: float
    build: float
    seed: int

    @property
    def size_mm(self) -> float:
        """Diameter of a nodule, length of a consolidation."""
        grown = self.build * self.severity**0.7
        if self.kind == "nodule":
            return float(np.clip(SMALLEST_MM + 24 * grown, SMALLEST_MM, LARGEST_MM))
        return float(np.clip(38 + 62 * grown, 38, 110))

    @property
    def density(self) -> float:
        """Of its middle: 0 adds nothing to the lung, 1 is soft tissue, more is calcified."""
        if self.kind == "nodule":
            return 1.0 + 2.3 * self.severity
        return 0.08 + 1.2 * self.severity

    def moved(self, linear: Array) -> "Finding":
        return replace(self, place=linear @ self.place, outward=linear @ self.outward)

    def within(self, outline: Stretch, solids: Sequence[Stretch], screen: Screen) -> Array:
        """Thickness of soft tissue, in mm, that stands in the place of air.

        Args:
            outline: Of the lung that has it.
            solids: What that lung gives way to.
            screen: Where the rays end.
        """
        z, x = screen.axes
        if self.kind == "nodule":
            radius = self.size_mm / 2
            apart = ((z - self.place[0]) ** 2 + (x - self.place[2]) ** 2) / radius**2
            # What a ball of density sqrt(1 - r²) projects to.
            return np.asarray(self.density * np.pi / 2 * radius * np.maximum(1 - apart, 0))
        return self.density * self._cloud(outline, solids, screen)

    def _cloud(self, outline: Stretch, solids: Sequence[Stretch], screen: Screen) -> Array:
        rng = np.random.default_rng(self.seed)
        z, x = screen.axes
        rough = self.size_mm / 10
        ragged_z = z + rough * smooth_noise(screen, 11, rng)
        ragged_x = x + rough * smooth_noise(screen, 11, rng)
        half = self.size_mm / 2
        region = ellipsoid(self.place, (half, 0.75 * half, 0.65 * half), self.outward)
        stretch = _clipped(region.stretch(ragged_z, ragged_x), outline)
        thickness = stretch.thickness - union_within(stretch, solids)
        clouds = 1 + 0.2 * smooth_noise(screen, 8, rng) + 0.15 * smooth_noise(screen, 3, rng)
        # The square of the thickness fades toward the edge, but ends sharply where the lung does.
        fading = thickness**2 / max(float(thickness.max()), 1e-6)
        return np.asarray(fading * np.clip(clouds, 0.1, 1.9))


def place_finding(body: Body, kind: Kind, severity: float, rng: np.random.Generator) -> Finding:
    """Put a finding where a lung has air, clear of the borders that would hide it.

    Of many places at random it takes the first that is the clearest.

    Args:
        body: In its own size, facing the beam.
        kind: "nodule" or "consolidation".
        severity: 0 to 1.
        rng: Chance of the place and of the build.
    """
    inset = 14.0 if kind == "nodule" else 20.0
    around = inset * np.array([(0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 0, 1), (0, 0, -1)])
    places = rng.uniform((-90, -70, -120), (110, 80, 120), (400, 3))
    reached = (places[:, None] + around).reshape(-1, 3)
    good = body.clear(reached).reshape(-1, len(around)).sum(axis=1)
    place = places[int(np.argmax(good))]
    outward = place - np.array([5.0, 8.0, np.copysign(35, place[2])])
    return Finding(
        kind,
        int(place[2] > 0),
        place,
        outward / np.linalg.norm(outward),
        severity,
        build=float(rng.uniform(0.85, 1.15)),
        seed=int(rng.integers(2**31)),
    )


def _clipped(inner: Stretch, outer: Stretch) -> Stretch:
    """Keep the part of a stretch that lies within another."""
    front = np.clip(inner.front, outer.front, outer.back)
    return Stretch(front, np.maximum(np.clip(inner.back, outer.front, outer.back), front))
