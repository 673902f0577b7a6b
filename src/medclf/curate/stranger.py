"""Strangers: images that do not look like what a cohort is said to be of, as a skin among X-rays.

A network that tells kinds of images gives each a probability of the kind that is expected. An image
is a stranger where it is less likely than not, and below a level that few validation exams of the
kind lie below, so that the share of false alarms among images like those is bounded. Who judges
stands elsewhere: here is only what follows from it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medclf.curate.problem import Problem, count, tell
from medclf.curate.survey import Look
from medclf.evaluate.score import Numbers

ALARMS = 0.05
"""Share of images like those of validation that may be flagged in error. With 0.01 one odd image
among a hundred puts the level so low that many strangers pass (bench/modality.py, validation)."""

LIKELY = 0.5
"""No image is a stranger that is as expected with this probability: a level above it comes from a
network that is surer of its own data than of any other, or from few validation exams."""


@dataclass(frozen=True)
class Stranger:
    """An image that does not look as expected.

    Args:
        exam: Name of the exam that it belongs to.
        image: Its name in the exam.
        share: Probability that it is what was expected.
        alike: What it looks like most, of all else that is known.
        alike_share: Probability of that.
        reason: Why it cannot even be judged; the rest is then empty.
    """

    exam: str
    image: str
    share: float = 0.0
    alike: str = ""
    alike_share: float = 0.0
    reason: str = ""

    @property
    def looks(self) -> str:
        """Say what it looks like."""
        return f"like {self.alike}" if self.alike else "of another form"

    def __str__(self) -> str:
        sure = f"{self.looks} {self.alike_share:.2f}, as expected {self.share:.2g}"
        return f"{self.exam} ({self.reason or sure})"


@dataclass(frozen=True)
class Level:
    """The probability below which an image is a stranger, and what that does on validation.

    Args:
        value: That probability.
        own: Validation exams of the expected kind.
        alarms: Share of them that is flagged.
        others: Validation exams of all other kinds.
        caught: Share of them that is flagged; 0 where there are none.
    """

    value: float
    own: int
    alarms: float
    others: int
    caught: float

    @property
    def tells(self) -> bool:
        """Whether most strangers are found; else that none was found means nothing."""
        return self.caught > LIKELY

    def __str__(self) -> str:
        return (
            f"below {self.value:.2g}, as are {100 * self.alarms:.2g} % of the run's {self.own:,} "
            f"validation exams of it and {100 * self.caught:.3g} % of {self.others:,} others"
        )


@dataclass(frozen=True)
class Strangers:
    """What was found where images of one kind were expected.

    Args:
        expected: That kind.
        by: Who judged.
        level: Below which an image is a stranger.
        judged: Images judged.
        found: The least like first.
    """

    expected: str
    by: str
    level: Level
    judged: int
    found: tuple[Stranger, ...]


def find_level(shares: Numbers, own: NDArray[np.bool_]) -> Level:
    """Find the probability below which an image is a stranger.

    Args:
        shares: (N,) probabilities of the expected kind, of validation exams.
        own: (N,) which of them are of that kind; one at least.
    """
    value = min(LIKELY, lowest_usual(shares[own], ALARMS))
    below, others = shares < value, ~own
    caught = float(below[others].mean()) if others.any() else 0.0
    return Level(value, int(own.sum()), float(below[own].mean()), int(others.sum()), caught)


def lowest_usual(shares: Numbers, rate: float) -> float:
    """Find the level that a new exam like these lies below with a probability of `rate` at most.

    It is the k-th lowest of N, with k = rate (N + 1); fewer than 1 / rate exams cannot tell so
    well, and their lowest is taken, which a new one lies below once in N + 1.

    Args:
        shares: (N,) probabilities, one at least.

    Source: Vovk, Gammerman, Shafer. Algorithmic Learning in a Random World. 2005 (conformal).

    Example:
        >>> lowest_usual(np.linspace(0, 1, 201), 0.01), lowest_usual(np.array([0.5, 0.25]), 0.01)
        (0.005, 0.25)
    """
    place = max(1, int(rate * (len(shares) + 1)))
    return float(np.sort(shares)[place - 1])


def leave_unreadable(strangers: Strangers | None, looks: Sequence[Look]) -> Strangers | None:
    """Leave out what nobody can read, which is a problem of another kind."""
    if strangers is None:
        return None
    failed = {(look.exam, look.image) for look in looks if look.failure}
    found = tuple(one for one in strangers.found if (one.exam, one.image) not in failed)
    return replace(strangers, judged=strangers.judged - len(failed), found=found)


def check_strangers(strangers: Strangers | None) -> Iterator[Problem]:
    """Tell of strangers, the least like what was expected first."""
    if strangers is not None and strangers.found:
        found = strangers.found
        message = (
            f"{len(found):,} of {count(strangers.judged, 'image')} do not look like "
            f"{strangers.expected} to {strangers.by}: {tell(map(str, found))}"
        )
        yield Problem("stranger", False, message, tuple(dict.fromkeys(one.exam for one in found)))
