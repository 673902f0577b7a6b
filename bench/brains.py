"""How hard the phantom brains are for a detector of blobs, and pictures of them.

    python bench/brains.py --patients 12 --seed 0

The detector knows nothing of vessels: it takes the brain, roughly, and in it the dark blobs of
Laplacians of Gaussians at several sizes, the strongest first. Prints Markdown: what a scan costs to
make, and how many bleeds are found at how many false positives in a scan; intervals are by patient.
"""

import argparse
import csv
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_laplace, maximum_filter

from medclf.core.image import Image
from medclf.core.record import Source
from medclf.curate.phantom.bleeds.tissue import find_brain
from medclf.curate.phantom.brain.cohort import make_brains
from medclf.evaluate.froc import Marked, free_response
from medclf.read.image import read_image

SIZES_MM = (1.0, 1.6, 2.6)
"""Standard deviations of the Gaussians."""

RATES = (1.0, 2.74, 8.0, 16.0, 32.0)
MOST = 400
"""Blobs that are looked at in a scan."""

CLOSED_MM = 4.0
"""What is dark and narrower at the rim of the brain still counts as brain."""

LEAST_MM = 2.0
"""A blob this near to the middle of a bleed finds it, however small that is."""

WHITE, SCALE, RING, NEAR_MM = 640, 1.9, 13, 4.0
COLOURS = {"bleed": (255, 90, 70), "vein": (90, 170, 255), "calcification": (255, 205, 70)}

Array = NDArray[np.float64]
Row = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with TemporaryDirectory() as name:
        started = process_time()
        table = make_brains(Path(name) / "brains", args.patients, args.seed)
        print(f"{(process_time() - started) / args.patients:.1f} processor seconds a scan")
        scans = [find(read(table, path), rows) for path, rows in told(table).items()]
    froc = free_response(scans, RATES)
    print(f"{froc.lesions} bleeds in {froc.scans} scans, {MOST} blobs in each\n")
    print("| false positives a scan | bleeds found |")
    print("|---|---|")
    for point in froc.points:
        if point.false_positives in RATES:
            one = point.sensitivity
            print(f"| {point.false_positives:g} | {one.value:.3f} ({one.low:.3f}–{one.high:.3f}) |")
    for wanted in (0.5, 0.8, 0.9):
        needed = [c.false_positives for c in froc.curve if c.sensitivity >= wanted]
        print(f"\n{wanted:.0%} of the bleeds: " + (f"{min(needed):.1f}" if needed else "never"))


def draw_brains(seeds: tuple[int, ...] = (1, 12)) -> Pillow.Image:
    """Make phantoms, and draw each in three planes through its largest bleed."""
    sheets = []
    for seed in seeds:
        with TemporaryDirectory() as name:
            table = make_brains(Path(name) / "brains", 1, seed, bleeds=(8, 8))
            ((path, rows),) = told(table).items()
            sheets.append(draw_planes(read(table, path), rows))
    whole = Pillow.new("RGB", (sheets[0].width, sum(sheet.height for sheet in sheets)))
    for number, sheet in enumerate(sheets):
        whole.paste(sheet, (0, number * sheet.height))
    return whole


def draw_planes(image: Image, rows: list[Row]) -> Pillow.Image:
    """Draw a scan from above, the front and the side, and ring what was planted near the planes."""
    spacing, space = np.array(image.grid.spacing_mm), np.array(image.space)
    middle = image.grid.from_mm(np.array(place(max(rows, key=_size_of_bleed))))
    grey = (image.values[0] / WHITE).clip(0, 1) * 255
    panels = []
    for axis, (down, across) in enumerate(((1, 2), (0, 2), (0, 1))):
        plane = np.take(grey, round(middle[axis]), axis).astype(np.uint8)
        high, wide = (SCALE * spacing * space)[[down, across]].astype(int).tolist()
        panel = Pillow.fromarray(plane).resize((wide, high), Pillow.Resampling.BICUBIC)
        panel = panel.convert("RGB")
        draw = ImageDraw.Draw(panel)
        for row in rows:
            at = (image.grid.from_mm(np.array(place(row))) + 0.5) * spacing
            if abs(at[axis] - (middle[axis] + 0.5) * spacing[axis]) < NEAR_MM:
                y, x = SCALE * at[[down, across]]
                ring = (x - RING, y - RING, x + RING, y + RING)
                draw.ellipse(ring, outline=COLOURS[row["kind"]], width=2)
        panels.append(panel if axis == 0 else panel.transpose(Pillow.Transpose.FLIP_TOP_BOTTOM))
    sheet = Pillow.new("RGB", (sum(p.width for p in panels), panels[0].height))
    left = 0
    for panel in panels:
        sheet.paste(panel, (left, (sheet.height - panel.height) // 2))
        left += panel.width
    return sheet


def _size_of_bleed(row: Row) -> float:
    return float(row["diameter_mm"]) * (row["kind"] == "bleed")


def told(table: Path) -> dict[str, list[Row]]:
    """Read the truth, by the path of the scan."""
    scans: dict[str, list[Row]] = {}
    with table.with_name("truth.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            scans.setdefault(row["path"], []).append(row)
    return scans


def read(table: Path, path: str) -> Image:
    return read_image(Source(table.parent / path))


def place(row: Row) -> list[float]:
    return [float(row[f"{axis}_mm"]) for axis in "zyx"]


def find(image: Image, rows: list[Row]) -> Marked:
    """Look for blobs in a scan, and tell its bleeds."""
    at, scores = find_blobs(image)
    bleeds = [row for row in rows if row["kind"] == "bleed"]
    radii = np.array([float(row["diameter_mm"]) / 2 for row in bleeds])
    places = np.array([place(row) for row in bleeds]).reshape(-1, 3)
    return Marked(rows[0]["patient"], at, scores, places, np.maximum(radii, LEAST_MM))


def find_blobs(image: Image) -> tuple[Array, Array]:
    """Find dark blobs in the brain: their places (N, 3) in mm, and how much they stand out."""
    values, spacing = image.values[0].astype(np.float32), np.array(image.grid.spacing_mm)
    near = distance_transform_edt(~find_brain(values, spacing), sampling=spacing) < CLOSED_MM
    brain = distance_transform_edt(near, sampling=spacing) > CLOSED_MM + 1
    values[~brain] = np.median(values[brain])
    stands = np.max([mm**2 * gaussian_laplace(values, mm / spacing) for mm in SIZES_MM], axis=0)
    peaks = brain & (stands == maximum_filter(stands, 3))
    order = np.argsort(-stands[peaks])[:MOST]
    return image.grid.to_mm(np.argwhere(peaks)[order]), stands[peaks][order].astype(np.float64)


if __name__ == "__main__":
    main()
