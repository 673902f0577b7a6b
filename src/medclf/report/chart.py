"""A chart as the page sets it: a drawing with its title, its caption and the key to its lines."""

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from medclf.report.style import VARIABLES


@dataclass(frozen=True)
class Key:
    """What one line, area or point of a drawing means.

    Args:
        text: Said beside the mark. It may hold a class name: the page escapes it.
        colour: One of `style`.
        shape: How the mark looks.
    """

    text: str
    colour: str
    shape: Literal["line", "dashed", "area", "bar", "point"] = "line"

    @property
    def paint(self) -> str:
        """The CSS that colours the mark."""
        painted = "background" if self.shape in ("area", "bar", "point") else "border-color"
        return f"{painted}: var({VARIABLES[self.colour]})"


@dataclass(frozen=True)
class Chart:
    """A drawing with its words."""

    title: str
    svg: Markup
    caption: str
    key: tuple[Key, ...] = ()
