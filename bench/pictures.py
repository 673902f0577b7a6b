"""The README's pictures, and what its commands print, made anew from the demo.

    python bench/pictures.py
    python bench/pictures.py --readme
    python bench/pictures.py --patients 60 --minutes 0.3 --out trial
    python bench/pictures.py --spines
    python bench/pictures.py --brains
    python bench/pictures.py --found runs/vertebrae/vertebra_chain-0

Runs `medclf demo` in a temporary folder (about two minutes) and writes montage.png, as `medclf
inspect` draws it, report.png, the top of the report as Chromium shows it, roc.svg, the ROC curve
out of the report, and resnet18.svg, as `medclf nets` draws it. Where there is no Chromium it says
so and leaves report.png as it was. With --readme, every block of the README that begins with "$
medclf" is run in the same folder, and what it prints takes the place of what stands there. With
--spines, only spines.png is made: phantom spine CTs with the middles of their vertebrae; with
--brains only brains.png: phantom brains in three planes, what was planted ringed; with --found
only the picture of a system that finds, by its name: the page of its folder, as Chromium shows it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from html import unescape
from pathlib import Path

from PIL import Image

from brains import draw_brains
from medclf.report.style import PAPER, VARIABLES
from medclf.systems import locate
from spines import draw_spines

ROOT = Path(__file__).parents[1]
LIMIT = 300_000
SCREEN = (1000, 1520)
FOUND = (1000, 2200)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = "--headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars"
TYPEFACE = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
BLOCK = re.compile(r"```console\n(?P<body>\$ medclf .*?)```", re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--patients", type=int, help="fewer than the demo's own, for a trial")
    parser.add_argument("--minutes", type=float, help="less than the demo's own, for a trial")
    parser.add_argument("--readme", action="store_true", help="renew the README's outputs too")
    parser.add_argument("--spines", action="store_true", help="only the phantom spines")
    parser.add_argument("--brains", action="store_true", help="only the phantom brains")
    parser.add_argument("--found", type=Path, help="only the page of this folder of a system")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.spines:
        save_drawn(draw_spines(), args.out / "spines.png")
    if args.brains:
        save_drawn(draw_brains(), args.out / "brains.png")
    if args.found:
        name = locate.load(args.found).folder.search.system
        save_screen(args.found / "report.html", args.out / f"{name}.png", FOUND)
    if args.spines or args.brains or args.found:
        return
    command = "medclf demo"
    for option in ("patients", "minutes"):
        if (value := getattr(args, option)) is not None:
            command += f" --{option} {value:g}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        told = run(command, folder)
        run("medclf inspect demo/data/cohort.csv --montage montage.png", folder)
        save_small(folder / "montage.png", args.out / "montage.png", grey=True)
        save_curve(folder / "demo" / "run" / "report.html", args.out / "roc.svg")
        run("medclf nets resnet18 --draw resnet18.svg", folder)
        shutil.copy(folder / "resnet18.svg", args.out)
        save_screen(folder / "demo" / "run" / "report.html", args.out / "report.png")
        if args.readme:
            renew(ROOT / "README.md", lambda c: told if c == "medclf demo" else run(c, folder))


def run(command: str, folder: Path) -> str:
    """Run a command line as a person would, and give what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    place = {"PATH": path, "MEDCLF_CACHE": str(folder / ".cache"), "COLUMNS": "80"}
    print(f"$ {command}", flush=True)
    shell = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(
        shell, cwd=folder, env=os.environ | place, stdout=subprocess.PIPE, text=True
    )
    # `head` sees enough and shuts the pipe: the shell says 141 of it, and json.tool 32.
    if done.returncode not in (0, 32, 141):
        raise SystemExit(f"{command}: ended with {done.returncode}")
    print(done.stdout, flush=True)
    return done.stdout


def renew(page: Path, answer: Callable[[str], str]) -> None:
    """Put in each block of commands what they print now."""

    def block(found: re.Match[str]) -> str:
        commands = re.findall(r"^\$ (.*)$", found["body"], re.MULTILINE)
        parts = (f"$ {c}\n{_trimmed(answer(c))}" for c in commands)
        return "```console\n" + "\n".join(parts) + "```"

    page.write_text(BLOCK.sub(block, page.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{page}: the outputs are renewed")


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().splitlines())


def save_small(picture: Path, place: Path, grey: bool = False) -> None:
    """Save a picture from a file."""
    save_drawn(Image.open(picture).convert("L" if grey else "RGB"), place)


def save_drawn(whole: Image.Image, place: Path) -> None:
    """Save a picture whole, or with as many shades as the limit of its size allows."""
    for shades in (None, 256, 128, 64, 32):
        small = whole if shades is None else whole.quantize(shades, Image.Quantize.MAXCOVERAGE)
        small.save(place, optimize=True)
        if place.stat().st_size <= LIMIT:
            print(f"{place}: {place.stat().st_size / 1000:.0f} kB, {shades or 'all'} shades")
            return
    raise SystemExit(f"{place}: at most {LIMIT} bytes wanted, found {place.stat().st_size}")


def save_curve(report: Path, place: Path) -> None:
    """Take the ROC curve out of a report, in the report's colours for paper."""
    page = report.read_text(encoding="utf-8")
    found = re.search(r'<h3>ROC curve</h3>\s*<svg viewBox="0 0 (\S+) (\S+)"(.*?</svg>)', page)
    if found is None:
        raise SystemExit(f"{report}: an ROC curve wanted, none found")
    width, height, rest = found.groups()
    for colour, variable in VARIABLES.items():
        rest = rest.replace(f"var({variable})", colour)
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{TYPEFACE}"'
    )
    paper = f'<rect width="100%" height="100%" fill="{PAPER}"/>'
    rest = re.sub(r"(^[^>]*>)", rf"\1{paper}", rest, count=1)
    place.write_text(start + rest + "\n", encoding="utf-8")
    label = re.search(r'aria-label="([^"]*)"', rest)
    print(f"{place}: {unescape(label[1]) if label else 'drawn'}")


def save_screen(report: Path, place: Path, screen: tuple[int, int] = SCREEN) -> None:
    """Save the top of a report as a browser shows it."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"{place}: left as it was: none of {', '.join(BROWSERS)} is installed")
        return
    with tempfile.TemporaryDirectory() as profile:
        picture = Path(profile) / "report.png"
        own = [f"--user-data-dir={profile}/user", f"--screenshot={picture}"]
        size = f"--window-size={screen[0]},{screen[1]}"
        line = [browser, *FLAGS.split(), *own, size, report.absolute().as_uri()]
        subprocess.run(line, check=True, timeout=120, stderr=subprocess.DEVNULL)
        save_small(picture, place)


if __name__ == "__main__":
    main()
