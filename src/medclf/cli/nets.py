"""`medclf nets`: which networks there are, what they cost, and what one of them looks like."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medclf.cli.options import Json
from medclf.cli.output import expect_place, write_output
from medclf.cli.progress import show_progress

if TYPE_CHECKING:
    from medclf.net.cost import Cost
    from medclf.net.sheet import Sheet, Stage
    from medclf.net.source import Source
    from medclf.net.table import Entry

CHANNELS = {2: 3, 3: 1}
SIZES = {2: ((224, 224), (28, 28)), 3: ((64, 64, 64), (28, 28, 28))}
INDENT = 22


def nets(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One network; without it, all.")
    ] = None,
    dims: Annotated[
        int | None, typer.Option(help="Axes of the images.", min=2, max=3, show_default="2")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="Y,X|Z,Y,X", help="Input in samples.", show_default="224 or 64 each"),
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="Channels of the input.", min=1, show_default="3; 1 in 3D")
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw the network NAME to this file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List all networks with their costs; or tell the stages of the network NAME, and draw it.

    Weights and multiply-adds are those of the body, without a head.

    Example: medclf nets --dims 3, or medclf nets resnet18 --size 96,96 --channels 1 --draw net.svg
    """
    if name is None and (size is not None or draw is not None):
        raise typer.BadParameter("--size and --draw want the NAME of a network")
    if draw is not None and draw.suffix != ".svg":
        raise typer.BadParameter(f"--draw wants a .svg file, not {draw}")
    edges = None if size is None else _edges(size, dims)
    dims = dims or (2 if edges is None else len(edges))
    channels = channels or CHANNELS[dims]
    if name is None:
        _list(dims, channels, as_json)
    else:
        _tell(name, channels, edges or SIZES[dims][0], draw, as_json)


def _edges(text: str, dims: int | None) -> tuple[int, ...]:
    """Read the edges of the input; one number stands for all."""
    from medclf.errors import SettingError

    parts = text.replace("x", ",").split(",")
    if len(parts) == 1:
        parts *= dims or 2
    numbers = tuple(int(part) for part in parts if part.strip().isdecimal())
    if len(numbers) != len(parts) or len(numbers) != (dims or len(numbers)):
        wanted = f"{dims} edges" if dims else "edges in samples"
        raise SettingError(f"--size wants {wanted} with commas, as 224,224, not {text!r}")
    if len(numbers) not in SIZES:
        raise SettingError(f"--size wants 2 or 3 edges with commas, not {text!r}")
    return numbers


def _list(dims: int, channels: int, as_json: bool) -> None:
    """Count every network of the table at two sizes, and list them by family."""
    from medclf.net.sheet import Sheet, fill_sheet
    from medclf.net.table import BODIES

    found: dict[str, list[Sheet]] = {}
    with show_progress("Counting", quiet=as_json) as progress:
        for name in BODIES:
            progress(len(found), len(BODIES))
            found[name] = [fill_sheet(name, channels, size) for size in SIZES[dims]]
    if as_json:
        told = [_listed(name, BODIES[name], sheets, dims) for name, sheets in found.items()]
        sys.stdout.write(json.dumps({"dims": dims, "channels": channels, "nets": told}) + "\n")
    else:
        _show_list(found, dims, channels)


def _listed(name: str, entry: "Entry", sheets: "Sequence[Sheet]", dims: int) -> dict[str, Any]:
    costs = [sheet.cost for sheet in sheets]
    sizes = ["x".join(map(str, size)) for size in SIZES[dims]]
    return {
        **_known(name, entry),
        "features": sheets[0].features,
        "weights": {s: cost.weights for s, cost in zip(sizes, costs, strict=True)},
        "multiply_adds": {s: cost.multiply_adds for s, cost in zip(sizes, costs, strict=True)},
        "receptive_field": {s: list(cost.field) for s, cost in zip(sizes, costs, strict=True)},
    }


def _known(name: str, entry: "Entry") -> dict[str, Any]:
    """Tell what stands in the tables of bodies and of published weights."""
    source = _source(name)
    return {
        "name": name,
        "family": entry.family,
        "year": entry.year,
        "paper": entry.paper,
        "depth": entry.depth,
        "pretrained": source and {"from": _origin(source), "imagenet_top1": source.top1 or None},
    }


def _source(name: str) -> "Source | None":
    """Find the published weights of a body, if any."""
    from medclf.errors import SettingError
    from medclf.net.weights import find_source

    try:
        return find_source(name)
    except SettingError:
        return None


def _origin(source: "Source") -> str:
    """Say who published weights: a library, or a package that holds them."""
    return source.place if source.packed else source.names.lower()


def _show_list(found: "dict[str, list[Sheet]]", dims: int, channels: int) -> None:
    from rich.console import Console
    from rich.markup import escape

    from medclf.net.table import BODIES

    console = Console(highlight=False, soft_wrap=True)
    first, second = (_by(size).replace(" ", "") for size in SIZES[dims])
    many = "channel" if channels == 1 else "channels"
    console.print(f"{dims}D, {channels} {many}, no head. Multiply-adds at {first} and {second};")
    console.print(f"weights, and field (the edge that a cell of the last map sees), at {first}.")
    heads = ("depth", "weights", first, second, "field")
    console.print(" " * INDENT + _row(heads) + "  pretrained", style="bold")
    paper = ""
    for name, (large, small) in found.items():
        entry = BODIES[name]
        if entry.paper != paper:
            paper = entry.paper
            console.print(f"[bold]{entry.family}[/], {entry.year}. [dim]{escape(paper)}[/]")
        cost = large.cost
        counts = [_short(n) for n in (cost.weights, cost.multiply_adds, small.cost.multiply_adds)]
        row = _row((str(entry.depth or "–"), *counts, _edge(cost.field)))
        source = _source(name)
        end = "–" if source is None else f"{_origin(source)}, {source.top1} %"
        console.print(f"  {name:<{INDENT - 2}}{row}  {end}")


