"""Exit codes, one-line errors, and a help that imports nothing heavy."""

import subprocess
import sys

import pytest

import medclf
from medclf.cli import main as room
from medclf.errors import ReadError

HEAVY = ("torch", "numpy", "pandas", "scipy", "PIL", "matplotlib", "sklearn")


def run(monkeypatch, capsys, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["medclf", *words])
    with pytest.raises(SystemExit) as end:
        room.main()
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out, told.err


def test_version(monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "--version")
    assert (code, out) == (0, f"medclf {medclf.__version__}\n")


def test_wrong_usage_exits_with_2(monkeypatch, capsys):
    assert run(monkeypatch, capsys, "inspect")[0] == 2
    assert run(monkeypatch, capsys, "inspekt")[0] == 2
    assert run(monkeypatch, capsys, "inspect", "x", "--colour")[0] == 2
    assert run(monkeypatch, capsys)[0] == 2


def test_a_mistake_of_the_user_is_one_line(monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "inspect", "no/such/folder")
    assert (code, out) == (1, "")
    assert err.startswith("error: no/such/folder: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("problem", "code", "line"),
    [
        (ReadError("x.png: two\nlines"), 1, "error: x.png: two lines\n"),
        (
            OSError(28, "No space left on device", "run/a"),
            1,
            "error: run/a: No space left on device\n",
        ),
        (ReadError("'a  b', 'a b'"), 1, "error: 'a  b', 'a b'\n"),
        (ReadError("x\0\x1b[2J\udcff\xa0|"), 1, "error: x\\x00\\x1b[2J\\udcff\\xa0|\n"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            1,
            "error: not enough memory: smaller images, batches or networks are wanted\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_problems_end_in_one_line(monkeypatch, capsys, problem, code, line):
    def fail(*_: object) -> None:
        raise problem

    monkeypatch.setattr("medclf.curate.cohort.read_cohort", fail)
    assert run(monkeypatch, capsys, "inspect", "data") == (code, "", line)


def test_a_defect_of_ours_is_not_hidden(monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("medclf.curate.cohort.read_cohort", fail)
    monkeypatch.setattr(sys, "argv", ["medclf", "inspect", "data"])
    with pytest.raises(ZeroDivisionError):
        room.main()


def test_help_comes_without_heavy_imports():
    code = (
        "import sys\nfrom medclf.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert "inspect" in result.stdout
    assert "Turn scans and a table" in result.stdout
