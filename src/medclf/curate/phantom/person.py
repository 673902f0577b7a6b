"""Who a phantom is: age and sex, and the build that goes with them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Sex = Literal["F", "M"]


@dataclass(frozen=True)
class Person:
    """Who a phantom is.

    Args:
        age_years: 18 to 92.
        sex: "F" or "M".
        height, girth: Size, as a multiple of the reference body's.
        heart: Width of the heart, as a multiple of the reference.
        fat_mm: Fat beneath the skin.
        texture: How coarse the drawing of the lung is; grows with age.
    """

    age_years: int
    sex: Sex
    height: float
    girth: float
    heart: float
    fat_mm: float
    texture: float


def draw_person(age_years: int, sex: Sex, rng: np.random.Generator) -> Person:
    """Draw a person's build. Women are smaller; hearts and fat grow with age."""
    woman = sex == "F"
    aged = (age_years - 55) / 20
    return Person(
        age_years,
        sex,
        height=float(np.clip(rng.normal(0.95 if woman else 1.02, 0.055), 0.8, 1.16)),
        girth=float(np.clip(rng.normal(0.95 if woman else 1.03, 0.06), 0.8, 1.18)),
        heart=float(np.clip(rng.normal(1.0 + 0.045 * aged - 0.02 * woman, 0.075), 0.8, 1.35)),
        fat_mm=float(np.clip(rng.normal(7 + 2 * aged, 5), 0, 24)),
        texture=float(np.clip(rng.normal(1 + 0.15 * aged, 0.2), 0.5, 1.8)),
    )
