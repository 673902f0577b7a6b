"""The verbs of finding: train a system on marked scans, go on with it, load it, find.

run = medclf.systems.locate.train("marks.csv", "runs/bleeds", minutes=10, kinds=["microbleed"])
for finding in run.predict(["new.nii.gz"]):
    print(finding.kind, finding.at_mm, finding.score)
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from medclf.core.finding import Finding, Findings
from medclf.curate.choice import LABELS, usual_columns
from medclf.curate.cohort import AS_FOUND, Columns, read_marks
from medclf.curate.task import Worded
from medclf.errors import CohortError, ReadError, RunError, SettingError
from medclf.learn.align import columns_of
from medclf.learn.begin import expect_free, hold_new, mark_begun
from medclf.learn.run import sole_use
from medclf.locate.scans import Scan, gather_scans
from medclf.systems.candidates import Find
from medclf.systems.deal import deal_scans, order_scans, sign_scans
from medclf.systems.doubt import read_doubted
from medclf.systems.finish import finish
from medclf.systems.measure import tell_findings
from medclf.systems.search import (
    Folder,
    Search,
    make_folder,
    open_folder,
    plan_scans,
)
from medclf.systems.table import (
    SYSTEMS,
    choose_options,
    choose_system,
    expect_kinds,
    expect_landmarks,
    load_system,
)
from medclf.watch import SILENT, Watch

MINUTES = 10.0
KINDS = "kind type name"
"""What a column of marks is called where none has the name of a label."""


def train(  # noqa: PLR0913 - the command line says the same, option by option
    data: str | Path,
    out: str | Path,
    minutes: float = MINUTES,
    seed: int = 0,
    system: str = "",
    kinds: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    columns: Columns = AS_FOUND,
    watch: Watch = SILENT,
) -> "TrainedSearch":
    """Train a system on marked scans, and measure it; everything goes into a new folder.

    Args:
        data: A table with a row for each mark: image, place, kind, patient, split, `diameter_mm`.
            A row without place is a scan in which nothing is.
        out: The folder; it must not hold anything yet.
        minutes: Budget, wall clock.
        seed: All chance comes from it.
        system: One of `medclf.systems.table`; "" for heat maps where several kinds are marked, each
            at most once in a scan, and else screening.
        kinds: What is sought; empty for all that is marked.
        options: What the system lets be chosen.
        columns: What the columns of the table mean.
        watch: Told how far it is.

    Raises:
        MedclfError: the data, a setting or the folder do not serve.
    """
    folder = Path(out)
    expect_free(folder)
    if system:
        load_system(system)
    column, scans, read = _read_scans(Path(data), columns, kinds)
    system = system or choose_system(scans)
    chosen = choose_options(system, options or {})
    kind_of = SYSTEMS[system]
    if kind_of.landmarks:
        expect_landmarks(scans)
    dealt, _ = deal_scans(scans, seed)
    there = {target.kind for scan in scans for target in scan.targets}
    order = tuple(kinds) or tuple(sorted(there))
    expect_kinds(system, order)
    prepare, why, known = plan_scans(dealt, minutes, seed, kind_of.one_size, kind_of.finest_mm)
    search = Search(system, order, column, prepare, minutes, seed, chosen)
    images = columns.images
    said = asdict(columns) | {"images": images and str(images.absolute())}
    kept = {"origin": str(Path(data).absolute()), "columns": said, "series": read.series}
    with hold_new(folder):
        facts = {"data": kept, "scans": sign_scans(scans), "notes": list(read.notes)}
        begun = make_folder(folder, search, known, **facts, reasons={"prepare.spacing_mm": why})
        mark_begun(folder)
        return TrainedSearch(finish(begun, scans, watch))


def resume(
    folder: str | Path, data: str | Path | None = None, watch: Watch = SILENT
) -> "TrainedSearch":
    """Go on with a training that was cut short; what is done is kept.

    Args:
        folder: Of the system.
        data: Where the data are now, if they have moved.
        watch: Told how far it is.

    Raises:
        RunError: there is none, it is done already, or the data have changed since it was begun.
    """
    begun = open_folder(Path(folder))
    if begun is None or begun.done:
        found = "none" if begun is None else "one that has come to its end"
        raise RunError(f"{folder}: a system to go on with wanted, found {found}")
    with sole_use(Path(folder)):
        search, kept = begun.search, begun.facts["data"]
        place = Path(data or kept["origin"])
        _, scans, _ = _read_scans(place, columns_of(kept), search.kinds)
        scans = order_scans(scans, begun.facts["scans"], begun.path)
        return TrainedSearch(finish(begun, scans, watch))


def load(folder: str | Path) -> "TrainedSearch":
    """Load a system that has learnt.

    Raises:
        RunError: there is none, or it was cut short.
    """
    found = open_folder(Path(folder))
    if found is None:
        raise RunError(f"{folder}: a system that has learnt wanted, found none")
    if not found.done:
        raise RunError(
            f"{folder}: a system that has learnt wanted, found one that was cut short; "
            "go on with medclf train --resume"
        )
    return TrainedSearch(found)


@dataclass(frozen=True)
class TrainedSearch:
    """A system that has learnt: it finds.

    Args:
        folder: Its own.
    """

    folder: Folder

    @cached_property
    def scores(self) -> dict[str, Any]:
        """What `scores.json` holds."""
        text = (self.folder.path / "scores.json").read_text(encoding="utf-8")
        scores: dict[str, Any] = json.loads(text)
        return scores

    @cached_property
    def _find(self) -> Find:
        search = self.folder.search
        return load_system(search.system).open_finder(self.folder.path, search)

    def predict(
        self, files: Iterable[str | Path], watch: Watch = SILENT, series: str | None = None
    ) -> list[Finding]:
        """Search scans; what makes one unlike those of training is told with its findings.

        Args:
            files: A volume each, or a folder of its DICOM files.
            watch: Told how far it is.
            series: Which volume of a folder is meant, as `Columns.series`; that of the training
                where it is not said.

        Raises:
            ReadError: a file cannot be read, or is no volume that tells where it lies.
        """
        return [one for some in self.search(files, watch, series) for one in some.found]

    def search(
        self,
        files: Iterable[str | Path],
        watch: Watch = SILENT,
        series: str | None = None,
        skip_unreadable: bool = False,
    ) -> list[Findings]:
        """Search scans as `predict` does, and give the findings of each by themselves.

        Args:
            files: As `predict` takes them.
            watch: Likewise.
            series: Likewise.
            skip_unreadable: Give a file that cannot be read no findings, and the reason as its
                warning, rather than stop.

        Raises:
            ReadError: as `predict` says; where such are skipped, all are.
        """
        paths, found = list(map(Path, files)), list[Findings]()
        for number, path in enumerate(paths):
            try:
                found.append(self._search(path, series))
            except (CohortError, ReadError) as problem:
                if not skip_unreadable:
                    raise
                found.append(Findings(str(path), (), (str(problem),), searched=False))
            if found[-1].warnings and watch.doubt is not None:
                watch.doubt(str(path), found[-1].warnings)
            if watch.count is not None:
                watch.count(number + 1, len(paths))
        if found and not any(one.searched for one in found):
            raise ReadError(found[0].warnings[0])
        return found

    def _search(self, path: Path, series: str | None) -> Findings:
        search, one_size = self.folder.search, SYSTEMS[self.folder.search.system].one_size
        source = self.folder.find_image(path, series)
        image, doubts = read_doubted(source, search.prepare, one_size, self.folder.known)
        some = self._find(image)
        return tell_findings(str(path), some, search.kinds, self.folder.threshold, doubts)


def _read_scans(
    data: Path, columns: Columns, kinds: Sequence[str]
) -> tuple[str, tuple[Scan, ...], Worded]:
    """Read the marks of a table: which column names their kind, the scans, and what was read."""
    if isinstance(columns.label, tuple):
        raise SettingError(f"one column of kinds wanted, found {', '.join(columns.label)}")
    found = read_marks(data, columns)
    facts = dict.fromkeys(name for record in found.records for name in record.facts)
    column = columns.label or _choose_kind(data, list(facts))
    if column and column not in facts:
        raise CohortError(f"{data}: a column {column!r} wanted, found {', '.join(facts)}")
    if column and not columns.label:
        note = f"The column {column!r} is read as the kind of each mark; else say --label."
        found = replace(found, notes=(*found.notes, note))
    place = columns.images or data
    base = (place if place.is_dir() else place.parent).absolute()
    return column, gather_scans(found.records, base, column, kinds), found


def _choose_kind(data: Path, facts: Sequence[str]) -> str:
    """Choose the column that tells what marks are by its usual name; "" where there is none."""
    usual = usual_columns({name: [] for name in facts}, (*LABELS, KINDS))
    if len(usual) > 1:
        raise CohortError(
            f"{data}: {', '.join(usual)} may each tell what is marked: choose with --label"
        )
    return (usual or [""])[0]
