"""Numbers and counts as the page writes them."""

import math
from collections.abc import Mapping

MINUS, DASH = "\u2212", "\u2013"

NAMES = {
    "auc": "AUC",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "kappa": "Quadratic kappa",
    "ece": "Calibration error",
    "brier": "Brier score",
}


def number(value: float | None, digits: int = 3) -> str:
    """Write a score as statisticians do: no zero before the point, a true minus, or a dash.

    Example:
        >>> number(0.9014), number(1.0), number(-0.05, 2), number(float("nan"))
        ('.901', '1.000', '−.05', '–')
    """
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):.{digits}f}"
    sign = MINUS if value < 0 and float(text) else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def span(figure: Mapping[str, float | None], digits: int = 3) -> str:
    """Write the interval of a figure, or nothing where it has none.

    Example:
        >>> span({"value": 0.9, "low": 0.85, "high": 0.94}, 2)
        '.85 to .94'
    """
    low, high = (number(figure.get(end), digits) for end in ("low", "high"))
    return "" if DASH in (low, high) else f"{low} to {high}"


def count(n: int, noun: str) -> str:
    """Write how many.

    Example:
        >>> count(1, "exam"), count(5856, "patient"), count(3, "class")
        ('1 exam', '5,856 patients', '3 classes')
    """
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n:,} {noun}{ending}"


def name_of(score: str) -> str:
    """Name a score of scores.json in words."""
    return NAMES.get(score, score.replace("_", " ").capitalize())


def clock(seconds: float) -> str:
    """Write a duration.

    Example:
        >>> clock(0.42), clock(75), clock(7260)
        ('0.4 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
