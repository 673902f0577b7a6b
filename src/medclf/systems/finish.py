"""A training of a system brought to its end: scans prepared, stages trained, findings measured."""

import csv
import io
import json
import shutil
from collections.abc import Sequence
from hashlib import sha256

from medclf.core.finding import Findings
from medclf.core.plain import to_finite, to_plain
from medclf.core.whole import write_whole
from medclf.errors import RunError
from medclf.locate.scans import Scan
from medclf.systems.candidates import keep_candidates, kept_candidates
from medclf.systems.deal import deal_scans
from medclf.systems.doubt import Usual
from medclf.systems.label_and_fill import learn_sizes
from medclf.systems.measure import Measured, Searched, measure, tell_findings
from medclf.systems.page import write_page
from medclf.systems.prepared import prepare_scans
from medclf.systems.search import Folder, look_at
from medclf.systems.table import SYSTEMS, load_system
from medclf.systems.work import Work
from medclf.watch import Watch

PREPARED = "prepared"

BEYOND = (
    "Marks that lie where scans are not searched, for they are longer than those of training: {}; "
    "there nothing is found."
)


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
    scans, volumes, beyond = prepare_scans(
        scans, search.prepare, system.one_size, place / PREPARED, watch
    )
    digests = [sha256(path.read_bytes()).hexdigest() for path in volumes.values()]
    whole = sha256("".join(digests).encode()).hexdigest()
    if begun.facts.get("digest", whole) != whole:
        raise RunError(f"{place}: the images have changed since this training was begun")
    dealt, notes = deal_scans(scans, search.seed, digests)
    notes += [BEYOND.format(beyond)] if beyond else []
    begun = begun.update(digest=whole, notes=list(dict.fromkeys([*begun.facts["notes"], *notes])))
    learnt = [scan for scan in dealt if scan.split == "train"]
    planned, _ = deal_scans(scans, search.seed)
    if [scan.split for scan in dealt] != [scan.split for scan in planned]:
        found = look_at(learnt, search.seed, system.one_size)
        begun = begun.update(known=to_plain(Usual.of(found)))
    if system.landmarks:
        begun = begun.update(sizes_mm=learn_sizes(learnt, search.kinds))
    work = Work(place, search, dealt, volumes, watch)
    loaded.learn(work)
    measured, judged = _measure(work, system.landmarks)
    write_whole(place / "scores.json", json.dumps(measured.to_json(), indent=1))
    write_page(begun, work, measured, judged)
    done = begun.update(state="done", threshold=to_finite(measured.threshold))
    shutil.rmtree(place / PREPARED)
    return done


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
        tell_findings(scan.name, judged.found[scan.name], search.kinds, measured.threshold)
        for scan in judged.scans
    ]
    write_whole(work.folder / "findings.csv", write_findings(findings))
    return measured, judged


def write_findings(findings: Sequence[Findings]) -> str:
    """Write findings as CSV, with a row too for each scan that has none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "kind", "z_mm", "y_mm", "x_mm", "score", "sure", "warnings"])
    for row in (row for one in findings for row in one.rows()):
        place = [f"{mm:.2f}" for mm in row["at_mm"]] if row["at_mm"] else [""] * 3
        score = "" if row["score"] is None else f"{row['score']:.6f}"
        sure = "" if row["sure"] is None else int(row["sure"])
        writer.writerow([row["name"], row["kind"], *place, score, sure, "; ".join(row["warnings"])])
    return text.getvalue()
