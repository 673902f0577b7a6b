"""What guides show of the program is there: commands, options, messages, signatures, fields."""

import ast
import csv
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import fields
from inspect import Parameter, signature
from pathlib import Path

import pandas as pd
import pydicom
import pytest
import typer
from typer.testing import CliRunner

import medclf
import medclf.features
from medclf import verbs
from medclf.cli.main import app
from medclf.cli.options import columns_from
from medclf.core.cohort import Cohort
from medclf.core.finding import Finding, Findings
from medclf.core.prediction import Contribution, Prediction
from medclf.core.record import Record
from medclf.core.task import Task
from medclf.curate import choice
from medclf.evaluate.scores import Scores
from medclf.learn.facts import doubt_facts
from medclf.learn.plan import Plan
from medclf.learn.settings import Facts
from medclf.systems import locate

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))

PROGRAM = typer.main.get_command(app).commands
SHARED = {f"--{name.replace('_', '-')}" for name in signature(columns_from).parameters}

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
CALL = re.compile(r"(?:^|\$ |; )medclf ([a-z]\w*)([^|;&]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
SAYS = re.compile(r"^\| it says \|.*\n\|[-|]+\n((?:\|.*\n)+)", re.MULTILINE)

VERBS = {
    **{f"medclf.{name}": getattr(medclf, name) for name in medclf.__all__},
    "medclf.verbs.resume": verbs.resume,
    "medclf.features.features": medclf.features.features,
    **{f"medclf.systems.locate.{n}": getattr(locate, n) for n in ("train", "resume", "load")},
    **{f"search.{n}": getattr(locate.TrainedSearch, n) for n in ("predict", "search")},
    **{
        f"run.{n}": getattr(verbs.TrainedRun, n)
        for n in ("predict", "judge", "measure", "evaluate")
    },
}
PLACES = {"medclf": medclf, "medclf.verbs": verbs, "locate": locate}
OWNERS = (verbs.TrainedRun, locate.TrainedSearch)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def options_of(command: str) -> set[str]:
    every = {name for one in PROGRAM[command].params for name in (*one.opts, *one.secondary_opts)}
    return {name for name in every if name.startswith("--")}


def commands_in(page: Path) -> Iterator[tuple[str, set[str]]]:
    """Find the commands that a page shows, and the options that it gives them."""
    whole = text(page)
    shown = [
        line
        for kind, block in FENCE.findall(whole)
        if kind != "python"
        for line in block.replace("\\\n", " ").splitlines()
    ]
    shown += SPAN.findall(FENCE.sub("", whole))
    for words in shown:
        for command, rest in CALL.findall(words):
            yield command, set(OPTION.findall(rest))


@PAGE
def test_shown_commands_take_the_options_that_are_shown(page):
    for command, options in commands_in(page):
        assert command in PROGRAM, f"medclf {command}"
        assert options <= options_of(command), f"medclf {command} {options - options_of(command)}"


@pytest.mark.parametrize("command", PROGRAM)
def test_every_option_of_every_command_stands_in_the_docs(command):
    parts = re.split(r"^## ", text(DOCS / "commands.md"), flags=re.MULTILINE)
    (part,) = [part for part in parts if re.match(rf"`medclf {command}[ `]", part)]
    told = {
        option
        for cell in re.findall(r"^\| (`--.*?) \|", part, re.M)
        for option in OPTION.findall(cell)
    }
    shared = SHARED if "--path" in options_of(command) else set()
    if command == "predict":
        shared = {"--series", "--images"}
    assert told | shared == options_of(command)
    assert ("--path" in options_of(command)) == (
        f"`{command}`" in parts[1].partition("take the")[0]
    )


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_stands_in_the_docs_with_its_arguments(name):
    assert f"{name}({said_arguments(VERBS[name])})" in text(DOCS / "python.md").splitlines()


def said_arguments(verb) -> str:
    """Write the arguments of a verb, with … for a default that is an object."""
    told = []
    for one in signature(verb).parameters.values():
        plain = one.default is None or isinstance(one.default, str | int | float | tuple)
        default = "" if one.default is Parameter.empty else f"={one.default!r}" if plain else "=…"
        told.append(f"{'**' * (one.kind is Parameter.VAR_KEYWORD)}{one.name}{default}")
    return ", ".join(one for one in told if one != "self")


@PAGE
def test_python_examples_call_verbs_by_arguments_that_they_take(page):
    """Also those that take too long to be run."""
    for kind, block in FENCE.findall(text(page)):
        for call in ast.walk(ast.parse(block)) if kind == "python" else ():
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
                continue
            whose, name = ast.unparse(call.func.value), call.func.attr
            given = [None] * len(call.args), {one.arg: None for one in call.keywords}
            if whose in PLACES:
                signature(getattr(PLACES[whose], name)).bind(*given[0], **given[1])
            elif whose in ("run", "search"):
                owner = next(one for one in OWNERS if hasattr(one, name))
                signature(getattr(owner, name)).bind(None, *given[0], **given[1])


@pytest.mark.parametrize(
    "kind",
    [Cohort, Record, Task, Plan, Prediction, Contribution, Scores, Finding, Findings],
    ids=lambda kind: kind.__name__,
)
def test_every_field_of_what_comes_back_stands_in_the_docs(kind):
    _, _, part = text(DOCS / "python.md").partition(f"**`{kind.__name__}`**")
    told = re.findall(r"^\| `(\w+)` \|", part.partition("\n**")[0], re.M)
    assert told == [one.name for one in fields(kind)]


@pytest.mark.parametrize(
    ("role", "tiers"),
    [
        ("path", choice.PATHS),
        ("label", choice.LABELS),
        ("patient", choice.PATIENTS),
        ("split", choice.SPLITS),
        ("exam", choice.EXAMS),
        ("view", choice.VIEWS),
        ("side", choice.SIDES),
        ("point", tuple(map(" ".join, choice.POINTS))),
        ("mask", choice.MASKS),
        ("AccessionNumber", (choice.KEYS["accession"],)),
        ("PatientID", (choice.KEYS["patient"],)),
    ],
)
def test_every_usual_name_of_a_column_stands_in_the_docs(role, tiers):
    told = "; else ".join(" ".join(f"`{name}`" for name in tier.split()) for tier in tiers)
    _, _, part = text(DOCS / "data.md").partition("### Usual names")
    (row,) = re.findall(rf"^\| {role} \| (.*) \|$", part, re.M)
    assert re.match(rf"{re.escape(told)}(?=$|[.;])", row), told


@pytest.fixture(scope="module")
def said():
    """All that the program may say, as its source has it, … for what is filled in."""
    found = []
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.JoinedStr):
                parts = [one.value if isinstance(one, ast.Constant) else "…" for one in node.values]
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


