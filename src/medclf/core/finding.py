"""A finding: something that was sought in a scan, where it was found, and how surely."""

from dataclasses import asdict, dataclass
from typing import Any


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


@dataclass(frozen=True)
class Findings:
    """All that was found in one scan.

    Args:
        name: The scan, or the file.
        found: Surest first.
        warnings: What makes the scan doubtful, or why it was not searched.
        searched: Whether it could be.
    """

    name: str
    found: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    searched: bool = True

    def rows(self) -> list[dict[str, Any]]:
        """Tell each finding by its fields; of a scan without any, once, that there is none.

        Example:
            >>> Findings("a.nii", (), ("cannot be read",), searched=False).rows()[0]["sure"]
            >>> Findings("b.nii").rows()[0]["sure"]
            False
        """
        sure = False if self.searched else None
        none = {"name": self.name, "kind": "", "at_mm": None, "score": None, "sure": sure}
        return [asdict(one) for one in self.found] or [{**none, "warnings": self.warnings}]
