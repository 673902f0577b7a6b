"""The page of a system that finds: how much, at what price in false alarms, and how near.

It is laid out as a report is, and is as self-contained.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from medclf.evaluate.distances import Distances
from medclf.evaluate.froc import RATES, Froc
from medclf.evaluate.kinds import Kinds
from medclf.report.chart import Chart, Key
from medclf.report.contents import Setting
from medclf.report.data import Sheet, lay_out
from medclf.report.headline import Head, Tile, tile
from medclf.report.page import render_page, write_page
from medclf.report.picture import Picture
from medclf.report.style import ACCENT, WARM, draw_figure
from medclf.report.words import LEVEL, count, number, with_span

TITLES = {
    "search": "Found, and false alarms",
    "kinds": "By kind",
    "distances": "By landmark",
    "places": "Scans",
    "notes": "Taken from the data as read",
    "plan": "Plan",
    "repeat": "Make it again",
}


@dataclass(frozen=True)
class Found:
    """All that the page tells.

    Args:
        title: What was sought in what.
        version: The medclf that made it.
        date: When, as it should be read.
        digest: Hash of the prepared scans.
        seed: Every random draw came from it.
        scans: That it was measured on.
        patients: Whose they are.
        unseen: Whether the scans had no part in training or choosing.
        judged: Figures of the system; `None` of landmarks.
        screened: Those of its first stage alone; likewise.
        kinds: What targets are taken for, where several kinds are sought; `None` of landmarks.
        distances: Of landmarks; `None` where other things are sought.
        rule: When a finding hits a target, in a sentence.
        sure: False positives a scan that were allowed on validation.
        pictures: Scans with truth and findings.
        notes: What was inferred while reading, in sentences.
        plan: Settings with reasons.
        commands: That make this again.
    """

    title: str
    version: str
    date: str
    digest: str
    seed: int
    scans: int
    patients: int
    unseen: bool
    judged: Froc | None
    screened: Froc | None
    kinds: Kinds | None
    distances: Distances | None
    rule: str
    sure: float
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    plan: tuple[Setting, ...] = ()
    commands: tuple[str, ...] = ()
    recipe: str = ""


@dataclass(frozen=True)
class Rate:
    """A row of the table: the sensitivity at so many false positives a scan."""

    rate: str
    sensitivity: str
    alone: str


@dataclass(frozen=True)
class Searched:
    """What the page says of false alarms."""

    words: str
    rows: tuple[Rate, ...]
    alone: bool
    charts: tuple[Chart, ...]


def write_found(path: Path, found: Found) -> Path:
    """Write the page as one HTML file, whole or not at all.

    Raises:
        RunError: the file cannot be written.
    """
    parts = {
        "search": found.judged and _tell_search(found, found.judged),
        "kinds": found.kinds and _tell_kinds(found.kinds),
        "distances": found.distances and _tell_distances(found.distances),
        "places": found.pictures and _tell_pictures(found.pictures),
        "notes": found.notes,
        "plan": found.plan,
        "repeat": found.commands,
    }
    return write_page(path, render_page(found, _head(found), TITLES, parts))


def _head(found: Found) -> Head:
    meta = (
        *(found.date, f"medclf {found.version}", f"seed {found.seed}"),
        f"data {found.digest[:12]}",
    )
    where = "never seen in training" if found.unseen else "of validation"
    sample = f"{count(found.scans, 'scan')} of {count(found.patients, 'patient')} {where}"
    words, tiles = "", list[Tile]()
    if found.judged is not None:
        froc = found.judged
        one = next(point for point in froc.points if point.false_positives == 1.0)
        words = (
            f"In {sample}, {with_span(one.sensitivity, f'{LEVEL} interval')} of "
            f"{count(froc.lesions, 'target')} are found at one false alarm a scan."
        )
        tiles = [tile("Found at 1 false alarm a scan", one.sensitivity), tile("CPM", froc.cpm)]
    if found.kinds is not None:
        tiles.append(tile("Called by their kind", found.kinds.right))
    if found.distances is not None:
        words = (
            f"In {sample}, {count(len(found.distances.landmarks), 'landmark')} are found "
            f"{with_span(found.distances.error_mm, f'{LEVEL} interval')} mm away from where they "
            "lie, on average."
        )
        tiles = [
            tile("Identified", found.distances.identified),
            tile("Told right, there or missing", found.distances.known),
        ]
    return Head(meta, (words,), tuple(tiles), _cautions(found))


def _cautions(found: Found) -> tuple[str, ...]:
    told = [f"{count(found.patients, 'patient')} tell little."] if found.patients < 20 else []
    judged, alone = found.judged, found.screened
    if judged is not None and alone is not None and judged.cpm.value < alone.cpm.value:
        told.append("The first stage alone ranks better: the second has learnt too briefly.")
    return tuple(told)


def _tell_search(found: Found, judged: Froc) -> Searched:
    alone = found.screened
    others = alone.points if alone is not None else judged.points
    rows = [
        Rate(
            f"{one.false_positives:g}",
            with_span(one.sensitivity),
            number(other.sensitivity.value),
        )
        for one, other in zip(judged.points, others, strict=True)
    ]
    cpm = number(alone.cpm.value) if alone is not None else ""
    rows.append(Rate("mean of seven (CPM)", with_span(judged.cpm), cpm))
    alarms = f"{found.sure:g} false alarm{'' if found.sure == 1 else 's'}"
    words = (
        f"{judged.found} of {count(judged.lesions, 'target')} are among the findings, with "
        f"{judged.false_positives / judged.scans:.1f} false ones a scan; a threshold on the score "
        f"trades one for the other. {found.rule} Findings are called sure from the threshold that "
        f"lets {alarms} a scan pass on validation."
    )
    return Searched(words, tuple(rows), alone is not None, (_draw(judged, alone),))


def _draw(judged: Froc, alone: Froc | None) -> Chart:
    """Draw the sensitivity against false positives a scan, on a logarithmic axis."""
    least, most = RATES[0], RATES[-1]

    def line(axes: Axes, froc: Froc, colour: str) -> None:
        x = [max(c.false_positives, least / 2) for c in froc.curve]
        y = [c.sensitivity for c in froc.curve]
        axes.plot([*x, 2 * most], [*y, y[-1]], color=colour, drawstyle="steps-post")

    def draw(axes: Axes) -> None:
        at = [p for p in judged.points if p.false_positives in RATES]
        rates = [p.false_positives for p in at]
        low, high = ([getattr(p.sensitivity, end) for p in at] for end in ("low", "high"))
        axes.fill_between(rates, low, high, color=ACCENT, alpha=0.16, linewidth=0)
        if alone is not None:
            line(axes, alone, WARM)
        line(axes, judged, ACCENT)
        axes.set_xscale("log", base=2)
        axes.set_xlim(least, most)
        axes.set_ylim(0, 1.02)
        axes.set_xticks(RATES)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("False positives a scan")
        axes.set_ylabel("Sensitivity")

    svg = draw_figure("froc", "Sensitivity against false positives a scan", draw, 5.0, 4.2)
    key = [Key("as the system judges", ACCENT), Key(f"{LEVEL} interval", ACCENT, "area")]
    key += [Key("first stage alone", WARM)] if alone is not None else []
    caption = "Intervals are by patient, at each of the seven rates that CPM is the mean of."
    return Chart("Free-response ROC", svg, caption, tuple(key))


@dataclass(frozen=True)
class Called:
    """What targets of a kind are taken for."""

    kind: str
    targets: tuple[int, ...]


@dataclass(frozen=True)
class Confused:
    """What the page says of kinds."""

    words: str
    names: tuple[str, ...]
    rows: tuple[Called, ...]


def _tell_kinds(kinds: Kinds) -> Confused:
    right, found = int(np.trace(kinds.called)), int(np.sum(kinds.called))
    words = (
        f"Above, a finding hits a target of whatever kind. {right} of {count(found, 'target')} "
        f"that are hit are called what they are: {with_span(kinds.right)}, by the surest finding."
    )
    return Confused(words, kinds.kinds, tuple(map(Called, kinds.kinds, kinds.called)))


@dataclass(frozen=True)
class Row:
    """A landmark as the table tells it."""

    kind: str
    scans: str
    mean: str
    largest: str


def _tell_distances(distances: Distances) -> tuple[Row, ...]:
    worst = sorted(distances.landmarks, key=lambda one: -one.error_mm if one.scans else np.inf)
    return tuple(
        Row(one.kind, f"{one.scans}", number(one.error_mm, 1), number(one.largest_mm, 1))
        for one in worst
    )


def _tell_pictures(pictures: Sequence[Picture]) -> Sheet:
    return lay_out(list(pictures))
