"""The bench of the store, at small scale: a store above the limit of memory is made and read."""

import os
import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "store.py"
LIMIT_MB = 128


def _two_cores():
    """Each thread sets memory aside for its stack, so a large machine would need a higher limit."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def test_store_larger_than_the_limit_of_memory(tmp_path):
    options = ["--gb", "0.2", "--limit-mb", str(LIMIT_MB), "--edge", "512", "--seconds", "0.1"]
    done = subprocess.run(
        [sys.executable, str(BENCH), *options],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        preexec_fn=_two_cores,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert "an array of this size       refused by the limit" in told
    figures = dict(re.findall(r"^(.{25}) +([\d,.]+) ", told, re.MULTILINE))
    figures = {name.strip(): float(n.replace(",", "")) for name, n in figures.items()}
    assert figures["store"] > figures["limit of memory"] == round(LIMIT_MB * 2**20 / 1e6)
    assert 10 < figures["peak of own memory"] < figures["limit of memory"]
    assert figures["random batches, cached"] > 100
    assert list(tmp_path.iterdir()) == []
