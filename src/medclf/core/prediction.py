"""A prediction: what is said of one exam, and how surely."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contribution:
    """What one view of an exam does to its answer. Either is told, for each class.

    Args:
        view: Its name: of an image, a plane, a scale, a slice, a look.
        alone: Where the method judges views by themselves: the probabilities by this view alone.
        moved: Where it joins views before it judges: how far each probability lies above what it
            would be without this view.
    """

    view: str
    alone: tuple[float, ...] = ()
    moved: tuple[float, ...] = ()


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
        views: What each view did to the answer, where the exam has several.
    """

    name: str
    probabilities: tuple[float, ...]
    spread: tuple[float, ...]
    decided: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    views: tuple[Contribution, ...] = ()