def _row(cells: Sequence[str]) -> str:
    widths = (5, 8, 12, 12, 6)
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _tell(
    name: str, channels: int, size: tuple[int, ...], draw: Path | None, as_json: bool
) -> None:
    """Tell the stages of one network for one input, and draw it."""
    from medclf.net.sheet import fill_sheet
    from medclf.net.table import find_entry

    entry = find_entry(name)
    expect_place(draw)
    sheet = fill_sheet(name, channels, size)
    if draw is not None:
        write_output(draw, _picture(name, entry, sheet, channels, size))
    if as_json:
        stages = [_part(stage.cost) | {"name": stage.name} for stage in sheet.stages]
        told = {
            **_known(name, entry),
            "options": entry.options,
            "input": [channels, *size],
            "features": sheet.features,
            **_part(sheet.cost),
            "stages": stages,
            "picture": None if draw is None else str(draw),
        }
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        _show(name, entry, sheet, (channels, *size), draw)


def _part(cost: "Cost") -> dict[str, Any]:
    return {
        "shape": list(cost.shape),
        "weights": cost.weights,
        "multiply_adds": cost.multiply_adds,
        "receptive_field": list(cost.field),
        "step": list(cost.step),
    }


def _show(
    name: str, entry: "Entry", sheet: "Sheet", image: Sequence[int], draw: Path | None
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    depth = f", depth {entry.depth}" if entry.depth else ""
    console.print(f"[bold]{escape(name)}[/]: {entry.family}, {entry.year}{depth}", soft_wrap=True)
    console.print(f"[dim]{escape(entry.paper)}[/]", soft_wrap=True)
    table = Table("Stage")
    for heading in ("blocks", "map", "weights", "multiply-adds", "field"):
        table.add_column(heading, justify="right", no_wrap=heading != "multiply-adds")
    table.add_row("input", "", _by(image).replace(" ", ""), "", "", "", end_section=True)
    for stage in sheet.stages:
        last = stage is sheet.stages[-1]
        table.add_row(stage.name, str(len(stage.blocks)), *_cells(stage.cost), end_section=last)
    table.add_row("all", "", *_cells(sheet.cost))
    console.print(table)
    cost = sheet.cost
    told = f"{cost.weights:,} weights and {cost.multiply_adds:,} multiply-adds; a head adds "
    console.print(f"{told}{sheet.features:,} weights and a bias for each class.", soft_wrap=True)
    if source := _source(name):
        top1 = f", top-1 {source.top1} %" if source.top1 else ""
        console.print(f"Pretrained on ImageNet: {_origin(source)}{top1}.", soft_wrap=True)
    told = ", ".join(f"{key} = {json.dumps(value)}" for key, value in entry.options.items())
    console.print(f"Options: {escape(told)}", soft_wrap=True)
    if draw is not None:
        console.print(f"Picture: {escape(str(draw))}", soft_wrap=True)


def _cells(cost: "Cost") -> tuple[str, str, str, str]:
    field = _edge(cost.field).replace(" ", "")
    return _by(cost.shape).replace(" ", ""), _short(cost.weights), _short(cost.multiply_adds), field


def _picture(name: str, entry: "Entry", sheet: "Sheet", channels: int, size: Sequence[int]) -> str:
    """Draw a network as SVG: the image, its stages, and the features that a head judges."""
    from medclf.report.architecture import Box, Column, draw_architecture

    cost, image = sheet.cost, (channels, *size)
    told = f"{_short(cost.weights)} weights, {_short(cost.multiply_adds)} multiply-adds"
    depth = f", depth {entry.depth}" if entry.depth else ""
    lines = (f"{entry.family}, {entry.year}{depth}: {told} for {_by(image)}", entry.paper)
    columns = [Column("input", (Box(max(size), channels),), (_by(image),), plain=True)]
    columns += [_column(stage) for stage in sheet.stages]
    words = (f"{sheet.features:,}", "mean of each map")
    columns.append(Column("features", (Box(1, sheet.features),), words, plain=True))
    return draw_architecture(name, lines, columns)


def _column(stage: "Stage") -> Any:
    from medclf.report.architecture import Box, Column

    boxes = [Box(max(b.cost.shape[1:]), b.cost.shape[0], b.added) for b in stage.blocks]
    cost = stage.cost
    words = [_by(cost.shape)]
    if len(boxes) > 1:
        words.append(f"{len(boxes)} {'ways' if stage.beside else 'blocks'}")
    counts = {"weights": cost.weights, "mult-adds": cost.multiply_adds}
    words += [f"{_short(count)} {what}" for what, count in counts.items() if count]
    words.append(f"sees {_edge(cost.field)}")
    plain = not cost.multiply_adds
    return Column(stage.name, tuple(boxes), tuple(words), plain, stage.beside)


def _by(edges: Sequence[int]) -> str:
    return " × ".join(map(str, edges))


def _edge(field: Sequence[int]) -> str:
    """Write the edge of a field: one number where all are alike."""
    return str(field[0]) if len(set(field)) == 1 else _by(field)


def _short(count: int) -> str:
    from medclf.report.words import scaled

    return scaled(count)
