"""The fuzzer, at small scale: it counts what it should, and finds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "fuzz.py"


@pytest.mark.parametrize(
    "form", ["PNG palette", "DICOM MR_small_jp2klossless", "zip of a concatenation"]
)
def test_damaged_files_are_read_right_or_refused(form):
    line = [sys.executable, BENCH, "--mutants", "25", "--only", form, "--processes", "1"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    row = next(line for line in done.stdout.splitlines() if line.startswith(f"| {form}"))
    mutants, refused, same, changed, *bad = (int(cell) for cell in row.split("|")[2:-1])
    assert mutants == 25 == refused + same + changed
    assert refused > 5
    assert bad == [0, 0, 0, 0, 0], done.stderr
