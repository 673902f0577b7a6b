"""How well a system finds: free-response figures on scans that it never learnt from.

Landmarks, of which a scan has one each at most, are measured by their distance in mm as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from medclf.core.finding import Finding
from medclf.core.plain import to_finite, to_plain
from medclf.evaluate.distances import Distances, Placed, measure_distances
from medclf.evaluate.froc import Froc, Marked, free_response
from medclf.locate.scans import Scan
from medclf.systems.candidates import Candidates
from medclf.systems.doubt import add_unsure
from medclf.systems.search import Search

RATES = (2.74,)
"""Beside those of CPM: where Dou et al. report theirs."""


def targets_mm(scan: Scan) -> np.ndarray:
    """Tell where the targets of a scan lie in the patient: (T, 3)."""
    return np.array([target.point.at for target in scan.targets], float).reshape(-1, 3)


@dataclass(frozen=True)
class Measured:
    """What a system reaches on some scans.

    Args:
        split: Whose scans they are.
        threshold: From which on a finding is sure; chosen on validation.
        judged: Both stages, or the only one.
        screened: The first stage alone, by its own scores; `None` where there is one only.
        distances: Of landmarks; `None` where other things are sought.
    """

    split: str
    threshold: float
    judged: Froc
    screened: Froc | None = None
    distances: Distances | None = None

    def to_json(self) -> dict[str, Any]:
        """Make JSON of it; null stands for nan and infinity."""
        plain: dict[str, Any] = to_finite(to_plain(self))
        return plain


@dataclass(frozen=True)
class Searched:
    """Scans of one split that were searched.

    Args:
        split: By name.
        scans: Of it.
        found: In each, by its name.
    """

    split: str
    scans: Sequence[Scan]
    found: Mapping[str, Candidates]


def measure(val: Searched, judged: Searched, search: Search, landmarks: bool) -> Measured:
    """Measure a system.

    Args:
        val: By which the threshold is chosen.
        judged: On which it is measured.
        search: What is sought.
        landmarks: Whether each kind is in a scan at most once.

    Raises:
        CohortError: no scan has a target.
    """
    if landmarks:
        threshold = hold(val.scans, val.found, search).threshold()
        held = hold(judged.scans, judged.found, search)
        distances = measure_distances(held, search.kinds, threshold)
        froc, _ = respond(judged.scans, judged.found, search)
        return Measured(judged.split, threshold, froc, None, distances)
    chosen, _ = respond(val.scans, val.found, search)
    threshold = choose_threshold(chosen, search.false_positives)
    return Measured(judged.split, threshold, *respond(judged.scans, judged.found, search))


def hold(scans: Sequence[Scan], found: Mapping[str, Candidates], search: Search) -> Placed:
    """Hold the landmarks of a search against what is marked."""
    shape = len(scans), len(search.kinds)
    error, sure, own = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, bool)
    for row, scan in enumerate(scans):
        some = found[scan.name]
        sure[row] = some.scores
        truth = np.full((shape[1], 3), np.nan)
        for mark in scan.targets:
            truth[search.kinds.index(mark.kind)] = mark.point.at
        far = np.linalg.norm(some.places_mm[:, None] - truth[None], axis=-1)
        error[row] = np.diag(far)
        there = np.isfinite(error[row])
        own[row, there] = np.nanargmin(far[there], axis=1) == np.flatnonzero(there)
    return Placed(np.array([scan.patient for scan in scans]), error, sure, own)


def respond(
    scans: Sequence[Scan], found: Mapping[str, Candidates], search: Search
) -> tuple[Froc, Froc]:
    """Measure findings against targets, by the last scores and by those of the search.

    Raises:
        CohortError: no scan has a target.
    """
    marked = [
        Marked(
            scan.patient,
            found[scan.name].places_mm,
            found[scan.name].scores,
            targets_mm(scan),
            search.hit_mm(scan),
        )
        for scan in scans
    ]
    alone = [
        replace(one, scores=found[s.name].screened) for one, s in zip(marked, scans, strict=True)
    ]
    judged, screened = (free_response(some, RATES, search.seed) for some in (marked, alone))
    return judged, screened


def choose_threshold(froc: Froc, false_positives: float) -> float:
    """Choose the threshold that finds most at so many false positives in a scan."""
    allowed = [c for c in froc.curve if c.false_positives <= false_positives]
    best = max(allowed, key=lambda corner: (corner.sensitivity, -corner.false_positives))
    return 1.0 if best.threshold is None else best.threshold


def tell_findings(
    name: str,
    found: Candidates,
    kinds: Sequence[str],
    threshold: float,
    doubts: Sequence[str] = (),
) -> list[Finding]:
    """Make findings of candidates, surest first, each with what makes the scan doubtful."""
    order = np.argsort(-found.scores, kind="stable")
    sure = found.scores >= threshold
    warnings = add_unsure(doubts, found.scores, threshold)
    return [
        Finding(
            name,
            kinds[int(found.shares[i].argmax())],
            (float(found.places_mm[i, 0]), *map(float, found.places_mm[i, 1:])),  # type: ignore[arg-type]
            float(found.scores[i]),
            bool(sure[i]),
            warnings,
        )
        for i in order
    ]
