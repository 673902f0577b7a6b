import json
import signal
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest

from medclf.contest.outcome import Outcome, Step
from medclf.contest.process import work_apart
from medclf.contest.work import attempt
from medclf.errors import SettingError
from medclf.evaluate.standing import Cost

COST = Cost(10, 20, 1.5, 2.0, 0.5, 0.4, 300.0)


class Deadly:
    """A job that ends its process as it is read."""

    def __init__(self, signal_number):
        self.signal_number = signal_number

    def __reduce__(self):
        return signal.raise_signal, (self.signal_number,)


def failing(problem):
    def run(tell):
        raise problem

    return SimpleNamespace(run=run)


def test_an_outcome_goes_to_json_and_back():
    for outcome in (Outcome(COST, "a note"), Outcome(reason="too small")):
        assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome
    assert Outcome(COST).done
    assert not Outcome(reason="too small").done


def test_a_job_tells_its_steps_and_its_end(capsys):
    def run(tell):
        tell(Step(1, 3, {"loss": 0.5}))
        return Outcome(COST)

    assert attempt(SimpleNamespace(run=run)) == Outcome(COST)
    line = json.loads(capsys.readouterr().out)
    assert line == {"step": {"done": 1, "total": 3, "row": {"loss": 0.5}}}


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (SettingError("images of 4 pixels are too small"), "images of 4 pixels are too small"),
        (MemoryError(), "there was not enough memory"),
        (RuntimeError("shapes differ\nat line 3"), "RuntimeError: shapes differ"),
        (ValueError(), "ValueError: "),
    ],
)
def test_what_goes_wrong_is_an_outcome_in_one_line(problem, reason):
    assert attempt(failing(problem)) == Outcome(reason=reason)


def test_a_process_that_is_killed_or_breaks_off_is_told():
    killed = work_apart(Deadly(signal.SIGKILL), None)
    assert "SIGKILL, as when memory runs out" in killed.reason
    broken = work_apart(SimpleNamespace(run=partial(print)), None)
    assert "ended with exit code 1: AttributeError" in broken.reason


def test_an_interruption_ends_the_process_too(monkeypatch):
    started = []
    popen = subprocess.Popen

    def start(line, **how):
        sleeping = [sys.executable, "-c", "import time; print('{}', flush=True); time.sleep(99)"]
        started.append(popen(sleeping, **how))
        return started[0]

    def interrupt(line):
        raise KeyboardInterrupt

    monkeypatch.setattr("medclf.contest.process.subprocess.Popen", start)
    monkeypatch.setattr("medclf.contest.process._parse", interrupt)
    with pytest.raises(KeyboardInterrupt):
        work_apart(SimpleNamespace(run=print), None)
    assert started[0].poll() == -signal.SIGTERM


def test_a_classical_entry_needs_no_torch():
    line = "import medclf.contest.baseline, medclf.contest.work, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
