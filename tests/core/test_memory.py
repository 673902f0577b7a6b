import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
from medclf.core.memory import keep_memory
if {kept}:
    keep_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(40):
    pair = np.ones(3 * 2**20, np.uint8), np.ones(3 * 2**20, np.uint8)
    del pair
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the allocator of glibc wanted")
def test_freed_memory_is_not_asked_for_anew():
    """Two pieces of a picture's size: glibc would give them back each time."""

    def faults(kept):
        code = CODE.format(kept=kept)
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        return int(ran.stdout)

    assert faults(kept=True) * 4 < faults(kept=False)
