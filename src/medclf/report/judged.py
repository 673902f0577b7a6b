"""What was measured on one split, with all that the page draws from it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from medclf.core.task import Task
from medclf.evaluate.calibrate import Calibration
from medclf.evaluate.ranking import indicators
from medclf.evaluate.scores import Scores
from medclf.evaluate.table import Predictions
from medclf.evaluate.threshold import Decision


@dataclass(frozen=True, eq=False)
class Judged:
    """Predictions on one split, and the scores that were taken of them.

    Args:
        predictions: Of this split only; exams without a label are not drawn.
        scores: As in `scores.json`. The page shows these figures and works out none anew.
        decision: How probabilities became classes.
        calibration: What stands between logits and probabilities, where it is known.
    """

    predictions: Predictions
    scores: Scores
    decision: Decision
    calibration: Calibration | None = None

    @property
    def task(self) -> Task:
        return self.predictions.task

    @property
    def binary(self) -> bool:
        """Whether there are two classes that exclude each other, the second being positive."""
        return len(self.task.classes) == 2 and self.task.kind != "coexisting"

    @cached_property
    def labelled(self) -> Predictions:
        """The exams that have a label."""
        return self.predictions.select(self.predictions.labelled)

    @cached_property
    def sides(self) -> NDArray[np.bool_]:
        """Which class is true of each labelled exam: (N, K)."""
        return indicators(self.labelled.target, len(self.task.classes))

    @cached_property
    def decided(self) -> NDArray[np.int64]:
        """What was decided on each labelled exam: (N,), or (N, K) where findings coexist."""
        return self.decision.decide(self.labelled.probabilities)
