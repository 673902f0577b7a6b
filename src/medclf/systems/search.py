"""What is sought, and how: the settings of a system, as its folder keeps them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from medclf import __version__
from medclf.core.plain import from_plain, to_plain
from medclf.core.record import Source
from medclf.core.whole import write_whole
from medclf.curate.fingerprint import Fingerprint, take_fingerprint
from medclf.curate.series import find_image
from medclf.errors import CohortError, RunError
from medclf.learn.plan import make_plan
from medclf.learn.run import FORMAT
from medclf.locate.scans import Scan
from medclf.prepare.settings import Prepare
from medclf.systems.deal import as_cohort
from medclf.systems.doubt import Usual

SAMPLES = 64**3
"""Of a scan, about, where all get one size."""

SAMPLES_ACROSS = 3
"""Samples across a target of median size, as far as files and the system allow."""

NEAREST_SAMPLES = 3.0
"""What lies so near to a target is learnt as one, for its cube shows the target."""

LOOKED_AT = 256
"""Scans that are looked at, to plan for all."""

WINDOW_HU = (-1000.0, 1000.0)
"""Of CT, from air to dense bone: networks that search see values once, not in several windows."""


@dataclass(frozen=True)
class Search:
    """What is sought, and how.

    Args:
        system: One of `medclf.systems.table`.
        kinds: What is sought.
        column: Of the table, that tells the kind of a mark; "" where all are alike.
        prepare: How scans are prepared before they are searched; their size is their own.
        minutes: Budget of the training, wall clock.
        seed: All chance comes from it.
        options: What the system lets be chosen.
        false_positives: In a scan of validation on average, at the threshold of what is sure.
    """

    system: str
    kinds: tuple[str, ...]
    column: str
    prepare: Prepare
    minutes: float
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    false_positives: float = 1.0

    @property
    def edge_mm(self) -> float:
        """The edge of a sample."""
        return self.prepare.spacing_mm[0]

    def hit_mm(self, scan: Scan) -> np.ndarray:
        """Tell how near a place must lie to each target of a scan to be learnt as one: (T,)."""
        radii = np.array([target.radius_mm for target in scan.targets], float)
        return np.asarray(np.maximum(radii, NEAREST_SAMPLES * self.edge_mm))


def plan_scans(
    scans: Sequence[Scan], minutes: float, seed: int, one_size: bool, finest_mm: float
) -> tuple[Prepare, str, Usual]:
    """Choose how scans are prepared: values as the plan of the house does, and the edge of samples.

    Args:
        scans: In splits; only those of training are looked at.
        minutes: Budget.
        seed: All chance comes from it.
        one_size: Whether all get the same samples, so many as hold the largest of training.
        finest_mm: Samples are not finer.

    Returns:
        The preparation, why it is so, and what scans of training are like.

    Raises:
        ReadError: scans cannot be read.
        CohortError: they are pictures, or tell no spacing.
    """
    scans = [scan for scan in scans if scan.split == "train"]
    cohort, found = as_cohort(scans), look_at(scans, seed, one_size)
    spacing, largest = found.spacing_median_mm, found.spacing_max_mm
    if found.dims != 3 or spacing is None or largest is None or found.spacing_known < 1:
        told = "pictures" if found.dims == 2 else "volumes, some without a spacing in mm"
        raise CohortError(f"{cohort.origin}: volumes that tell their spacing wanted, found {told}")
    planned = make_plan(cohort, found, minutes, seed).recipe.prepare
    scale = "percentile" if planned.intensity == "landmarks" else planned.intensity
    planned = one_window(replace(planned, intensity=scale))
    size, finest = planned.size, max(finest_mm, round(min(spacing), 2))
    if one_size:
        extent = np.array(found.shape_max) * largest
        edge = max(finest, round(float(np.cbrt(extent.prod() / SAMPLES)), 2))
        size = tuple(int(n) for n in np.ceil(extent / edge))
        why = f"some {SAMPLES:,} samples in the largest scan of training"
    else:
        sizes = [t.diameter_mm for scan in scans for t in scan.targets if t.diameter_mm]
        across = float(np.median(sizes)) / SAMPLES_ACROSS if sizes else np.inf
        edge = max(finest_mm, min(finest, round(across, 2)))
        why = f"as fine as files, or as targets ask for, but not finer than {finest_mm:g} mm"
    edges = (edge,) * 3
    return (
        replace(planned, size=size, spacing_mm=edges, crop="none", dtype="uint8"),
        f"samples of {edge:g} mm: {why}",
        Usual.of(found),
    )


def look_at(scans: Sequence[Scan], seed: int, one_size: bool) -> Fingerprint:
    """Look at scans of training: all of them, or a sample.

    Args:
        scans: Of training.
        seed: Draws the sample.
        one_size: Whether all get the same samples, so that one not looked at might be cut.

    Raises:
        ReadError: they cannot be read.
    """
    return take_fingerprint(as_cohort(scans), None if one_size else LOOKED_AT, seed)


def one_window(planned: Prepare) -> Prepare:
    """See a scan in one channel: in the one window that was planned, or in one for all of a CT."""
    window = planned.window if len(planned.window) == len(WINDOW_HU) else WINDOW_HU
    return replace(planned, channels=1, window=window)


@dataclass(frozen=True)
class Folder:
    """The folder of a system.

    Args:
        path: Where it is.
        facts: What its `run.json` holds.
    """

    path: Path
    facts: Mapping[str, Any]

    @property
    def search(self) -> Search:
        """The settings of the system."""
        found: Search = from_plain(Search, self.facts["search"])
        return found

    @property
    def known(self) -> Usual:
        """What the scans of its training are like."""
        found: Usual = from_plain(Usual, self.facts["known"])
        return found

    @property
    def threshold(self) -> float:
        """From which score on a finding is sure; infinite, null in the file, where none is."""
        kept = self.facts["threshold"]
        return np.inf if kept is None else float(kept)

    @property
    def done(self) -> bool:
        """Whether training has come to its end."""
        return bool(self.facts["state"] == "done")

    def find_image(self, path: Path, series: str | None) -> Source:
        """Find the volume that a file or a folder is.

        Args:
            path: Of it.
            series: Which one of a folder is meant; `None` for that which training was told.

        Raises:
            CohortError: the folder holds several images, and nothing tells which is meant.
            ReadError: it holds none.
        """
        data = self.facts["data"]
        return find_image(path, series or data["columns"]["series"], data.get("series"))

    def update(self, **facts: Any) -> "Folder":
        """Write new facts, and return the folder that has them."""
        new = Folder(self.path, {**self.facts, **facts})
        write_whole(self.path / "run.json", json.dumps(new.facts, indent=1))
        return new


def make_folder(path: Path, search: Search, known: Usual, **facts: Any) -> Folder:
    """Begin the folder of a system, with all that its training goes by."""
    first = {"format": FORMAT, "medclf": __version__, "task": "locate", "state": "begun"}
    plain = {"search": to_plain(search), "known": to_plain(known)}
    return Folder(path, {}).update(**first, **plain, **facts)


def open_folder(path: Path) -> Folder | None:
    """Open the folder of a system; `None` where it is none, as a run that classifies.

    Raises:
        RunError: another medclf wrote it.
    """
    try:
        facts = json.loads((path / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(facts, dict) or facts.get("task") != "locate":
        return None
    if facts["format"] != FORMAT:
        raise RunError(f"{path}: a run of format {FORMAT} wanted, found {facts['format']}")
    return Folder(path, facts)
