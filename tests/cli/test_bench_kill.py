"""The bench of kills, at small scale: two kills, and the run ends as the undisturbed one."""

import os
import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "kill.py"


def test_killed_trainings_end_as_undisturbed_ones(tmp_path):
    options = ["--kills", "2", "--aimed", "0", "--exams", "40", "--epochs", "3", "--seed", "1"]
    done = subprocess.run(
        [sys.executable, str(BENCH), *options],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^\| \d \| random \| \d+\.\d\d s \| (train|resume) \|", done.stdout, re.M)
    assert len(rows) == 2, done.stdout
    assert re.search(r"^2 kills, (\d) runs, \1 as the undisturbed one$", done.stdout, re.M)
    own = [path for path in tmp_path.iterdir() if not path.name.startswith("torchinductor")]
    assert own == [], "torch keeps a folder there; the bench must not"
