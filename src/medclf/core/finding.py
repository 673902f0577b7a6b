"""A finding: something that was sought in a scan, where it was found, and how surely."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One place in one scan.

    Args:
        name: The scan, or the file, that it speaks of.
        kind: What was found.
        at_mm: (z, y, x) in the patient.
        score: 0 to 1, larger is surer.
        sure: Whether the score reaches the threshold that was chosen on validation.
        warnings: What makes the scan unlike those of training, and that nothing in it is sure.
    """

    name: str
    kind: str
    at_mm: tuple[float, float, float]
    score: float
    sure: bool
    warnings: tuple[str, ...] = ()
