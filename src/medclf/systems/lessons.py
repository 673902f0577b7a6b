"""What the two stages learn from: cubes about targets, candidates, and anything else in a scan."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.locate.scans import Scan
from medclf.systems.candidates import Candidates, keep_inside
from medclf.systems.cubes import NOTHING, Cubes, Places, jitter, make_cohort
from medclf.systems.many import chosen_many
from medclf.systems.measure import targets_mm
from medclf.systems.volume import draw_places
from medclf.systems.work import Work

COPIES = 12
"""Of each target among the cubes of the second stage, moved by chance."""

MORE, ASIDE = 36, 3
"""The same, and copies of each false candidate, where lesions are few and all else is many."""

FALSE = 800
"""Cubes of false candidates of a scan: where it puts many forward there are fewer copies."""

FEWEST, MOST = 4, 48
"""Copies of each target among those of the screen."""

SHOWING = 1 / 3
"""Cubes of the screen that show a target, for each that was drawn and shows none."""

DRAWN = 800, 4000
"""Cubes that show no target, of a scan, at least and at most."""

CUBES_PER_SECOND, PASSES = 1000, 4
"""What a screen learns from on two cores, and passes over it; more time is for more cubes."""


def screen_cohort(work: Work, seconds: float) -> Cohort:
    """Make cubes of targets and of anything else.

    Args:
        work: Of which the screen is a part.
        seconds: For which it learns; as many cubes as suit that, where it has no fixed passes.
    """
    search, cubes, scans = work.search, [], len(work.learnt)
    targets = sum(len(scan.targets) for scan in work.learnt)
    each = seconds * CUBES_PER_SECOND / PASSES / (1 + SHOWING) / scans
    drawn = DRAWN[0] if work.option("epochs") else int(np.clip(each, *DRAWN))
    copies = int(np.clip(SHOWING * drawn * scans / max(targets, 1), FEWEST, MOST))
    for number, scan in enumerate(work.learnt):
        rng = np.random.default_rng((search.seed, number, 1))
        image, path = work.volume(scan), work.volumes[scan.name]
        cubes += _targets(work, scan, image, copies, rng)
        places, reach = targets_mm(scan), search.hit_mm(scan) + 2 * search.edge_mm
        cubes.append(Cubes(scan, path, NOTHING, draw_places(image, drawn, places, reach, rng)))
    kinds = [_call_alike(one, search.kinds[0]) for one in cubes]
    return make_cohort(kinds, search.kinds[:1], work.folder)


def _call_alike(cubes: Cubes, kind: str) -> Cubes:
    """Call all targets alike, for a stage that only tells them from nothing."""
    return cubes if cubes.kind == NOTHING else replace(cubes, kind=kind)


def judge_cohort(work: Work, found: Mapping[str, Candidates]) -> Cohort:
    """Make cubes of candidates and of targets, to tell which kind each is, or that it is none."""
    most = chosen_many(work.folder, work.search).most
    aside = min(ASIDE, max(0, FALSE // most - 1))
    cubes = judge_cubes(work, found, MORE, aside)
    return make_cohort(cubes, work.search.kinds, work.folder)


def judge_cubes(
    work: Work, found: Mapping[str, Candidates], copies: int = COPIES, aside: int = 0
) -> list[Cubes]:
    """Make cubes of candidates that hit and that miss, and of targets.

    Args:
        work: Of which the second stage is a part.
        found: Candidates of each scan.
        copies: Of each target in a training scan.
        aside: Copies of each candidate there that misses, moved too.
    """
    search, cubes = work.search, list[Cubes]()
    for number, scan in enumerate(work.learnt):
        rng = np.random.default_rng((search.seed, number, 2))
        image, path = work.volume(scan), work.volumes[scan.name]
        learns = scan.split == "train"
        cubes += _targets(work, scan, image, copies if learns else 0, rng)
        places, reach = targets_mm(scan), search.hit_mm(scan)
        some = found[scan.name]
        wrong = some.missing(places, reach).places_mm
        moved = _moved(image, wrong, aside if learns else 0, search.edge_mm, rng)
        cubes.append(Cubes(scan, path, NOTHING, moved))
        for kind in search.kinds:
            chosen = np.array([target.kind == kind for target in scan.targets], bool)
            hits = some.hitting(places[chosen], reach[chosen])
            cubes.append(Cubes(scan, path, kind, hits.places_mm))
    return cubes


def _targets(
    work: Work, scan: Scan, image: Image, copies: int, rng: np.random.Generator
) -> list[Cubes]:
    """Make cubes of the targets of a scan, each with copies that are moved by a sample."""
    places = targets_mm(scan)
    found = []
    for kind in dict.fromkeys(target.kind for target in scan.targets):
        chosen = np.array([target.kind == kind for target in scan.targets], bool)
        moved = _moved(image, places[chosen], copies, work.search.edge_mm, rng)
        found.append(Cubes(scan, work.volumes[scan.name], kind, moved))
    return found


def _moved(
    image: Image, places_mm: Places, copies: int, sd_mm: float, rng: np.random.Generator
) -> Places:
    """Give places, and copies of them that are moved by chance but not out of the scan."""
    return keep_inside(image, jitter(places_mm, copies, sd_mm, rng))
