"""How well a system finds: free-response figures on scans that it never learnt from.

A finding hits a target within its radius, or within 4.5 mm where that is more, whatever its kind;
what targets that are hit are taken for is told beside it. Landmarks, of which a scan has one each
at most, are measured by their distance in mm instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from medclf.core.finding import Finding, Findings
from medclf.core.plain import to_finite, to_plain
from medclf.evaluate.distances import Distances, Placed, measure_distances
from medclf.evaluate.froc import Froc, Marked, free_response, hits
from medclf.evaluate.kinds import Kinds, measure_kinds
from medclf.locate.scans import Scan
from medclf.systems.candidates import Candidates
from medclf.systems.doubt import add_unsure
from medclf.systems.search import Search

RATES = (2.74,)
"""Beside those of CPM: where Dou et al. report theirs."""

LISTED = 20
"""Findings of a scan that are told at least, where there are so many."""


def targets_mm(scan: Scan) -> np.ndarray:
    """Tell where the targets of a scan lie in the patient: (T, 3)."""
    return np.array([target.point.at for target in scan.targets], float).reshape(-1, 3)


def reach_mm(scan: Scan) -> np.ndarray:
    """Tell how near a finding must come to each target of a scan: (T,)."""
    return np.array([target.reach_mm for target in scan.targets], float)


@dataclass(frozen=True)
class Measured:
    """What a system reaches on some scans.

    Args:
        split: Whose scans they are.
        threshold: From which on a finding is sure; chosen on validation. Infinite where nothing is.
        judged: Both stages; `None` of landmarks.
        screened: The first stage alone, by its own scores; `None` of landmarks.
        kinds: What targets are taken for, where several kinds are sought; `None` of landmarks.
        distances: Of landmarks; `None` where other things are sought.
    """

    split: str
    threshold: float
    judged: Froc | None = None
    screened: Froc | None = None
    kinds: Kinds | None = None
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
        return Measured(judged.split, threshold, distances=distances)
    chosen, _ = respond(val.scans, val.found, search)
    threshold = choose_threshold(chosen, search.false_positives)
    kinds = compare_kinds(judged, search.kinds) if len(search.kinds) > 1 else None
    return Measured(judged.split, threshold, *respond(judged.scans, judged.found, search), kinds)


def hold(scans: Sequence[Scan], found: Mapping[str, Candidates], search: Search) -> Placed:
    """Hold the landmarks of a search against what is marked."""
    truth = np.full((len(scans), len(search.kinds), 3), np.nan)
    for own, scan in zip(truth, scans, strict=True):
        for mark in scan.targets:
            own[search.kinds.index(mark.kind)] = mark.point.at
    patients = np.array([scan.patient for scan in scans])
    some = [found[scan.name] for scan in scans]
    places = np.stack([one.places_mm for one in some])
    return Placed.of(patients, places, truth, np.stack([one.scores for one in some]))


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
            reach_mm(scan),
        )
        for scan in scans
    ]
    alone = [
        replace(one, scores=found[s.name].screened) for one, s in zip(marked, scans, strict=True)
    ]
    judged, screened = (free_response(some, RATES, search.seed) for some in (marked, alone))
    return judged, screened


def compare_kinds(judged: Searched, kinds: Sequence[str]) -> Kinds:
    """Tell what targets are taken for, each by the surest of the findings that hit it."""
    true, called, patients = list[int](), list[int](), list[str]()
    for scan in judged.scans:
        found = judged.found[scan.name]
        hit = hits(found.places_mm, targets_mm(scan), reach_mm(scan))
        for target, own in zip(scan.targets, hit.T, strict=True):
            if own.any():
                surest = np.where(own, found.scores, -np.inf).argmax()
                true.append(kinds.index(target.kind))
                called.append(int(found.kinds[surest]))
                patients.append(scan.patient)
    return measure_kinds(np.array(true, int), np.array(called, int), patients, kinds)


def choose_threshold(froc: Froc, false_positives: float) -> float:
    """Choose the threshold that finds most at so many false positives in a scan.

    Returns:
        Infinity where nothing is found at so few.
    """
    allowed = [c for c in froc.curve if c.false_positives <= false_positives]
    best = max(allowed, key=lambda corner: (corner.sensitivity, -corner.false_positives))
    return np.inf if best.threshold is None else best.threshold


def tell_findings(
    name: str,
    found: Candidates,
    kinds: Sequence[str],
    threshold: float,
    doubts: Sequence[str] = (),
) -> Findings:
    """Make findings of candidates, surest first, each with what makes the scan doubtful.

    All that are sure are told, and the surest of the others until there are `LISTED`, or one for
    each kind where those are more: a person may want to look at these too.
    """
    sure = found.scores >= threshold
    most = max(int(sure.sum()), LISTED, len(kinds))
    order = np.argsort(-found.scores, kind="stable")[:most]
    warnings = add_unsure(doubts, found.scores, threshold)
    told = (
        Finding(
            name,
            kinds[int(found.kinds[i])],
            (float(found.places_mm[i, 0]), *map(float, found.places_mm[i, 1:])),  # type: ignore[arg-type]
            float(found.scores[i]),
            bool(sure[i]),
            warnings,
        )
        for i in order
    )
    return Findings(name, tuple(told), warnings)
