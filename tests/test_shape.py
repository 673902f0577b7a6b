"""The shape of the package is a contract: who may import whom, and how large things may grow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import medclf

ROOT = Path(medclf.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# The table of rooms: what each may import beside errors and core (docs/decisions/0003, 0005).
MAY = {
    "errors": set(),
    "core": set(),
    "read": set(),
    "curate": {"read", "evaluate"},
    "prepare": {"read"},
    "look": set(),
    "net": {"read"},
    "fuse": {"net"},
    "method": {"look", "net", "fuse"},
    "locate": {"look", "net", "method", "evaluate"},
    "evaluate": set(),
    "learn": {"curate", "prepare", "look", "net", "method", "locate", "evaluate"},
    "report": {"evaluate"},
    "systems": {
        "read",
        "curate",
        "prepare",
        "look",
        "net",
        "locate",
        "evaluate",
        "learn",
        "report",
        "verbs",
        "watch",
    },
    "contest": {"curate", "prepare", "net", "method", "evaluate", "learn", "report"},
}
# The verbs stand above the rooms, as the command line does.
ABOVE = {
    "cli",
    "answers",
    "comparison",
    "expected",
    "features",
    "judging",
    "verbs",
    "compose",
    "estimator",
    "joined",
    "watch",
    "__init__",
    "__main__",
}
NEVER_TORCH = {"errors", "core", "read", "curate", "prepare", "evaluate", "report"}


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_table(path):
    here = room(path)
    if here in ABOVE:
        return
    for module in imports(path):
        parts = module.split(".")
        if here in NEVER_TORCH:
            assert parts[0] not in ("torch", "torchvision"), f"{here} must not import {module}"
        if parts[0] == "medclf" and len(parts) > 1:
            allowed = MAY[here] | {here, "errors", "core"}
            assert parts[1] in allowed, f"{here} must not import {module}"


def test_every_room_stands_in_the_table():
    assert {room(path) for path in FILES} <= set(MAY) | ABOVE


def test_no_import_cycles():
    names = {".".join(("medclf", *p.relative_to(ROOT).with_suffix("").parts)): p for p in FILES}
    graph = {name: {m for m in imports(path) if m in names} for name, path in names.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"a cycle: {' -> '.join((*trail, name))}"
        if name not in done:
            for other in graph[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            doc = ast.get_docstring(node, clean=False) or ""
            assert length - doc.count("\n") <= 50, f"{node.name} has {length} lines"


def test_one_file_needs_few_others():
    """No file imports more than eighteen of ours, but for those above the rooms."""
    for path in FILES:
        if room(path) in ABOVE:
            continue
        own = {m for m in imports(path) if m.startswith("medclf.")}
        assert len(own) <= 18, f"{path.name} imports {len(own)} files of ours"


def test_init_files_are_empty():
    for path in ROOT.rglob("__init__.py"):
        if path.parent != ROOT and path.parent.name != "phantom":
            assert not path.read_text().strip(), f"{path} is not empty"
