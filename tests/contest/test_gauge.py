import subprocess
import sys

import numpy as np
import pytest

from medclf.contest.gauge import FEWEST, name_machine, peak_memory_mb, time_answers


def test_the_median_of_many_answers_is_told_in_milliseconds(monkeypatch):
    ticks = iter(np.cumsum([0, *[0.0, 0.002] * 3, *[0.0, 0.5] * 2, *[9.0] * 9]))
    monkeypatch.setattr("medclf.contest.gauge.time.perf_counter", lambda: float(next(ticks)))
    answers = []
    found = time_answers(lambda: answers.append(1))
    assert len(answers) == FEWEST + 2
    assert found == pytest.approx(2.0)  # the mean of these would be 201, the most 500


def test_a_process_does_not_inherit_the_peak_of_its_parent():
    held = np.ones(60_000_000)  # 480 MB
    own = peak_memory_mb()
    line = "from medclf.contest.gauge import peak_memory_mb; print(peak_memory_mb())"
    child = subprocess.run([sys.executable, "-c", line], capture_output=True, check=True)
    assert own > held.nbytes / 2**20
    assert float(child.stdout) < 150


def test_the_machine_is_named():
    assert name_machine().endswith("threads")
