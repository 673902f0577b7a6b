"""How many candidates of a scan go on to be judged: as many as validation scans ask for.

A candidate that is not put forward is lost, and hard ones are lost among many easy ones. So few
are taken where they hold the targets of validation scans, and twice as many as long as these find
a good share more. What was found stands in `candidates.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medclf.core.whole import write_whole
from medclf.errors import SettingError
from medclf.evaluate.froc import hits
from medclf.systems.candidates import Candidates
from medclf.systems.measure import reach_mm, targets_mm
from medclf.systems.search import Search
from medclf.systems.work import Work

MANY = (200, 400, 800)
"""Candidates of a scan, among which is chosen."""

MORE, FEWEST = 0.05, 2
"""Share of validation's targets, and their number, that twice as many candidates find at least."""

KEPT = "candidates.json"


@dataclass(frozen=True)
class Many:
    """How many candidates of a scan are judged, and why.

    Args:
        most: Of a scan.
        among: Share of validation's targets that are hit by the first so many; empty where the
            person said how many.
    """

    most: int
    among: Mapping[int, float]

    @property
    def reason(self) -> str:
        """What validation scans tell, in words."""
        told = ", ".join(f"{share:.2f} among {n}" for n, share in self.among.items())
        return f"targets of validation scans: {told}" if told else ""


def expect_many(most: int) -> None:
    """Check what the person says.

    Raises:
        SettingError: it is below 0.
    """
    if most < 0:
        raise SettingError(f"most is the number of candidates of a scan, or 0, not {most}")


def widest(search: Search) -> int:
    """Tell how many candidates of a scan may be asked for."""
    return search.options["most"] or MANY[-1]


def choose_many(work: Work, found: Mapping[str, Candidates]) -> Many:
    """Choose how many are judged, by validation scans alone, and write it down.

    Args:
        work: Of which the candidates are.
        found: In each scan, surest first, as many as may be asked for.
    """
    if work.search.options["most"]:
        return Many(work.search.options["most"], {})
    scans = [scan for scan in work.learnt if scan.split == "val"]
    targets = sum(len(scan.targets) for scan in scans)
    reached = {
        n: sum(
            int(hits(found[s.name].places_mm[:n], targets_mm(s), reach_mm(s)).any(0).sum())
            for s in scans
        )
        for n in MANY
    }
    most, gain = MANY[0], max(FEWEST, MORE * targets)
    for n in MANY[1:]:
        if reached[n] - reached[most] < gain:
            break
        most = n
    many = Many(most, {n: number / max(targets, 1) for n, number in reached.items()})
    write_whole(work.folder / KEPT, json.dumps({"most": most, "among": many.among}))
    return many


def chosen_many(folder: Path, search: Search) -> Many:
    """Tell how many were chosen, or said."""
    if search.options["most"]:
        return Many(search.options["most"], {})
    kept = json.loads((folder / KEPT).read_text(encoding="utf-8"))
    return Many(kept["most"], {int(n): share for n, share in kept["among"].items()})
