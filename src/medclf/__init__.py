"""medclf: medical image classification with convolutional networks.

import medclf

cohort = medclf.read_cohort("exams.csv")
run = medclf.train(cohort, out="runs/first", minutes=2)
print(run.scores["auc"])
run.predict(["new.dcm"])
"""

import os
from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Threads of OpenMP that wait for work must sleep, not spin: on a busy machine spinning slows
# training several times over, and on a quiet one it gains nothing. Read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The heavy rooms are imported when they are first asked for, so that `import medclf` is quick.
_VERBS = {
    "ImageClassifier": "medclf.estimator",
    "compare": "medclf.comparison",
    "join": "medclf.joined",
    "load": "medclf.verbs",
    "plan": "medclf.verbs",
    "read_cohort": "medclf.verbs",
    "train": "medclf.verbs",
}

__all__ = ["ImageClassifier", "compare", "join", "load", "plan", "read_cohort", "train"]


def __getattr__(name: str) -> Any:
    if name not in _VERBS:
        raise AttributeError(f"module 'medclf' has no attribute {name!r}")
    return getattr(import_module(_VERBS[name]), name)
