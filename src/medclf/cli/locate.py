"""What `medclf train --task locate` and the commands on its folder print and take."""

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from medclf.core.finding import Findings
    from medclf.curate.cohort import Columns
    from medclf.systems.locate import TrainedSearch
    from medclf.watch import Watch


@dataclass(frozen=True)
class Terms:
    """What was said of a search; `None` and "" for what was not.

    Args:
        minutes: Budget.
        seed: All chance comes from it.
        system: By name.
        kinds: What is sought, with commas.
        options: Of the system.
    """

    minutes: float | None
    seed: int | None
    system: str
    kinds: str
    options: Mapping[str, Any]


def is_search(folder: Path) -> bool:
    """Tell whether a folder is that of a system that finds."""
    from medclf.systems.search import open_folder

    return open_folder(folder) is not None


def train_search(
    data: Path | None,
    place: Path,
    terms: Terms,
    columns: "Columns",
    watch: "Watch",
    resumed: bool,
) -> "TrainedSearch":
    """Train a system in a new folder, or go on with one where that is asked for.

    Raises:
        SettingError: there is no DATA, or a search that goes on is given another budget.
    """
    from medclf.errors import SettingError
    from medclf.systems import locate

    if resumed:
        if terms.minutes is not None:
            raise SettingError(
                f"{place}: its stages share the budget that it was begun with: --minutes does not "
                "go with --resume of a search"
            )
        return _noted(locate.resume(place, data, watch))
    if data is None:
        raise SettingError("DATA wanted, or --resume RUN; found neither")
    kinds = [kind.strip() for kind in terms.kinds.split(",") if kind.strip()]
    minutes, seed = terms.minutes or locate.MINUTES, terms.seed or 0
    named = (terms.system, kinds, terms.options)
    return _noted(locate.train(data, place, minutes, seed, *named, columns, watch))


def _noted(found: "TrainedSearch") -> "TrainedSearch":
    """Tell what was taken from the data as they were read."""
    for note in found.folder.facts["notes"]:
        sys.stderr.write(f"{note}\n")
    return found


def read_options(said: Sequence[str]) -> dict[str, Any]:
    """Read options of a method or a system, as "fuse=mean".

    Raises:
        SettingError: one is no name and value.

    Example:
        >>> read_options(["judge=multi_view", "most=30", "share=.5"])
        {'judge': 'multi_view', 'most': 30, 'share': 0.5}
    """
    from medclf.curate.cells import NUMBER
    from medclf.errors import SettingError

    found = {}
    for one in said:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise SettingError(f"--option NAME=VALUE wanted, found {one!r}")
        try:
            found[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:  # It is a word, or a number written as ".5".
            word = value.strip()
            found[name.strip()] = float(word) if NUMBER.fullmatch(word) else word
    return found


def show_found(scores: Mapping[str, Any], as_json: bool = False) -> None:
    """Print how well a system finds."""
    if as_json:
        sys.stdout.write(json.dumps(scores) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if scores["distances"] is not None:
        _show_distances(console, scores)
        return
    judged, alone = scores["judged"], scores["screened"]
    told = f"{judged['lesions']} targets in {judged['scans']} scans of {scores['split']}"
    table = Table(title=f"{told}, of {judged['patients']} patients")
    for heading in ("false positives a scan", "sensitivity", "95 % interval", "screen alone"):
        table.add_column(heading, justify="right")
    for one, other in zip(judged["points"], alone["points"], strict=True):
        rate, value = f"{one['false_positives']:g}", other["sensitivity"]["value"]
        table.add_row(rate, *_cells(one["sensitivity"]), f"{value:.3f}")
    table.add_row("mean (CPM)", *_cells(judged["cpm"]), f"{alone['cpm']['value']:.3f}")
    if scores["kinds"] is not None:
        table.add_row("called by their kind", *_cells(scores["kinds"]["right"]), "")
    console.print(table)


def _show_distances(console: "Console", scores: Mapping[str, Any]) -> None:
    """Print how far found landmarks lie from the true ones."""
    from rich.table import Table

    found = scores["distances"]
    told = f"{len(found['landmarks'])} landmarks in {found['scans']} scans of {scores['split']}"
    table = Table(title=f"{told}, of {found['patients']} patients")
    for heading in ("", "value", "95 % interval"):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row("mean distance, mm", *_cells(found["error_mm"]))
    table.add_row("median, mm", _number(found["median_mm"]), "")
    table.add_row("largest, mm", _number(found["largest_mm"]), "")
    table.add_row("identified", *_cells(found["identified"]))
    table.add_row("there or missing, told right", *_cells(found["known"]))
    console.print(table)


def _cells(figure: Mapping[str, Any]) -> list[str]:
    return [_number(figure["value"]), f"{_number(figure['low'])} to {_number(figure['high'])}"]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def find_in(
    run: Path, files: Sequence[Path], watch: "Watch", series: str | None, fill: Path | None
) -> "list[Findings]":
    """Search files, and tell what makes each doubtful; first ask whether maps can be filled."""
    from medclf.systems import locate
    from medclf.systems.label_and_fill import expect_fillable

    loaded = locate.load(run)
    if fill is not None:
        expect_fillable(loaded.folder, files)
    found = loaded.search(files, watch, series, skip_unreadable=True)
    doubted = [one for one in found if one.searched and one.warnings]
    sys.stderr.writelines(f"{one.name}: {'; '.join(one.warnings)}\n" for one in doubted)
    return found


def tell_found(found: "Sequence[Findings]", as_json: bool) -> str:
    """Write what was found as CSV, or as JSON."""
    from medclf.systems.finish import write_findings

    if as_json:
        return json.dumps([row for one in found for row in one.rows()]) + "\n"
    return write_findings(found)


def fill_found(run: Path, found: "Sequence[Findings]", fill: Path, series: str | None) -> list[str]:
    """Fill label maps of the files that could be searched, and tell why some have none."""
    from medclf.systems import locate
    from medclf.systems.label_and_fill import fill_files

    searched = [one for one in found if one.searched]
    return fill_files(locate.load(run).folder, searched, fill, series)
