"""Numbers and counts as the page writes them."""

import math

from medclf.evaluate.interval import Figure

MINUS, DASH, FIXED_SPACE = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{NO-BREAK SPACE}"
LEVEL = f"95{FIXED_SPACE}%"

NAMES = {
    "auc": ("AUC", "area under the ROC curve; .5 is chance"),
    "accuracy": ("Accuracy", "share of right answers"),
    "balanced_accuracy": ("Balanced accuracy", "mean of the classes' sensitivities"),
    "sensitivity": ("Sensitivity", "share found of those who have it"),
    "specificity": ("Specificity", "share cleared of those who do not"),
    "precision": ("Precision", "share right of those said to have it"),
    "f1": ("F1", "harmonic mean of sensitivity and precision"),
    "kappa": ("Quadratic kappa", "agreement beyond chance, near grades weigh less"),
    "average_precision": ("Average precision", "area under the precision–recall curve"),
    "ece": ("Calibration error", "distance of said from seen; 0 is best"),
    "brier": ("Brier score", "squared distance from the truth; 0 is best"),
    "log_loss": ("Log loss", "surprise at the truth, in nats; 0 is best"),
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


def signed(value: float, digits: int = 3) -> str:
    """Write a difference of scores, with its sign.

    Example:
        >>> signed(0.0301), signed(-0.2, 2), signed(-0.0001)
        ('+.030', '−.20', '.000')
    """
    text = number(value, digits)
    return f"+{text}" if value > 0 and float(f"{value:.{digits}f}") else text


def chance(p: float) -> str:
    """Write a p value: small ones by their bound.

    Example:
        >>> chance(0.0004), chance(0.0312), chance(0.4), chance(1.0)
        ('<.001', '.031', '.40', '1.0')
    """
    if p < 0.001:
        return "<.001"
    return number(p, 3 if p < 0.1 else 2 if p < 0.995 else 1)


def scaled(n: float) -> str:
    """Write a large number by thousands, millions or billions.

    Example:
        >>> [scaled(n).replace(FIXED_SPACE, " ") for n in (950, 61706, 11173962, 1.82e9)]
        ['950', '61.7 k', '11.2 M', '1.82 G']
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= 0.9995 * size:
            return f"{significant(n / size)}{FIXED_SPACE}{letter}"
    return f"{n:.0f}"


def significant(value: float, digits: int = 3) -> str:
    """Write a number by its first digits.

    Example:
        >>> significant(0.8514), significant(12.04), significant(1234.5), significant(2.0, 2)
        ('0.851', '12.0', '1,234', '2.0')
    """
    if not math.isfinite(value) or value == 0:
        return DASH if value else "0"
    whole = math.floor(math.log10(abs(value))) + 1
    return f"{value:,.{max(0, digits - whole)}f}"


def span(figure: Figure, digits: int = 3) -> str:
    """Write the interval of a figure, or nothing where it has none.

    Example:
        >>> span(Figure(0.9, 0.85, 0.94), 2), span(Figure(0.9))
        ('.85 to .94', '')
    """
    if not math.isfinite(figure.low) or not math.isfinite(figure.high):
        return ""
    return f"{number(figure.low, digits)} to {number(figure.high, digits)}"


def with_span(figure: Figure, name: str = "") -> str:
    """Write a figure with its interval behind it, where it has one.

    Example:
        >>> with_span(Figure(0.9, 0.85, 0.94))
        '.900 (.850 to .940)'
    """
    named = f"{name} " if name else ""
    return number(figure.value) + (f" ({named}{span(figure)})" if span(figure) else "")


def percent(share: float) -> str:
    """Write a share in percent.

    Example:
        >>> percent(0.52).replace(FIXED_SPACE, " ")
        '52 %'
    """
    return f"{100 * share:.0f}{FIXED_SPACE}%"


def of_100(figure: Figure) -> str:
    """Write a share as a count among 100, with its interval.

    Example:
        >>> of_100(Figure(0.923, 0.85, 0.97)), of_100(Figure(0.997))
        ('92 (85 to 97)', '99.7')
    """
    low, high = _of_100(figure.low), _of_100(figure.high)
    interval = f" ({low} to {high})" if span(figure) else ""
    return _of_100(figure.value) + interval


def _of_100(share: float) -> str:
    if not math.isfinite(share):
        return DASH
    near_end = 0 < share < 0.0095 or 0.9905 < share < 1
    return f"{100 * share:.1f}" if near_end else f"{100 * share:.0f}"


def count(n: int, noun: str) -> str:
    """Write how many.

    Example:
        >>> count(1, "exam"), count(5856, "patient"), count(3, "class")
        ('1 exam', '5,856 patients', '3 classes')
    """
    ending = "" if n == 1 else "es" if noun.endswith("s") else "s"
    return f"{n:,} {noun}{ending}"


def name_of(score: str) -> str:
    """Name a score in words."""
    return NAMES[score][0] if score in NAMES else title(score)


def title(name: str) -> str:
    """Write the name of a fact as a heading; its own capitals stay.

    Example:
        >>> title("scanner_type"), title("KL grade")
        ('Scanner type', 'KL grade')
    """
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def meaning_of(score: str) -> str:
    """Say in a few words what a score tells, or nothing."""
    return NAMES[score][1] if score in NAMES else ""


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
