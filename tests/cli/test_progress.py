"""The bar shows itself late, only to a person, and leaves nothing behind."""

import io
import sys

import pytest

from medclf.cli import progress
from medclf.cli.progress import show_progress
from medclf.cli.train import watch_training
from medclf.learn.keep import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Put a terminal in place of the error stream, from within the test."""

    def open_terminal(patience_s: float) -> Terminal:
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(progress, "PATIENCE_S", patience_s)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "80")
        return stream

    return open_terminal


def work(quiet: bool = False) -> None:
    with show_progress("Reading images", quiet) as step:
        for n in range(5):
            step(n + 1, 5)


def fail() -> None:
    with show_progress("Reading") as step:
        step(1, 2)
        raise ZeroDivisionError


def test_quick_work_shows_nothing(terminal):
    stream = terminal(2.0)
    work()
    assert stream.getvalue() == ""


def test_slow_work_shows_what_is_done(terminal):
    stream = terminal(0.0)
    work()
    assert "Reading images" in stream.getvalue()
    assert "5/5" in stream.getvalue()


def test_nothing_is_shown_beside_json_or_on_a_pipe(terminal, monkeypatch):
    stream = terminal(0.0)
    work(quiet=True)
    assert stream.getvalue() == ""
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    work()
    assert pipe.getvalue() == ""


def test_the_bar_goes_when_work_fails(terminal):
    stream = terminal(0.0)
    with pytest.raises(ZeroDivisionError):
        fail()
    assert "Reading" in stream.getvalue()
    work()


def watched(terminal, *steps: tuple[int, int] | Progress) -> str:
    """Tell what a training's bars show at last, after these steps."""
    stream = terminal(0.0)
    with watch_training(quiet=False) as watch:
        for step in steps:
            watch.tell(step) if isinstance(step, Progress) else watch.count(*step)
    return stream.getvalue().rpartition("\r")[2]


def test_a_training_shows_one_bar_at_a_time(terminal):
    epoch = Progress(3, 8, {"loss": 0.5, "val_auc": 0.75})
    assert "Preparing images" in watched(terminal, (1, 9))
    assert "Training" not in watched(terminal, (1, 9))
    shown = watched(terminal, (1, 9), (9, 9))
    assert "Training" in shown
    assert "Preparing" not in shown
    assert "Training  loss 0.500  validation AUC 0.750" in watched(terminal, (9, 9), epoch)
    assert "Preparing" in watched(terminal, (9, 9), (2, 9)), "the store after the fingerprint"
