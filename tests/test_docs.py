"""The documents keep their word: what they name is there, and what they show runs."""

import ast
import csv
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from inspect import getdoc
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

import medclf
from medclf.cli.main import COMMANDS
from medclf.cli.options import columns_from
from medclf.curate.problem import KINDS
from medclf.learn.recipe import Recipe, format_recipe
from medclf.method.table import METHODS, Entry
from medclf.net.style import Style
from medclf.net.table import BODIES, STYLE
from medclf.read.fetch import REMOTES
from medclf.read.image import IMAGE_SUFFIXES

ROOT = Path(__file__).parents[1]
ROOMS = ROOT / "src" / "medclf"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BENCHES = sorted((ROOT / "bench").glob("*.py"))
GUIDED = ("data", "formats", "run", "recipe", "weights", "report", "python", "locate")
GUIDES = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in GUIDED)]
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
GUIDE = pytest.mark.parametrize("page", GUIDES, ids=lambda p: p.name)

BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SHOWN = re.compile(r"^```python[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]* src=\"([^\"]+)\"")
MACHINE = re.compile(r"(?<![\w.~])/(?:home|root|work|tmp|mnt|opt|Users)/")
BUILDS = re.compile(
    r"^def build\(asked|^def build\(\n    asked|^__all__ = \[\"build\"\]", re.MULTILINE
)
BUDGET = re.compile(r"minutes=[\d.]+")
BENCH = re.compile(r"python (bench/\w+\.py)((?:[^`\n;&]|\n(?!\n| *python))*)")
OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")

TABLES = get_type_hints(Recipe)
KEYS = [(name, one.name) for name, kind in TABLES.items() for one in fields(kind)]
PLAIN = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def everything() -> str:
    return "\n".join(text(page) for page in GUIDES)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_command_stands_in_the_readme(command):
    assert f"medclf {command.__name__}" in text(ROOT / "README.md")


@pytest.mark.parametrize("verb", [*medclf.__all__, "evaluate", "predict"])
def test_every_verb_stands_in_the_readme(verb):
    assert re.search(rf"\b(medclf|run)\.{verb}\(", text(ROOT / "README.md"))


@pytest.mark.parametrize("name", BODIES)
def test_every_body_stands_in_the_docs_with_its_options(name):
    page = text(ROOT / "docs" / "nets" / f"{BODIES[name].file}.md")
    (row,) = re.findall(rf"^\| `{name}` \|.*$", page, re.MULTILINE)
    assert all(f"`{option}`" in row for option in BODIES[name].options.keys() - STYLE.keys())
    depth = BODIES[name].depth
    assert depth is None or re.match(rf"{depth}\b", row.split("|")[2].strip())


def test_every_family_has_its_page_and_its_tests():
    families = {path.stem for path in (ROOMS / "net" / "family").glob("[!_]*.py")}
    assert families == {entry.file for entry in BODIES.values()} | {"timm"}
    index = text(ROOT / "docs" / "nets.md")
    assert not [family for family in families if f"(nets/{family}.md)" not in index]
    tests = ROOT / "tests" / "net" / "family"
    assert not [family for family in families if not (tests / f"test_{family}.py").exists()]


def test_the_parts_of_every_network_stand_in_the_docs():
    index = text(ROOT / "docs" / "nets.md")
    for name in STYLE:
        (row,) = re.findall(rf"^\| `{name}` \|.*$", index, re.MULTILINE)
        hint = get_type_hints(Style)[name]
        assert all(f'`"{value}"`' in row for value in get_args(hint))


def test_every_method_has_its_file_its_lines_and_its_page():
    """Names what a new method still lacks."""
    files = {path.stem: text(path) for path in (ROOMS / "method").glob("[!_]*.py")}
    built = {name for name, code in files.items() if BUILDS.search(code)}
    lacking = [f"{name}: a line in method/table.py" for name in sorted(built - METHODS.keys())]
    lacking += [lack for name, entry in METHODS.items() for lack in lacks_of(name, entry, built)]
    assert not lacking, "\n".join(lacking)


