"""Who says what an image shows, and how well the best observer can agree with it.

A label is one reading by one reader, and readers differ. A reader calls an image a finding with a
chance that rises with its severity s along an S-shaped curve between two lapses,

    p(s) = lapse + (1 - 2 lapse) / (1 + exp(-(s - threshold) / width)),

so plain findings are missed and healthy chests are called now and then, subtle findings split the
readers, and what lies far below the threshold is invisible: called no oftener than a healthy chest.

Nothing that predicts these labels can be perfect, and the best possible AUC is known. Given the
severities, labels are independent, and age, place or pixels tell nothing further. By the lemma of
Neyman and Pearson the best score is the likelihood ratio, p / (1 - p), which rises with s: so the
ideal observer ranks the images by s itself. It puts a pair of images (i positive, j negative) in
the right order where s_i > s_j, and guesses where s_i = s_j. Such a pair has the chance
p_i (1 - p_j), so over all pairs i ≠ j

    best AUC = Σ p_i (1 - p_j) ([s_i > s_j] + ½ [s_i = s_j]) / Σ p_i (1 - p_j).

An AUC measured on a finite test split scatters about this value, and may lie above it by luck.

Source: Neyman, Pearson. On the Problem of the Most Efficient Tests of Statistical Hypotheses.
Philosophical Transactions A, 1933. Hanley, McNeil. The Meaning and Use of the Area under a ROC
Curve. Radiology 1982.
"""

import csv
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from medclf.curate.phantom.shapes import Array
from medclf.errors import CohortError

LAPSE = 0.03
THRESHOLD = 0.35
WIDTH = 0.07


def chance_of_finding(severity: ArrayLike) -> Array:
    """Tell how often readers call images of these severities (0 to 1) a finding.

    Example:
        >>> chance_of_finding([0, 0.35, 1]).round(3).tolist()
        [0.036, 0.5, 0.97]
    """
    above = (np.asarray(severity, np.float64) - THRESHOLD) / WIDTH
    return np.asarray(LAPSE + (1 - 2 * LAPSE) / (1 + np.exp(-above)))


def ideal_auc(severity: ArrayLike) -> float:
    """Compute the AUC that an observer who knows the severities exactly may expect.

    Args:
        severity: One per image, 0 to 1; two images or more.

    Example:
        >>> round(ideal_auc([0, 1]), 3)
        0.999
    """
    values, group = np.unique(np.asarray(severity, np.float64), return_inverse=True)
    chance = chance_of_finding(values)
    count = np.bincount(group).astype(np.float64)
    called, passed = count * chance, count * (1 - chance)
    below = np.cumsum(passed) - passed
    itself = float(np.sum(count * chance * (1 - chance)))
    right = float(np.sum(called * (below + passed / 2))) - itself / 2
    return right / (float(called.sum() * passed.sum()) - itself)


def best_auc(folder: Path) -> float:
    """Compute the best AUC that any model may expect on the images of a phantom cohort.

    Args:
        folder: As `make_phantoms` left it; the severities in its `cohort.csv` are all it needs.

    Raises:
        CohortError: there is no such table, or a severity in it is no number from 0 to 1.
    """
    path = folder / "cohort.csv"
    try:
        with path.open(encoding="utf-8", newline="") as table:
            severity = [float(row["severity"]) for row in csv.DictReader(table)]
    except OSError as problem:
        raise CohortError(f"{path}: the table of a phantom cohort wanted: {problem}") from problem
    except (KeyError, TypeError, ValueError) as problem:
        raise CohortError(f"{path}: a number wanted as each severity: {problem!r}") from problem
    if len(severity) < 2 or not all(0 <= value <= 1 for value in severity):
        raise CohortError(f"{path}: two severities or more wanted, each from 0 to 1")
    return ideal_auc(severity)
