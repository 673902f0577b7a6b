"""The picture of a network: its stages from left to right, each block a box.

A box is as high as its map is long, by the square root, so that 7 samples can still be seen beside
224; and as thick as it has channels, by the square root too. Where a stage has many blocks the
middle ones are left out, and the words below tell their number.

Source: none; the boxes are those of LeCun et al. 1998 (figure 2) and of many papers since.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from medclf.report.style import INK, MUTED, PAPER, RULE

NARROWEST, WIDTH, MARGIN = 640, 1180, 28.0
TALLEST, SHORTEST = 132.0, 12.0
THINNEST, PER_ROOT = 3.0, 0.85  # thickness of a box: for no channel, and for each root of one
SLANT = (0.26, 0.17)  # how far a box goes back, to the right and up, for its height
SIDE, BETWEEN, AFTER = 2.0, 7.0, 34.0  # gaps: ways side by side, blocks, stages
LEFT_OUT = 24.0  # room for the dots that stand for blocks
FIRST, LAST = 3, 2  # blocks shown of a stage that has more than both
ARC, LINE, LETTER = 11.0, 13.0, 5.4  # height of an arc, of a line of words, width of a letter
TYPEFACE = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
LEGEND = (
    "Height: edge of the map; thickness: its channels; both by the square root. "
    "Grey: no convolution. Arc: shortcut."
)
SHALLOW, DEEP, GREY = (0x7F, 0xB4, 0xDE), (0x4B, 0x2E, 0x83), (0xB4, 0xBC, 0xC4)


Hue = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """One map.

    Args:
        edge: Its longest edge in samples.
        channels: Its channels.
        arched: Whether a shortcut passes it by.
    """

    edge: int
    channels: int
    arched: bool = False


@dataclass(frozen=True)
class Column:
    """One stage.

    Args:
        name: Stands below it, in bold.
        boxes: Its blocks.
        words: Lines below the name.
        plain: Whether it is grey: the image, or a stage without a convolution.
        beside: Whether the blocks are ways from one map, and not one behind the other.
    """

    name: str
    boxes: tuple[Box, ...]
    words: tuple[str, ...]
    plain: bool = False
    beside: bool = False


@dataclass(frozen=True)
class Placed:
    """A column with its place.

    Args:
        hue: Colour of its boxes.
        left: Of the column.
        wide: From there to the end of it.
        parts: Left edge, thickness and height of each box that is shown; `None` for those left out.
    """

    column: Column
    hue: Hue
    left: float
    wide: float
    parts: tuple[tuple[float, float, float, Box] | None, ...]


def draw_architecture(title: str, lines: Sequence[str], columns: Sequence[Column]) -> str:
    """Draw a network as an SVG file.

    Args:
        title: Above it; also what the picture shows, in words, for those who cannot see it.
        lines: Below the title.
        columns: From the image on.
    """
    largest = max(box.edge for column in columns for box in column.boxes)
    top = MARGIN + 22 + LINE * 1.25 * len(lines)
    parts = list(_head(title, lines))
    rows = _rows(columns, largest)
    for row in rows:
        high = max(part[2] for placed in row for part in placed.parts if part)
        axis = top + ARC + high * (1 + SLANT[1]) / 2 + 12
        below = axis + high * (1 + SLANT[1]) / 2 + 16
        for place, one in enumerate(row, 1):
            after = row[place] if place < len(row) else None
            if after or row is not rows[-1]:
                parts.append(_connect(one, after, axis))
            parts += _draw(one, axis)
            parts += _label(one, below)
        top = below + LINE * (max(len(placed.column.words) for placed in row) + 0.5)
    parts.append(_words(MARGIN, top + LINE, LEGEND, f'font-size="10" fill="{MUTED}"'))
    wide = max(row[-1].left + row[-1].wide for row in rows) + MARGIN
    return _page(title, max(wide, NARROWEST), top + LINE + MARGIN, parts)


def _rows(columns: Sequence[Column], largest: int) -> list[list[Placed]]:
    """Place the columns, in as few rows as the page allows and all about equally long."""
    rows = _fill(columns, largest, WIDTH)
    narrower = (_fill(columns, largest, wide) for wide in range(NARROWEST, WIDTH, 20))
    return next((some for some in narrower if len(some) == len(rows)), rows)


def _fill(columns: Sequence[Column], largest: int, wide: float) -> list[list[Placed]]:
    rows: list[list[Placed]] = [[]]
    left = MARGIN
    for column, hue in zip(columns, _hues(columns), strict=True):
        placed = _place(column, hue, left, largest)
        if rows[-1] and left + placed.wide > wide - MARGIN:
            rows.append([])
            placed = _place(column, hue, MARGIN, largest)
        rows[-1].append(placed)
        left = placed.left + placed.wide + AFTER
    return rows


def _place(column: Column, hue: Hue, left: float, largest: int) -> Placed:
    """Place the boxes of a column in its middle: it is as wide as they or its words."""
    sizes: list[tuple[float, float, Box] | None] = []
    for box in column.boxes:
        high = SHORTEST + (TALLEST - SHORTEST) * (box.edge / largest) ** 0.5
        sizes.append((THINNEST + PER_ROOT * box.channels**0.5, high, box))
    if len(sizes) > FIRST + LAST + 1 and not column.beside:
        sizes = [*sizes[:FIRST], None, *sizes[-LAST:]]
    gap = SIDE if column.beside else BETWEEN
    back = max(size[1] for size in sizes if size) * SLANT[0]
    boxes = sum(size[0] if size else LEFT_OUT for size in sizes) + gap * (len(sizes) - 1)
    words = max(len(word) * LETTER for word in (*column.words, column.name + "  "))
    wide = max(boxes + back, words)
    at, parts = left + (wide - boxes - back) / 2, list[tuple[float, float, float, Box] | None]()
    for size in sizes:
        parts.append((at, *size) if size else None)
        at += (size[0] if size else LEFT_OUT) + gap
    return Placed(column, hue, left, wide, tuple(parts))


def _hues(columns: Sequence[Column]) -> list[Hue]:
    """Colour stages from light to dark as they lie deeper; those without a convolution are grey."""
    weighed = [column for column in columns if not column.plain]
    hues = []
    for column in columns:
        share = 0.0 if column.plain else weighed.index(column) / max(1, len(weighed) - 1)
        red, green, blue = (a + (b - a) * share for a, b in zip(SHALLOW, DEEP, strict=True))
        hues.append(GREY if column.plain else (red, green, blue))
    return hues


def _draw(placed: Placed, axis: float) -> Iterable[str]:
    """Draw boxes from the left, so that each hides what lies behind it."""
    shown = [part for part in placed.parts if part]
    for place, part in enumerate(placed.parts):
        if part is None:
            before = shown[FIRST - 1]
            x = before[0] + before[1] + (before[2] * SLANT[0] + LEFT_OUT) / 2 + BETWEEN
            yield from (_dot(x + 5 * n, axis) for n in (-1, 0, 1))
            continue
        x, thick, high, box = part
        right, up = high * SLANT[0], high * SLANT[1]
        y = axis - high / 2 + up / 2
        tint = 0.12 * (place % 2) if placed.column.beside else 0.0
        front, above, side = (_shade(placed.hue, tint + light) for light in (0, 0.35, -0.22))
        yield _face(above, (x, y), (right, -up), (thick, 0), (-right, up))
        yield _face(side, (x + thick, y), (right, -up), (0, high), (-right, up))
        yield _face(front, (x, y), (thick, 0), (0, high), (-thick, 0))
        if box.arched:
            start, end, over = x + right / 2 - 3, x + thick + right / 2 + 3, y - up / 2
            curve = f"M{start:.1f} {over:.1f}C{start:.1f} {over - up / 2 - ARC:.1f} "
            curve += f"{end:.1f} {over - up / 2 - ARC:.1f} {end:.1f} {over:.1f}"
            yield f'<path d="{curve}" fill="none" stroke="{INK}" stroke-width="1.1"/>'


def _face(colour: str, start: tuple[float, float], *steps: tuple[float, float]) -> str:
    path = f"M{start[0]:.1f} {start[1]:.1f}" + "".join(f"l{x:.1f} {y:.1f}" for x, y in steps)
    return f'<path d="{path}z" fill="{colour}" stroke="{PAPER}" stroke-width=".7"/>'


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.4" fill="{MUTED}"/>'


def _connect(placed: Placed, after: Placed | None, axis: float) -> str:
    """Draw the arrow to the next stage, or out of the row."""
    left, thick, high, _ = [part for part in placed.parts if part][-1]
    start = left + thick + high * SLANT[0] / 2
    end = start + 22 if after is None else next(part for part in after.parts if part)[0] - 2
    return (
        f'<path d="M{start:.1f} {axis:.1f}H{end:.1f}m-5 -3.5l5 3.5l-5 3.5" fill="none" '
        f'stroke="{MUTED}" stroke-width="1.1"/>'
    )


def _label(placed: Placed, top: float) -> Iterable[str]:
    middle = placed.left + placed.wide / 2
    yield _words(middle, top, placed.column.name, 'font-weight="600" text-anchor="middle"')
    for row, word in enumerate(placed.column.words, 1):
        style = f'font-size="10" fill="{MUTED}" text-anchor="middle"'
        yield _words(middle, top + LINE * row, word, style)


def _head(title: str, lines: Sequence[str]) -> Iterable[str]:
    yield _words(MARGIN, MARGIN + 12, title, 'font-size="19" font-weight="600"')
    for row, line in enumerate(lines, 1):
        yield _words(MARGIN, MARGIN + 14 + LINE * 1.25 * row, line, f'fill="{MUTED}"')


def _words(x: float, y: float, words: str, style: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def _page(title: str, wide: float, high: float, parts: Iterable[str]) -> str:
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:.0f}" height="{high:.0f}" '
        f'viewBox="0 0 {wide:.0f} {high:.0f}" role="img" aria-label={quoteattr(title)} '
        f'font-family="{TYPEFACE}" font-size="11.5" fill="{INK}" stroke-linejoin="round">'
    )
    paper = f'<rect width="100%" height="100%" fill="{PAPER}" stroke="{RULE}"/>'
    return "\n".join([start, paper, *parts, "</svg>\n"])


def _shade(hue: Hue, light: float) -> str:
    """Make a colour lighter, or darker where the share is below 0."""
    goal, share = (255, light) if light > 0 else (0, -light)
    return "#" + "".join(f"{round(c + (goal - c) * share):02x}" for c in hue)
