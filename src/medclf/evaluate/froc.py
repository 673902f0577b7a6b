"""Free-response ROC: the share of lesions found against the false positives that a scan gets.

The rule is that of LUNA16. A mark hits every lesion whose middle is nearer than that lesion's
radius. A lesion is found once, with the score of its best hit; further hits on it are neither true
nor false positives, and neither are marks that hit only findings which do not count. Every other
mark is a false positive. The curve runs in straight lines from corner to corner, on the linear axis
of false positives per scan, and stays level beyond its last corner. So does the challenge's script;
only its drawing has a logarithmic axis. (Its later leaderboard takes the nearest corner instead.)

Intervals draw patients with return, each with all scans, and read every drawn curve at the same
false positives per scan, so that they hold the doubt about the threshold too.

Source: Setio et al. Validation, comparison, and combination of algorithms for automatic detection
of pulmonary nodules in computed tomography images: the LUNA16 challenge. Medical Image Analysis
2017, section 2.4. Niemeijer et al. On Combining Computer-Aided Detection Systems. IEEE
Transactions on Medical Imaging 2011 (the mean of seven sensitivities, CPM).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from medclf.errors import CohortError, SettingError
from medclf.evaluate.bootstrap import patient_weights
from medclf.evaluate.figures import RESAMPLES
from medclf.evaluate.interval import Figure, share
from medclf.evaluate.score import Numbers

RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives per scan at which CPM reads the sensitivity."""


@dataclass(frozen=True, eq=False)
class Marked:
    """One scan: what a system marked in it, and what is there.

    Args:
        patient: Whose scan it is.
        marks_mm: (M, axes) places of the marks.
        scores: (M,) larger means surer.
        lesions_mm: (L, axes) middles of the lesions.
        radius_mm: How near a mark must be: one for all lesions, or (L,) each lesion's own.
        counts: (L,) False for findings that it is neither right nor wrong to mark; if `None`, all
            lesions count.

    Raises:
        SettingError: shapes do not fit each other, a number is not finite, or a radius is not
            positive.
    """

    patient: str
    marks_mm: Numbers
    scores: Numbers
    lesions_mm: Numbers
    radius_mm: float | Numbers
    counts: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        marks, lesions = len(self.marks_mm), len(self.lesions_mm)
        wanted = {
            "marks_mm": (marks, *self.lesions_mm.shape[1:]),
            "scores": (marks,),
            "radius_mm": (lesions,) if np.ndim(self.radius_mm) else (),
            "counts": () if self.counts is None else (lesions,),
            "lesions_mm": (lesions, *self.marks_mm.shape[1:2]),
        }
        for name, shape in wanted.items():
            value = np.asarray(getattr(self, name))
            if value.shape != shape:
                found = f"{name} of shape {shape} wanted, found {value.shape}"
                raise SettingError(f"marks of {self.patient}: {found}")
            if name != "counts" and not np.isfinite(value).all():
                raise SettingError(f"marks of {self.patient}: finite {name} wanted, found {value}")
        if not np.all(np.asarray(self.radius_mm) > 0):
            found = f"radii above 0 mm wanted, found {self.radius_mm}"
            raise SettingError(f"marks of {self.patient}: {found}")


@dataclass(frozen=True)
class Corner:
    """Where the curve turns: what marks from `threshold` up reach; at the start there are none."""

    false_positives: float
    sensitivity: float
    threshold: float | None


@dataclass(frozen=True)
class Point:
    """The sensitivity at so many false positives per scan."""

    false_positives: float
    sensitivity: Figure


@dataclass(frozen=True)
class Froc:
    """How well lesions are found; `core.plain.to_plain` makes JSON of it.

    Args:
        scans: Those looked at, with and without lesions.
        patients: Whose they are.
        lesions: Those that count.
        found: Lesions with a hit of any score.
        neither: Marks that are neither true nor false: hits that are not the best of a lesion, and
            marks on findings that do not count.
        false_positives: Marks in all that hit nothing.
        curve: From no mark to all of them.
        points: The sensitivity at each rate asked for, those of CPM among them.
        cpm: Mean of the sensitivities at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives per scan.
        seed: Of the bootstrap.
        resamples: Bootstrap samples.
    """

    scans: int
    patients: int
    lesions: int
    found: int
    neither: int
    false_positives: int
    curve: tuple[Corner, ...]
    points: tuple[Point, ...]
    cpm: Figure
    seed: int = 0
    resamples: int = RESAMPLES


