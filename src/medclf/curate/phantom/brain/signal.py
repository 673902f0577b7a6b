"""The signal of a spoiled gradient echo at 3 T, and what the scanner makes of it.

What spins lose until the echo is read tells tissues apart: iron, venous blood and chalk bend the
field, so spins about them fall out of step. So do those above the air of the skull's base. The
coil sees what is near it brighter, and the magnitude of noisy signals is Rician.

Source: for the signal, Haacke et al. Susceptibility Weighted Imaging. MRM 2004; times of relaxation
lie close to Wansapura et al. NMR Relaxation Times in the Human Brain at 3.0 Tesla. JMRI 1999, and
Peters et al. T2* Measurements in Human Brain at 1.5, 3 and 7 T. Magnetic Resonance Imaging 2007;
for the noise, Gudbjartsson, Patz. The Rician Distribution of Noisy MRI Data. MRM 1995.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from medclf.curate.phantom.brain.outline import AIR
from medclf.curate.phantom.ct import Frame, Values
from medclf.curate.phantom.spine.vertebra import Local

IRON_PER_S = 1.6
"""By how much a mg of iron in 100 g quickens the loss of signal, per second."""

BRIGHT = 420.0
"""Of white matter in the files, before the coil."""


@dataclass(frozen=True)
class Tissue:
    """What the signal of a tissue follows from.

    Args:
        water: Its share of protons that are seen.
        t1_ms, t2s_ms: Times of relaxation; T2* without the iron of deep nuclei.
    """

    water: float
    t1_ms: float
    t2s_ms: float


WHITE = Tissue(0.70, 850, 49)
GREY = Tissue(0.85, 1330, 66)
NUCLEAR = Tissue(0.80, 1200, 60)
FLUID = Tissue(1.0, 4000, 250)
SCALP = Tissue(0.9, 380, 18)
FLESH = Tissue(0.8, 1400, 24)
MARROW = Tissue(0.35, 380, 9)


@dataclass(frozen=True)
class Scanner:
    """A scanner with its usual protocol.

    Args:
        site: Where it stands.
        tr_ms, te_ms, flip_degrees: Of the sequence.
        psf_mm: Standard deviation of its point spread, within a slice.
        noise: Standard deviation as a share of the signal of white matter.
        dark: Share of the signal of venous blood that is left, after the mask made of its phase.
    """

    site: str
    tr_ms: float
    te_ms: float
    flip_degrees: float
    psf_mm: float
    noise: float
    dark: float

    @property
    def elements(self) -> dict[str, object]:
        """What DICOM files say of it, by keyword."""
        return {
            "ProtocolName": "SWI",
            "ScanningSequence": "GR",
            "MagneticFieldStrength": 3,
            "RepetitionTime": self.tr_ms,
            "EchoTime": self.te_ms,
            "FlipAngle": self.flip_degrees,
        }

    def signal(self, tissue: Tissue, iron: float = 0.0) -> float:
        """Tell the signal of a tissue, of white matter's being `BRIGHT`."""
        return BRIGHT * self._raw(tissue, iron) / self._raw(WHITE, 0.0)

    def _raw(self, tissue: Tissue, iron: float) -> float:
        angle, left = np.radians(self.flip_degrees), np.exp(-self.tr_ms / tissue.t1_ms)
        steady = tissue.water * np.sin(angle) * (1 - left) / (1 - np.cos(angle) * left)
        rate = 1 / tissue.t2s_ms + IRON_PER_S * iron / 1000
        return float(steady * np.exp(-self.te_ms * rate))


SCANNERS = (
    Scanner("north", 28, 20, 15, 0.45, 0.04, 0.10),
    Scanner("south", 31, 23, 14, 0.55, 0.055, 0.15),
    Scanner("harbour", 25, 20, 14, 0.5, 0.07, 0.2),
)


def dephasing(at: Local, te_ms: float, strong: float) -> Values:
    """Tell the share of the signal that is left about the air of the skull's base.

    The field of a hollow falls with the cube of the distance, what bends it over a voxel with the
    fourth power.
    """
    lost = np.zeros_like(at.up)
    for middle, radii in AIR:
        size = float(np.prod(radii)) ** (1 / 3)
        square = (at.up - middle[0]) ** 2 + (at.back - middle[1]) ** 2
        square = square + (np.abs(at.left) - middle[2]) ** 2
        lost += (size * size / np.maximum(square, size * size)) ** 2
    return np.asarray(np.exp(-strong * te_ms / 20 * lost))


def coil(at: Local, rng: np.random.Generator) -> Values:
    """Draw how bright the coil sees each place: more at the rim, and more on one side."""
    rim = rng.uniform(0.05, 0.25)
    lean = rng.normal(0, 0.06, 3)
    z, y, x = (one / mm for one, mm in zip(at, (80, 100, 80), strict=True))
    return np.asarray(
        np.exp(rim * (z * z + y * y + x * x) + lean[0] * z + lean[1] * y + lean[2] * x)
    )


def blur(signal: Values, frame: Frame, scanner: Scanner) -> Values:
    """Blur by the point spread: of the sequence within a slice, and across by its thickness."""
    across = frame.spacing_mm[0] / 12**0.5
    widths = frame.samples((across, scanner.psf_mm, scanner.psf_mm))
    return np.asarray(gaussian_filter(signal, widths, truncate=3))


def magnitude(signal: Values, scanner: Scanner, rng: np.random.Generator) -> Values:
    """Add noise to both parts of the complex signal, and take its magnitude."""
    wide = np.float32(scanner.noise * BRIGHT)
    real = signal + wide * rng.standard_normal(signal.shape, np.float32)
    other = wide * rng.standard_normal(signal.shape, np.float32)
    return np.asarray(np.hypot(real, other))
