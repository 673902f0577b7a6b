"""A training of a system brought to its end: scans prepared, stages trained, findings measured."""

import csv
import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from medclf.core.finding import Finding
from medclf.core.record import Point
from medclf.core.whole import write_whole
from medclf.errors import CohortError, RunError
from medclf.locate.scans import Scan
from medclf.prepare.settings import Prepare
from medclf.read.image import read_image
from medclf.systems.candidates import keep_candidates, kept_candidates
from medclf.systems.deal import deal_scans
from medclf.systems.label_and_fill import learn_sizes
from medclf.systems.measure import Measured, Searched, measure, tell_findings
from medclf.systems.page import write_page
from medclf.systems.search import Folder
from medclf.systems.table import SYSTEMS, load_system
from medclf.systems.volume import keep_volume, kept_volume, read_volume
from medclf.systems.work import Work
from medclf.watch import Watch

PREPARED = "prepared"


def finish(begun: Folder, scans: Sequence[Scan], watch: Watch) -> Folder:
    """Bring a training to its end, from wherever it stands.

    Args:
        begun: Its folder.
        scans: As read, in the order in which it was begun with them.
        watch: Told how far it is.

    Raises:
        CohortError: a target lies outside of its scan, or scans cannot be dealt into splits.
        RunError: the images have changed since they were prepared first.
    """
    search, place = begun.search, begun.path
    loaded = load_system(search.system)
    system = SYSTEMS[search.system]
    scans, volumes = _prepare(scans, search.prepare, system.one_size, place / PREPARED, watch)
    digests = [sha256(path.read_bytes()).hexdigest() for path in volumes.values()]
    whole = sha256("".join(digests).encode()).hexdigest()
    if begun.facts.get("digest", whole) != whole:
        raise RunError(f"{place}: the images have changed since this training was begun")
    scans, notes = deal_scans(scans, search.seed, digests)
    begun = begun.update(digest=whole, notes=list(dict.fromkeys([*begun.facts["notes"], *notes])))
    if system.landmarks:
        learnt = [scan for scan in scans if scan.split == "train"]
        begun = begun.update(sizes_mm=learn_sizes(learnt, search.kinds))
    work = Work(place, search, scans, volumes, watch)
    loaded.learn(work)
    measured, judged = _measure(work, system.landmarks)
    write_whole(place / "scores.json", json.dumps(measured.to_json(), indent=1))
    write_page(begun, work, measured, judged)
    done = begun.update(state="done", threshold=measured.threshold)
    shutil.rmtree(place / PREPARED)
    return done


def _prepare(
    scans: Sequence[Scan], prepare: Prepare, one_size: bool, place: Path, watch: Watch
) -> tuple[list[Scan], dict[str, Path]]:
    """Prepare scans that are not prepared yet, and tell their targets in mm.

    Raises:
        CohortError: a target lies outside of its scan.
    """
    place.mkdir(exist_ok=True)
    found, volumes = [], {}
    for number, scan in enumerate(scans):
        path = place / f"{number:05d}.nii"
        if not path.exists():
            keep_volume(read_volume(scan.source, prepare, one_size), path)
        volumes[scan.name] = path
        found.append(_in_mm(scan, path))
        if watch.count is not None:
            watch.count(number + 1, len(scans))
    return found, volumes


def _in_mm(scan: Scan, path: Path) -> Scan:
    """Tell the targets of a scan in mm, and hold them against where it lies."""
    if not scan.targets:
        return scan
    image, targets = kept_volume(path), []
    for target in scan.targets:
        at = np.array(target.point.at)
        if target.point.unit == "samples":
            at = read_image(scan.source).grid.to_mm(at)
        sample = image.grid.from_mm(at)
        if ((sample < -0.5) | (sample > np.array(image.space) - 0.5)).any():
            raise CohortError(f"{scan.name}: a mark in the scan wanted, found {target.point}")
        targets.append(replace(target, point=Point(tuple(at.tolist()), "mm")))
    return replace(scan, targets=tuple(targets))


def _measure(work: Work, landmarks: bool) -> tuple[Measured, Searched]:
    """Search validation and test scans once; the threshold comes from validation alone."""
    search, splits = work.search, {}
    find = load_system(search.system).open_finder(work.folder, search)
    for split in ("val", "test"):
        scans = [scan for scan in work.scans if scan.split == split]
        kept = work.folder / f"found-{split}.npz"
        if not kept.exists():
            keep_candidates(kept, [find(work.volume(s)) for s in scans])
        splits[split] = Searched(split, scans, kept_candidates(kept, [s.name for s in scans]))
    tested = any(scan.targets for scan in splits["test"].scans)
    judged = splits["test" if tested else "val"]
    measured = measure(splits["val"], judged, search, landmarks)
    findings = [
        one
        for scan in judged.scans
        for one in tell_findings(
            scan.name, judged.found[scan.name], search.kinds, measured.threshold
        )
    ]
    write_whole(work.folder / "findings.csv", write_findings(findings))
    return measured, judged


def write_findings(findings: Sequence[Finding]) -> str:
    """Write findings as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "kind", "z_mm", "y_mm", "x_mm", "score", "sure", "warnings"])
    for one in findings:
        place = [f"{mm:.2f}" for mm in one.at_mm]
        told = f"{one.score:.6f}", int(one.sure), "; ".join(one.warnings)
        writer.writerow([one.name, one.kind, *place, *told])
    return text.getvalue()