def free_response(
    scans: Sequence[Marked],
    rates: Sequence[float] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Froc:
    """Measure the marks of a system, with intervals by patient.

    Args:
        scans: All that were searched, those without a lesion or a mark too.
        rates: Further false positives per scan at which to read the sensitivity.
        seed: Of the bootstrap.
        resamples: Bootstrap samples.

    Raises:
        CohortError: no scan has a lesion that counts.
        SettingError: a rate is not positive.

    Example:
        >>> lesion, marks = np.zeros((1, 3)), np.array([[0.0, 0, 2], [0, 9, 0]])
        >>> scan = Marked("a", marks, np.array([0.9, 0.8]), lesion, radius_mm=5.0)
        >>> free_response([scan], resamples=100).cpm.value
        1.0
    """
    if any(not 0 < rate < np.inf for rate in rates):
        raise SettingError(f"false positives per scan above 0 wanted, found {tuple(rates)}")
    judged = [_judge(scan) for scan in scans]
    lesions = np.array([len(one.best) for one in judged], np.float64)
    if not lesions.sum():
        raise CohortError(f"a lesion to be found wanted, found none in {len(scans)} scans")
    steps, asked = _Steps.of(judged, lesions), sorted({*RATES, *rates})
    patients = np.array([scan.patient for scan in scans])
    sides = np.stack([lesions > 0, lesions == 0], 1)
    once = np.ones((len(scans), 1))
    value = steps.read(asked, once)[:, 0]
    drawn = [steps.read(asked, w) for w in patient_weights(patients, sides, resamples, seed)]
    replicates = np.concatenate(drawn, 1)
    with_lesion, most = len(np.unique(patients[lesions > 0])), float(lesions.sum())
    seven = [asked.index(rate) for rate in RATES]
    alarms, hits = (line[:, 0].tolist() for line in steps.follow(once))
    return Froc(
        scans=len(scans),
        patients=len(np.unique(patients)),
        lesions=int(lesions.sum()),
        found=sum(int(np.isfinite(one.best).sum()) for one in judged),
        neither=sum(one.neither for one in judged),
        false_positives=sum(len(one.false) for one in judged),
        curve=tuple(map(Corner, alarms, hits, [None, *steps.threshold.tolist()])),
        points=tuple(
            Point(rate, share(float(v), r, with_lesion, most))
            for rate, v, r in zip(asked, value, replicates, strict=True)
        ),
        cpm=share(float(value[seven].mean()), replicates[seven].mean(0), with_lesion, most),
        seed=seed,
        resamples=resamples,
    )


def hits(marks_mm: Numbers, lesions_mm: Numbers, radius_mm: float | Numbers) -> NDArray[np.bool_]:
    """Tell which marks hit which lesions: (M, axes), (L, axes) -> (M, L).

    Example:
        >>> hits(np.array([[0.0, 3.0], [9.0, 0.0]]), np.zeros((1, 2)), 4.0).tolist()
        [[True], [False]]
    """
    far = np.linalg.norm(marks_mm[:, None] - lesions_mm[None], axis=-1)
    return np.asarray(far < radius_mm)


@dataclass(frozen=True, eq=False)
class _Judged:
    """Marks of one scan: each lesion's best score, -inf where it was missed; scores of false ones;
    and how many are neither.
    """

    best: Numbers
    false: Numbers
    neither: int


def _judge(scan: Marked) -> _Judged:
    hit = hits(scan.marks_mm, scan.lesions_mm, scan.radius_mm)
    counts = np.ones(len(scan.lesions_mm), np.bool_) if scan.counts is None else scan.counts
    scored = np.where(hit, scan.scores[:, None], -np.inf)[:, counts]
    best, wrong = scored.max(0, initial=-np.inf), np.asarray(~hit.any(1))
    # One mark may be the best hit of two lesions that overlap.
    chosen = np.unique(scored[:, np.isfinite(best)].argmax(0)) if len(scored) else wrong
    return _Judged(best, scan.scores[wrong], len(scored) - len(chosen) - int(wrong.sum()))


@dataclass(frozen=True, eq=False)
class _Steps:
    """The way from one corner of the curve to the next, for any weights of the scans.

    Args:
        threshold: (G,) falling.
        hits: (G, N) lesions of each scan that come with each step.
        alarms: (G, N) false positives that do.
        lesions: (N,) of each scan.
    """

    threshold: Numbers
    hits: csr_array
    alarms: csr_array
    lesions: Numbers

    @classmethod
    def of(cls, judged: Sequence[_Judged], lesions: Numbers) -> "_Steps":
        """Order all marks by score; those between two corners, whatever the weights, are a step."""
        found = [one.best[np.isfinite(one.best)] for one in judged]
        false = [one.false for one in judged]
        scores = np.concatenate([*found, *false])
        place, scan = np.arange(len(judged)), [len(a) for a in (*found, *false)]
        whose = np.repeat(np.concatenate([place, place]), scan)
        true = np.arange(len(scores)) < sum(scan[: len(judged)])
        falling, which = np.unique(-scores, return_inverse=True)
        has_true, has_false = (
            np.bincount(which[side], minlength=len(falling)) > 0 for side in (true, ~true)
        )
        alike = (has_true[1:] == has_true[:-1]) & (has_false[1:] == has_false[:-1])
        turns = np.append(~alike | (has_true & has_false)[1:], True)[: len(falling)]
        step = (np.cumsum(turns) - turns)[which]
        shape = (int(turns.sum()), len(judged))
        hits, alarms = (
            csr_array((np.ones(side.sum()), (step[side], whose[side])), shape=shape)
            for side in (true, ~true)
        )
        return cls(-falling[turns], hits, alarms, lesions)

    def follow(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """Give false positives per scan and sensitivity at the corners: (N, B) -> (G + 1, B) twice.

        The sensitivity is nan where no scan with a lesion was drawn.
        """
        zero = np.zeros((1, weights.shape[1]))
        lines = [
            np.concatenate([zero, np.cumsum(matrix @ weights, 0)])
            for matrix in (self.alarms, self.hits)
        ]
        lesions = self.lesions @ weights
        return lines[0] / weights.sum(0), lines[1] / np.where(lesions > 0, lesions, np.nan)

    def read(self, rates: Sequence[float], weights: Numbers) -> Numbers:
        """Read the sensitivity at so many false positives per scan: (N, B) -> (R, B)."""
        alarms, hits = self.follow(weights)
        columns = zip(alarms.T, hits.T, strict=True)
        return np.stack([np.interp(rates, x, y) for x, y in columns], 1)
