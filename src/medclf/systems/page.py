"""The page of a system: what `finish` measured, with scans to look at, laid out by `report`."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from medclf import __version__
from medclf.core.image import Image
from medclf.evaluate.distances import NEAR_MM
from medclf.evaluate.froc import hits
from medclf.learn.align import say_columns
from medclf.locate.scans import ALONE_MM, NEAREST_MM, Scan
from medclf.report.contents import Setting
from medclf.report.found import Found, write_found
from medclf.report.picture import Picture
from medclf.report.rings import Ring, draw_rings
from medclf.systems.candidates import Candidates
from medclf.systems.many import chosen_many
from medclf.systems.measure import Measured, Searched, reach_mm, targets_mm
from medclf.systems.search import Folder, Search
from medclf.systems.work import Work

PICTURES = 9
NAMED = 3
RULE = (
    f"A finding hits a target within its radius, or within {NEAREST_MM:g} mm where that is more; "
    f"within {ALONE_MM:g} mm where the size is not known."
)
RADIUS = 2.5
"""Of a ring about a finding, or about a target of unknown size, in samples."""


def write_page(folder: Folder, work: Work, measured: Measured, judged: Searched) -> Path:
    """Write `report.html` into the folder of a system.

    Args:
        folder: That has come to its end.
        work: Its scans, still prepared.
        measured: What it reaches.
        judged: What was found in the scans that it was measured on.
    """
    search, data = work.search, folder.facts["data"]
    kinds = ", ".join(search.kinds)
    if len(search.kinds) > NAMED:
        kinds = f"{len(search.kinds)} landmarks or lesions"
    found = Found(
        title=f"{kinds}: found in scans of {Path(data['origin']).name}",
        version=__version__,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        digest=folder.facts["digest"],
        seed=search.seed,
        scans=len(judged.scans),
        patients=len({scan.patient for scan in judged.scans}),
        unseen=measured.split == "test",
        judged=measured.judged,
        screened=measured.screened,
        kinds=measured.kinds,
        distances=measured.distances,
        rule=RULE,
        sure=search.false_positives,
        pictures=_show(work, measured, judged),
        notes=tuple(folder.facts["notes"]),
        plan=_settings(folder, work),
        commands=(_command(search, data),),
    )
    return write_found(work.folder / "report.html", found)


def _settings(folder: Folder, work: Work) -> tuple[Setting, ...]:
    search = work.search
    numbers = [sum(scan.split == name for scan in work.scans) for name in ("train", "val", "test")]
    told = "{} train, {} validate, {} test".format(*numbers)
    options = {name: Setting(name, str(value), "") for name, value in search.options.items()}
    if "most" in options:
        many = chosen_many(work.folder, search)
        options["most"] = Setting("most", str(many.most), many.reason)
    reason = folder.facts["reasons"]["prepare.spacing_mm"]
    return (
        Setting("system", search.system, ""),
        Setting("scans", told, "by patient"),
        Setting("edge of samples", f"{search.edge_mm:g} mm", reason),
        Setting("intensity", search.prepare.intensity, ""),
        Setting("minutes", f"{search.minutes:g}", ""),
        *options.values(),
    )


def _command(search: Search, data: Mapping[str, Any]) -> str:
    words = ["medclf", "train", data["origin"], *say_columns(data)]
    words += ["--task", "locate", "--method", search.system]
    words += ["--find", ",".join(search.kinds), "--minutes", f"{search.minutes:g}"]
    words += ["--seed", str(search.seed)]
    words += [
        part for name, value in search.options.items() for part in ("--option", f"{name}={value}")
    ]
    return " ".join(map(shlex.quote, words))


def _show(work: Work, measured: Measured, judged: Searched) -> tuple[Picture, ...]:
    """Show scans in turn: the surest finding of each, what was missed, and the surest mistake."""
    shown: list[Picture] = []
    for scan in judged.scans:
        if len(shown) < PICTURES:
            found = judged.found[scan.name]
            shown += _show_scan(work.volume(scan), scan, found, work.search, measured)
    return tuple(shown[:PICTURES])


def _show_scan(
    image: Image, scan: Scan, found: Candidates, search: Search, measured: Measured
) -> list[Picture]:
    """Draw planes of a scan through places that tell most about what was found in it."""
    truth, reach = targets_mm(scan), reach_mm(scan)
    if measured.distances is not None:
        reach = np.full(len(truth), NEAR_MM)
    sure = found.take(found.scores >= measured.threshold)
    rings = [
        Ring(_sample(image, at), (target.diameter_mm or 0) / 2 / search.edge_mm or RADIUS, True)
        for at, target in zip(truth, scan.targets, strict=True)
    ]
    rings += [Ring(_sample(image, at), RADIUS, False) for at in sure.places_mm]
    hit = hits(sure.places_mm, truth, reach)
    own = np.array([search.kinds.index(target.kind) for target in scan.targets], int)
    right = hit & (sure.kinds[:, None] == own)
    places = [
        ("found", sure.places_mm[right.any(1)]),
        ("missed", truth[~hit.any(0)]),
        ("called by another kind", sure.places_mm[hit.any(1) & ~right.any(1)]),
        ("a false alarm", sure.places_mm[~hit.any(1)]),
    ]
    name = Path(scan.name).name
    return [
        draw_rings(image.values[0], _sample(image, some[0]), rings, f"{name}: {what}")
        for what, some in places
        if len(some)
    ]


def _sample(image: Image, place_mm: Sequence[float]) -> tuple[float, float, float]:
    z, y, x = image.grid.from_mm(np.asarray(place_mm, float)).tolist()
    return z, y, x