@pytest.mark.parametrize("name", ["start", "report", "troubleshooting"])
def test_messages_that_guides_explain_are_those_of_the_program(name, said):
    rows = [row for table in SAYS.findall(text(DOCS / f"{name}.md")) for row in table.splitlines()]
    assert rows
    for row in rows:
        for message in SPAN.findall(row.split(" | ")[0]):
            for part in re.split(r"\s*…\s*", message):
                assert part in said, f"{message}: {part}"


def test_every_variable_stands_in_the_docs(said):
    page = text(DOCS / "troubleshooting.md")
    names = set(re.findall(r"\b(?:MEDCLF|XDG|OMP)_[A-Z_]+\b", said))
    assert names
    assert not [name for name in names if f"| `{name}` |" not in page]


def test_warnings_about_facts_stand_in_the_docs_as_they_are_given():
    known = Facts(("age",), (55.0,), (12.0,), ("sex=F", "sex=M"))
    page = text(DOCS / "run.md")
    for facts in ({"age": "sixty", "sex": 1.0}, {"age": 130.0, "sex": "X"}, {"sex": "F"}):
        for warning in doubt_facts(Record("exam", {}, "", facts=facts), known):
            assert f"| `{warning}` |" in page


def test_the_readme_shows_a_network_as_the_command_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    command = "nets resnet18 --draw resnet18.svg"
    done = CliRunner().invoke(app, shlex.split(command))
    shown = "\n".join(line.rstrip() for line in done.stdout.rstrip().splitlines())
    assert f"$ medclf {command}\n{shown}\n```" in text(ROOT / "README.md")


def export(place: Path, name: str, seed: int, letter: str) -> None:
    """Leave a tree of DICOM files as an archive does, and a sheet that knows them by study."""
    from medclf.curate.phantom.cohort import make_phantoms

    table = make_phantoms(place / f"made-{seed}", patients=24, seed=seed, pixels=48)
    sheet = []
    with table.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            image = table.parent / row["path"]
            study = str(pydicom.dcmread(image, stop_before_pixels=True).StudyInstanceUID)
            sheet.append({"study": study, "patient_id": letter + row["patient"]})
            sheet[-1] |= {"diagnosis": row["label"], "age": row["age"]}
            folder = place / name / f"{number // 10:03}"
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(image, folder / f"IM{number:06}")
    sheets = {"export": "labels.xlsx", "other_export": "other.xlsx"}
    pd.DataFrame(sheet).to_excel(place / sheets[name], index=False)


def test_the_first_walk_can_be_gone(tmp_path, monkeypatch):
    """From an export and a sheet to answers, by the very lines of the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDCLF_CACHE", str(tmp_path / "cache"))
    export(tmp_path, "export", 0, "A")
    export(tmp_path, "other_export", 1, "B")
    (tmp_path / "new").mkdir()
    shutil.copy(next((tmp_path / "made-1" / "images").iterdir()), tmp_path / "new" / "1.dcm")
    blocks = [block for kind, block in FENCE.findall(text(DOCS / "start.md")) if kind == "sh"]
    lines = "".join(blocks).replace("--minutes 10", "--minutes .02").splitlines()
    for line in lines:
        words = shlex.split(line)[1:]
        words = [str(p) for w in words for p in (sorted(Path().glob(w)) if "*" in w else [w])]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, f"{line}: {done.output} {done.exception}"
    assert {"files.csv", "splits.csv", "elsewhere.csv"} <= {p.name for p in tmp_path.iterdir()}
    assert text(tmp_path / "predictions.csv").count("\n") == 2


@PAGE
def test_links_into_pages_lead_to_headings(page):
    for name, heading in re.findall(r"\]\(([\w./-]*\.md)?#([\w-]+)\)", text(page)):
        there = FENCE.sub("", text(page.parent / name if name else page))
        titles = re.findall(r"^#+ (.*)$", there, re.MULTILINE)
        assert heading in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in titles}