def lacks_of(name: str, entry: Entry, built: set[str]) -> list[str]:
    page = ROOT / "docs" / "methods" / f"{name}.md"
    told = text(page) if page.exists() else ""
    tests = "".join(text(path) for path in (ROOT / "tests" / "method").glob("test_*.py"))
    there = {
        f"{name}: method/{entry.file}.py": entry.file in built,
        f"{name}: docs/methods/{name}.md": told,
        f"{name}: an example on its page": f"--method {name}" in told,
        f"{name}: {entry.year} on its page": str(entry.year) in told,
        f"docs/methods.md: {methods_row(name, entry)}": methods_row(name, entry)
        in text(ROOT / "docs" / "methods.md"),
        f"{name}: a line of its options in tests/method": not entry.options
        or re.search(rf'"{name}", .*\b({"|".join(entry.options)})\b', tests),
    }
    there |= {f"{name}: `{one}` on its page": f"`{one}`" in told for one in entry.options}
    return [what for what, found in there.items() if not found]


def methods_row(name: str, entry: Entry) -> str:
    """Write how the line of docs/methods.md begins that a method asks for."""
    source = f"{entry.paper.split(' et al.')[0].split(',')[0]} et al. {entry.year}"
    needs = ", ".join(entry.needs) or "–"
    options = ", ".join(f"`{option}`" for option in entry.options) or "–"
    return f"| [`{name}`](methods/{name}.md) | {entry.idea} | {source} | {needs} | {options} |"


@pytest.mark.parametrize("name", REMOTES)
def test_everything_that_can_be_fetched_stands_in_the_docs(name):
    assert re.search(rf"\b{name}\b", text(ROOT / "docs" / "data.md"))


def test_every_form_of_image_stands_in_the_docs():
    missing = [suffix for suffix in IMAGE_SUFFIXES if f"`{suffix}`" not in everything()]
    assert not missing


def test_every_option_and_every_problem_of_data_stands_in_the_docs():
    page = text(ROOT / "docs" / "data.md")
    options = [f"--{name.replace('_', '-')}" for name in columns_from.__annotations__]
    options.remove("--return")
    assert not [option for option in options if f"`{option}" not in page]
    assert not [kind for kind in KINDS if f"`{kind}`" not in page]


def test_every_room_stands_in_the_readme():
    rooms = {path.name for path in ROOMS.iterdir() if not path.name.startswith("__")}
    (tree,) = re.findall(r"^src/medclf/\n(.*?)^```", text(ROOT / "README.md"), re.M | re.S)
    assert set(re.findall(r"^  (\S+?)/? {2,}\S", tree, re.MULTILINE)) == rooms


def recipe_row(table: str, key: str) -> str:
    """Write the line of docs/recipe.md that a key asks for."""
    kind = TABLES[table]
    hint, (own,) = get_type_hints(kind)[key], [one for one in fields(kind) if one.name == key]
    stated = re.search(rf"^    {key}: (.*?)(?=^    \w+: |^\S|\Z)", getdoc(kind), re.M | re.S)
    meaning = " ".join(stated[1].split()).replace("|", "\\|")
    return f"| `{key}` | {said_type(hint)} | {said_default(own)} | {meaning} |"


def said_type(hint: object) -> str:
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f'`"{part}"`' for part in parts)
    if origin is tuple:
        many = "" if parts[-1] is Ellipsis else f"{len(parts)} "
        return f"list of {many}{PLAIN[parts[0]]}s"
    return "table" if origin is Mapping else PLAIN[hint]


def said_default(own) -> str:
    if own.default_factory is not MISSING:
        return "`{}`"
    if own.default is MISSING:
        return "by the plan"
    plain = list(own.default) if isinstance(own.default, tuple) else own.default
    return f"`{json.dumps(plain)}`"


