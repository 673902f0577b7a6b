"""A prediction: what is said of one exam, and how surely."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """The answer for one exam.

    Args:
        name: The exam, or the file, that it speaks of.
        probabilities: One per class, calibrated on validation. None of an exam that cannot be read:
            its warning says why.
        spread: Standard deviation of each probability over the members and the looks.
        decided: Names of the classes decided on: one, or any number where findings coexist.
        warnings: What makes this case unlike those that the model learnt from.
        images: How much each image of an exam of several counted, by its name; they sum to 1.
    """

    name: str
    probabilities: tuple[float, ...]
    spread: tuple[float, ...]
    decided: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    images: tuple[tuple[str, float], ...] = ()
