"""What the two stages learn from: cubes about targets, candidates, and anything else in a scan."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from medclf.core.cohort import Cohort
from medclf.core.image import Image
from medclf.locate.scans import Scan
from medclf.systems.candidates import Candidates
from medclf.systems.cubes import NOTHING, Cubes, jitter, make_cohort
from medclf.systems.measure import targets_mm
from medclf.systems.volume import draw_places
from medclf.systems.work import Work

COPIES = 12
"""Of each target among the cubes of the second stage, moved by chance."""

FEWEST, MOST = 4, 48
"""Copies of each target among those of the screen."""

SHOWING = 1 / 3
"""Cubes of the screen that show a target, for each that was drawn and shows none."""

NEGATIVES = 800
"""Cubes of a training scan that show no target."""


def screen_cohort(work: Work, mistakes: Mapping[str, Candidates]) -> Cohort:
    """Make cubes of targets and of anything else, mistakes among them where they are known."""
    search, cubes = work.search, []
    targets = sum(len(scan.targets) for scan in work.learnt)
    wanted = SHOWING * NEGATIVES * len(work.learnt) / max(targets, 1)
    copies = int(np.clip(round(wanted), FEWEST, MOST))
    for number, scan in enumerate(work.learnt):
        rng = np.random.default_rng((search.seed, number, 1))
        image, path = work.volume(scan), work.volumes[scan.name]
        cubes += _targets(work, scan, image, copies, rng)
        places, reach = targets_mm(scan), search.hit_mm(scan) + 2 * search.edge_mm
        drawn = draw_places(image, NEGATIVES, places, reach, rng)
        cubes.append(Cubes(scan, path, NOTHING, drawn))
        if scan.name in mistakes:
            wrong = mistakes[scan.name].missing(places, search.hit_mm(scan))
            cubes.append(Cubes(scan, path, NOTHING, wrong.places_mm))
    kinds = [_call_alike(one, search.kinds[0]) for one in cubes]
    return make_cohort(kinds, search.kinds[:1], work.folder)


def _call_alike(cubes: Cubes, kind: str) -> Cubes:
    """Call all targets alike, for a stage that only tells them from nothing."""
    return cubes if cubes.kind == NOTHING else replace(cubes, kind=kind)


def judge_cohort(work: Work, found: Mapping[str, Candidates]) -> Cohort:
    """Make cubes of candidates and of targets, to tell which kind each is, or that it is none."""
    return make_cohort(judge_cubes(work, found), work.search.kinds, work.folder)


def judge_cubes(work: Work, found: Mapping[str, Candidates]) -> list[Cubes]:
    """Make cubes of candidates that hit and that miss, and of targets."""
    search, cubes = work.search, list[Cubes]()
    for number, scan in enumerate(work.learnt):
        rng = np.random.default_rng((search.seed, number, 2))
        image, path = work.volume(scan), work.volumes[scan.name]
        copies = COPIES if scan.split == "train" else 0
        cubes += _targets(work, scan, image, copies, rng)
        places, reach = targets_mm(scan), search.hit_mm(scan)
        some = found[scan.name]
        cubes.append(Cubes(scan, path, NOTHING, some.missing(places, reach).places_mm))
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
        moved = jitter(places[chosen], copies, work.search.edge_mm, rng)
        samples = np.clip(image.grid.from_mm(moved), 0, np.array(image.space) - 1)
        found.append(Cubes(scan, work.volumes[scan.name], kind, image.grid.to_mm(samples)))
    return found
