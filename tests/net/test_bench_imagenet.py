"""The bench of pretrained weights on real pictures: EfficientNet-Lite0 from its package."""

import os
import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "imagenet.py"


def test_top1_of_efficientnet_lite0(real_data):
    done = subprocess.run(
        [sys.executable, str(BENCH), str(real_data / "imagenet_samples_250")],
        env={**os.environ, "MEDCLF_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"^\| (own|usual) \| ([\d.]+) % ", done.stdout, re.MULTILINE))
    # As the weights were trained: as good as timm's network with them, 87.2 %.
    assert abs(float(found["own"]) - 87.2) <= 2
    # With the mean and deviation of other weights: what is told of the package's own code.
    assert abs(float(found["usual"]) - 76.0) <= 2