@pytest.mark.parametrize(("table", "key"), KEYS, ids=".".join)
def test_every_key_of_a_recipe_stands_in_its_table(table, key):
    page = text(ROOT / "docs" / "recipe.md")
    _, _, part = page.partition(f"## `[{table}]`\n")
    row = recipe_row(table, key)
    assert row in part.partition("\n## ")[0].splitlines(), f"docs/recipe.md lacks: {row}"


def test_the_docs_name_no_key_that_recipes_lack():
    page = text(ROOT / "docs" / "recipe.md")
    parts = re.findall(r"^## `\[(\w+)\]`\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    keys = re.compile(r"^\| `(\w+)` \| .* \| .* \| .* \|$", re.M)
    told = [(table, key) for table, part in parts for key in keys.findall(part)]
    assert set(told) - set(KEYS) <= {("net", name) for name in BODIES}


@PAGE
def test_links_lead_to_files_of_the_repository(page):
    for pair in LINK.findall(text(page)):
        link = "".join(pair).partition("#")[0]
        if link and not re.match(r"\w+:", link):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


@PAGE
def test_no_page_names_a_path_of_some_machine(page):
    assert not MACHINE.search(text(page))


@PAGE
def test_python_examples_are_python(page):
    for block in SHOWN.findall(text(page)):
        ast.parse(block)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A small demo: the folders that `medclf demo` leaves, and what the guides call exams.csv."""
    from medclf.curate.phantom.cohort import make_phantoms

    place = tmp_path_factory.mktemp("docs")
    table = make_phantoms(place / "demo" / "data", patients=24, seed=0, pixels=48)
    make_phantoms(place / "demo" / "new", patients=1, seed=1, pixels=48)
    cohort = medclf.read_cohort(table)
    recipe = medclf.plan(cohort, 0.01).recipe
    fit = replace(recipe.fit, members=2, folds=2, epochs=2, mirror="no")
    recipe = replace(recipe, fit=fit, prepare=replace(recipe.prepare, size=(28, 28)))
    (place / "recipe.toml").write_text(format_recipe(recipe), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("MEDCLF_CACHE", str(place / "cache"))
        medclf.train("demo/data/cohort.csv", out="demo/run", recipe=recipe)
    shutil.copytree(place / "demo" / "data" / "images", place / "images")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (place / "exams.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "diagnosis", "patient_id", "age"])
        table.writerows((row["path"], row["label"], row["patient"], row["age"]) for row in rows)
    return place


def test_every_file_of_a_run_and_every_key_in_it_is_explained(workplace):
    page, run = text(ROOT / "docs" / "run.md"), workplace / "demo" / "run"
    facts = json.loads((run / "run.json").read_text())
    scores = json.loads((run / "scores.json").read_text())
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    names = {path.name for path in run.iterdir()} | {"checkpoint/"}
    names |= {*facts, *facts["data"], *scores, *rows[0]} - {"data"}
    missing = sorted(name for name in names if f"`{name}`" not in page)
    assert not missing


@pytest.mark.parametrize("page", [*PAGES, *BENCHES], ids=lambda p: str(p.relative_to(ROOT)))
def test_benches_take_the_options_that_are_shown(page):
    for path, rest in BENCH.findall(text(page)):
        taken = set(re.findall(r"\"(--[a-z-]+)\"", text(ROOT / path)))
        assert set(OPTION.findall(rest)) <= taken, f"{path} {rest}"


def test_experiments_show_commands_of_benches():
    assert len(BENCH.findall(text(ROOT / "docs" / "experiments.md"))) > 50


@GUIDE
def test_python_examples_run(page, workplace, monkeypatch, capsys):
    """All examples of a page run one after the other, with a budget of a second."""
    monkeypatch.chdir(workplace)
    names: dict[str, object] = {}
    for block in BLOCK.findall(text(page)):
        code = BUDGET.sub("minutes=0.02", block)
        exec(compile(code, page.name, "exec"), names)
    capsys.readouterr()
