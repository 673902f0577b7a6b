"""How a file wants its values shown to a person: a window or a table, from values to shades.

A window maps the values about its centre to shades from black to white, by a straight line or by
an S-shaped curve; a table names the shade of each value. That is a choice for the eye, made by a
scanner or a radiographer, so no reader applies it: it goes with the image, and pictures for people
and the setting `intensity = "voi"` use it.

Source: DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medclf.errors import SettingError

Curve = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

CURVES: tuple[Curve, ...] = ("LINEAR", "LINEAR_EXACT", "SIGMOID")

_STEEPEST = 80.0
"""Exponent beyond which a shade of the S-shaped curve is black or white anyway."""


@dataclass(frozen=True)
class Display:
    """A window or a table.

    Args:
        curve: The window's function.
        centres: Of the window, in the image's unit: one for all, or one for each frame.
        widths: As many. LINEAR wants at least 1, the others above 0.
        table: (N,) shades from 0 to 1 of the values from `first` on, in place of a window.
        first: The value of the table's first shade.
        mirror: Where the image was turned, since in its file more was darker: the file's own
            value is `mirror` minus the image's. `None` where it was not.

    Raises:
        SettingError: widths that are too small or not as many as centres, or no window and no
            table.
    """

    curve: Curve = "LINEAR"
    centres: tuple[float, ...] = ()
    widths: tuple[float, ...] = ()
    table: NDArray[np.float32] | None = None
    first: float = 0.0
    mirror: float | None = None

    def __post_init__(self) -> None:
        least = 1.0 if self.curve == "LINEAR" else np.finfo(np.float32).tiny
        if self.table is None and not self.centres:
            raise SettingError("a display wants a window or a table")
        if len(self.centres) != len(self.widths) or any(w < least for w in self.widths):
            raise SettingError(
                f"a {self.curve} window wants a width of at least {least:g} for each centre, "
                f"not {self.widths} for {self.centres}"
            )

    def shade(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Map values to shades.

        Args:
            values: (..., Z, Y, X) or (..., Y, X) in the image's unit.

        Returns:
            The same shape, 0 black to 1 white.

        Example:
            >>> Display("LINEAR_EXACT", (50.0,), (100.0,)).shade(np.array([-5, 0, 50, 100]))
            array([0. , 0. , 0.5, 1. ], dtype=float32)
        """
        stored = values.astype(np.float32)
        if self.mirror is not None:
            stored = np.float32(self.mirror) - stored
        shades = self._looked_up(stored) if self.table is not None else self._windowed(stored)
        return np.asarray(shades if self.mirror is None else 1 - shades, np.float32)

    def _looked_up(self, stored: NDArray[np.float32]) -> NDArray[np.float32]:
        table = np.zeros(1, np.float32) if self.table is None else self.table
        places = np.clip(np.rint(stored - np.float32(self.first)), 0, len(table) - 1)
        return np.asarray(table[places.astype(np.int64)])

    def _windowed(self, stored: NDArray[np.float32]) -> NDArray[np.float32]:
        frames = (-1, 1, 1) if len(self.centres) > 1 else (-1,)
        centre = np.array(self.centres, np.float32).reshape(frames)
        width = np.array(self.widths, np.float32).reshape(frames)
        if self.curve == "SIGMOID":
            steep = np.clip(-4 * (stored - centre) / width, -_STEEPEST, _STEEPEST)
            return np.asarray(1 / (1 + np.exp(steep)))
        if self.curve == "LINEAR":
            centre, width = centre - np.float32(0.5), width - 1
        with np.errstate(divide="ignore", invalid="ignore"):  # A width of 1 is a threshold.
            shades = np.clip((stored - centre) / width + np.float32(0.5), 0, 1)
        return np.where(width == 0, stored > centre, shades)
