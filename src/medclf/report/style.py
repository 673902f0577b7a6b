"""One look for every figure: Matplotlib draws it, the page colours it.

A figure is drawn with the few colours named here. They become CSS variables in the SVG, so that
one drawing serves light and dark screens and paper. Words stay text, in the page's own typeface.
The same figure always gives the same bytes, and no state is shared between threads.
"""

import io
import re
import threading
from collections.abc import Callable
from typing import Literal
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.style
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from medclf.report.words import number

INK, MUTED, RULE, ACCENT, WARM, PAPER = (
    "#1c2128",
    "#5b6570",
    "#d5dae0",
    "#1f5f9e",
    "#b1500f",
    "#fefefe",
)
HUES = (
    "#1f5f9f",
    "#b1501f",
    "#2c7a4b",
    "#8a3d8f",
    "#a8791a",
    "#11808c",
    "#c23b56",
    "#5a55b5",
    "#6a7d1f",
    "#8a5a3c",
    "#4a7296",
    "#7a7a7a",
)
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    ACCENT: "--accent",
    WARM: "--warm",
    PAPER: "--paper",
    **{hue: f"--hue-{i}" for i, hue in enumerate(HUES)},
}

SETTINGS: dict[str, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "medclf",
    "path.simplify_threshold": 0.3,
    "font.size": 10,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_LOCK = threading.Lock()
_USE = re.compile(r"url\(#([^)]+)\)")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_DIGITS = re.compile(r"(\d+\.\d\d)\d+")
_TYPEFACE = re.compile(r" ?font-family:[^;]*;")
_NO_TURN = re.compile(r"rotate\(-?0 ")

Draw = Callable[[Axes], None]


def draw_figure(name: str, alt: str, draw: Draw, width: float = 5.0, height: float = 3.7) -> Markup:
    """Draw one pair of axes as SVG that can stand inside an HTML page.

    Args:
        name: Differs from that of every other figure of the page: its ids begin with it.
        alt: What the figure shows, in words, for those who cannot see it.
        draw: Draws on the axes it is given, in the colours of this module only.
        width: Inches of 72 units; the page scales the figure to its column.
        height: As `width`.
    """
    buffer = io.BytesIO()
    with _LOCK, mpl.style.context(SETTINGS, after_reset=True):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.add_subplot())
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _inline(buffer.getvalue(), name, alt)


def share_axis(axes: Axes, which: Literal["x", "y"]) -> None:
    """Let an axis run from 0 to 1, with a little air, and number it as the page does."""
    ticks = np.linspace(0, 1, 6)
    words = ["0", *(number(tick, 1) for tick in ticks[1:-1]), "1"]
    (axes.set_xticks if which == "x" else axes.set_yticks)(ticks, words)
    (axes.set_xlim if which == "x" else axes.set_ylim)(-0.015, 1.015)


def _inline(raw: bytes, name: str, alt: str) -> Markup:
    """Make Matplotlib's file fit to stand in a page beside others."""
    root = ElementTree.fromstring(raw)  # noqa: S314 - we have just drawn it ourselves
    _drop(root)
    used = set(_USE.findall(ElementTree.tostring(root, "unicode")))
    used |= {e.attrib[_LINK][1:] for e in root.iter() if _LINK in e.attrib}
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        element.text, element.tail = (element.text or "").strip() or None, None
        element.attrib = {key: _tidy(value, name) for key, value in element.attrib.items()}
        own = element.attrib.pop("id", "")
        if own in used:
            element.set("id", f"{name}-{own}")
        if link := element.attrib.pop(_LINK, ""):
            element.set("href", f"#{name}-{link[1:]}")
        if _NO_TURN.match(element.get("transform", "")):
            del element.attrib["transform"]
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": alt}
    return Markup(ElementTree.tostring(root, "unicode"))  # noqa: S704 - ElementTree has escaped it


def _drop(root: ElementTree.Element) -> None:
    """Leave out what the page says better: metadata, styles for the whole document."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)


def _tidy(value: str, name: str) -> str:
    """Colour by variables, leave the typeface to the page, and round to a hundredth of a unit."""
    value = _USE.sub(rf"url(#{name}-\1)", value)
    value = _COLOUR.sub(lambda found: _variable(found[0]), _TYPEFACE.sub("", value))
    return _DIGITS.sub(r"\1", value)


def _variable(colour: str) -> str:
    return f"var({VARIABLES[colour]})" if colour in VARIABLES else colour
