"""The bench of many files, at small scale."""

import os
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "many_files.py"


def test_many_files_are_listed_made_found_and_gone_on_with(tmp_path):
    done = subprocess.run(
        [sys.executable, str(BENCH), "--files", "400"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines()[3:]]
    assert [row[0] for row in rows] == ["| made", "| found", "| gone on with, killed half way"]
    assert [row[-1] for row in rows[:2]] == ["400 |", "0 |"]
    assert all(float(row[3]) < 400 for row in rows)
    assert list(tmp_path.iterdir()) == []
