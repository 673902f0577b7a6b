import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from medclf.contest.baseline import Baseline, Terms
from medclf.contest.network import Network
from medclf.contest.outcome import Outcome, Step
from medclf.contest.process import work_apart
from medclf.contest.work import attempt, pack, unpack
from medclf.core.cohort import Cohort
from medclf.core.record import Record, Source
from medclf.core.task import Task
from medclf.errors import SettingError
from medclf.evaluate.standing import Cost
from medclf.learn.recipe import Recipe
from medclf.learn.run import Digests
from medclf.learn.settings import Fit, Net
from medclf.prepare.exam import Prepare

COST = Cost(10, 20, 1.5, 2.0, 0.5, 0.4, 300.0)


@pytest.fixture
def job(tmp_path):
    """A classical entry, with exams of every form."""
    series = Source(Path("scan"), "1.2.3", parts=(Source(Path("scan/1.dcm")),))
    records = (
        Record("a", {"image": Source(Path("a.zip"), "a.png")}, "p", 1, "train", {"age": 3.5}),
        Record(
            "b", {"cc": Source(Path("b"), index=3), "mlo": series}, "q", None, facts={"x": None}
        ),
    )
    cohort = Cohort(records, Task(("no", "yes")), Path("exams.csv"), ("a note",))
    prepare = Prepare((28, 28), 1, percentiles=(1.0, 99.0))
    terms = Terms(prepare, "0a", 0.5, 0, 1, False, "bias", "between", 0.9, 100)
    return Baseline("pca", tmp_path, cohort, terms)


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


@pytest.fixture
def start(monkeypatch):
    """Let lines of Python work instead of an entry."""
    popen, started = subprocess.Popen, []

    def begin(code):
        def open_process(line, **how):
            started.append(popen([sys.executable, "-c", code], **how))
            return started[0]

        monkeypatch.setattr("medclf.contest.process.subprocess.Popen", open_process)
        return started

    return begin


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL, as when memory runs out"),
        ("import sys; sys.stdin.read(); [].no", "ended with exit code 1: AttributeError"),
    ],
)
def test_a_process_that_is_killed_or_breaks_off_is_told(start, job, code, reason):
    start(code)
    assert reason in work_apart(job).reason


def test_an_interruption_ends_the_process_too(start, job, monkeypatch):
    started = start("import time; print('{}', flush=True); time.sleep(99)")

    def interrupt(line):
        raise KeyboardInterrupt

    monkeypatch.setattr("medclf.contest.process._parse", interrupt)
    with pytest.raises(KeyboardInterrupt):
        work_apart(job)
    assert started[0].poll() == -signal.SIGTERM


def test_a_job_comes_out_of_its_process_as_it_went_in(job, tmp_path):
    recipe = Recipe(Prepare((28, 28), 1), net=Net("sprint", {"width": 32}), fit=Fit(epochs=2))
    facts = {"reasons": {}, "data": {"digest": "0a"}, "notes": ["a"], "minutes": 0.5}
    network = Network(tmp_path, recipe, job.cohort, facts, (Digests("1f"), Digests("2e")), 0.5)
    for one in (job, network):
        assert unpack(pack(one)) == one


def test_a_classical_entry_needs_no_torch():
    line = "import medclf.contest.baseline, medclf.contest.work, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
